"""The library's recorder interfaces over one log of one practice."""

from collections.abc import Sequence
from threading import Event as Flag
from typing import LiteralString, cast
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)
from eventsourcing.utils import Environment
from psycopg import Cursor

from domain.kernel.events import Context
from record.database import Database, Row
from record.envelope import StoredEntry
from record.gate import Append, Gate
from record.hints import Hints

COLUMNS: LiteralString = """stream_id, version, type, body, subject, key_id, occurred_at, position,
    actor, role, purpose, recorded_at, leaf_hash"""
SELECT: LiteralString = f"SELECT {COLUMNS} FROM record.event "  # noqa: S608  # constants only
READ_LIMIT = 500
"""Rows per read of a subscription."""


def entries(cursor: Cursor[Row]) -> list[StoredEntry]:
    """The rows of a query for `COLUMNS`."""
    return [StoredEntry(*row) for row in cursor]


class PracticeAggregateRecorder(AggregateRecorder):
    """Streams of one practice, read and appended by version."""

    def __init__(self, database: Database, gate: Gate, practice_id: UUID, log: str) -> None:
        self.database = database
        self.gate = gate
        self.practice_id = practice_id
        self.log = log

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        """Appends all or none. Raises `VersionConflict`, an `IntegrityError` of the library."""
        self.append(stored_events, **kwargs)
        return None

    def append(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> list[int]:
        """Appends, and returns the positions taken; none if the same command was done before."""
        if not stored_events:
            return []
        by = cast("Context | None", kwargs.get("context"))
        answer = self.gate.append(Append(self.practice_id, self.log, stored_events, by))
        if answer.first is None or answer.last is None:
            return []
        return list(range(answer.first, answer.last + 1))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Reads a stream, all of it or a span of versions."""
        sql: LiteralString = (
            SELECT
            + """WHERE log = %s AND stream_id = %s AND version > %s AND version <= %s
            ORDER BY version """
            + ("DESC" if desc else "ASC")
            + " LIMIT %s"
        )
        span = (-1 if gt is None else gt, 2**31 - 1 if lte is None else lte)
        with self.database.practice(self.practice_id) as connection:
            cursor = connection.execute(sql, (self.log, originator_id, *span, limit), binary=True)
            return [
                StoredEvent(row.originator_id, row.originator_version, row.topic, row.state)
                for row in entries(cursor)
            ]


class PracticeRecorder(PracticeAggregateRecorder, ApplicationRecorder):
    """One log of one practice, in the order of its positions."""

    def __init__(
        self,
        database: Database,
        gate: Gate,
        practice_id: UUID,
        log: str = "record",
        hints: Hints | None = None,
    ) -> None:
        super().__init__(database, gate, practice_id, log)
        self.hints = hints

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        """Appends all or none, and returns the positions."""
        return self.append(stored_events, **kwargs)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Reads the log from one position to another, of all types or of some."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        return [
            Notification(
                id=row.id,
                originator_id=row.originator_id,
                originator_version=row.originator_version,
                topic=row.topic,
                state=row.state,
            )
            for row in self.select_entries(first, limit, stop, topics)
        ]

    def select_entries(
        self, first: int, limit: int, last: int | None = None, topics: Sequence[str] = ()
    ) -> list[StoredEntry]:
        """Reads whole rows, from position `first` on."""
        sql: LiteralString = (
            SELECT
            + """WHERE log = %s AND position >= %s AND position <= %s
                AND (%s::text[] IS NULL OR type = ANY (%s::text[]))
            ORDER BY position LIMIT %s"""
        )
        wanted = list(topics) or None
        span = (first, 2**63 - 1 if last is None else last)
        with self.database.practice(self.practice_id) as connection:
            return entries(
                connection.execute(sql, (self.log, *span, wanted, wanted, limit), binary=True)
            )

    def max_notification_id(self) -> int | None:
        """The position of the newest event, or none."""
        with self.database.practice(self.practice_id) as connection:
            row = connection.execute(
                "SELECT position FROM record.head WHERE practice_id = %s AND log = %s",
                (self.practice_id, self.log),
            ).fetchone()
        return cast("int", row[0]) or None if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> "PracticeSubscription":
        """Follows the log from after a position on, for ever."""
        return PracticeSubscription(self, gt, topics)


class PracticeSubscription(Subscription[PracticeRecorder]):
    """Yields each event once, in order. A hint wakes it; without one it looks again by itself."""

    def __init__(
        self, recorder: PracticeRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder, gt, topics)
        self._seen = gt or 0
        self._batch: list[Notification] = []
        self._news = Flag()
        if recorder.hints is not None:
            recorder.hints.listen(self._news)

    def stop(self) -> None:
        """Ends the iteration, also one that is waiting."""
        super().stop()
        self._news.set()

    def __next__(self) -> Notification:
        """Returns the next event, waiting for it if need be."""
        while not self._batch:
            if self._has_been_stopped:
                raise StopIteration
            self._news.clear()
            # Positions are gapless and commit-ordered: nothing can appear below what was seen.
            head = self._recorder.max_notification_id() or 0
            found = self._recorder.select_notifications(
                self._seen, READ_LIMIT, topics=self._topics, inclusive_of_start=False
            )
            self._batch = list(reversed(found))
            if not found:
                self._seen = max(self._seen, head)
                poll = Hints.POLL_SECONDS if self._recorder.hints is not None else 0.01
                self._news.wait(poll)
        if self._has_been_stopped:
            raise StopIteration
        notification = self._batch.pop()
        self._seen = notification.id
        return notification


class PracticeFactory(InfrastructureFactory[TrackingRecorder]):
    """The library builds its parts through a factory; these are of one log of one practice."""

    def __init__(
        self, database: Database, gate: Gate, practice_id: UUID, log: str, hints: Hints | None
    ) -> None:
        super().__init__(Environment("practice", {}))
        self._place = (database, gate, practice_id, log)
        self._hints = hints

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Streams by version. Raises `ValueError` for anything but events."""
        if purpose != "events":
            message = "there are no snapshots: streams are short"
            raise ValueError(message)
        return PracticeAggregateRecorder(*self._place)

    def application_recorder(self) -> ApplicationRecorder:
        """The log in the order of its positions."""
        return PracticeRecorder(*self._place, self._hints)

    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        """Projections keep their own positions. Raises `NotImplementedError`."""
        raise NotImplementedError

    def process_recorder(self) -> ProcessRecorder:
        """Processes issue commands instead. Raises `NotImplementedError`."""
        raise NotImplementedError

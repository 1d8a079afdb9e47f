"""One practice's record: commands in, history out."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, ClassVar, LiteralString, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, Mapper, TrackingRecorder
from eventsourcing.utils import Environment, EnvType

from domain.kernel.errors import DomainError
from domain.kernel.events import Act, Command, Context, Decider, Recorded
from domain.kernel.ids import PracticeId
from domain.kernel.text import EARLIEST, LATEST
from record.database import Database
from record.envelope import EnvelopeMapper, Pending, StoredEntry
from record.errors import IdempotencyMismatch, StaleVersion
from record.gate import Answer, Append, Gate, VersionConflict
from record.hints import Hints
from record.keys import KeyRing
from record.recorder import COLUMNS, SELECT, PracticeFactory, entries

PRACTICES_IN_MEMORY = 1_000
LAST = 2**63 - 1
"""No position comes after it: they are PostgreSQL's bigint."""
TRIES = 10
"""How often a command is decided anew when others write to its stream at the same time."""
OF_LOG: LiteralString = " WHERE practice_id = %s AND log = %s AND "
COUNT: LiteralString = f"SELECT count(*) FROM record.event {OF_LOG} subject = %s"  # noqa: S608  # constants only
STREAMS: LiteralString = f"SELECT {COLUMNS} FROM record.streams(%s, %s, %s)"  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True)
class Written:
    """What a command did: which stream, at which version, up to which position of the log."""

    id: UUID
    version: int
    position: int


class Practice(Application[UUID]):
    """One log of one practice, as the library's application."""

    name = "practice"
    env: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        database: Database,
        gate: Gate,
        keys: KeyRing,
        practice_id: PracticeId,
        *,
        log: str = "record",
        hints: Hints | None = None,
    ) -> None:
        self.database = database
        self.gate = gate
        self.keys = keys
        self.practice_id = practice_id
        self.log_name = log
        self.hints = hints
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Nothing from the process environment: the library would read every variable."""
        return Environment(name, env)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[TrackingRecorder]:
        """Our own parts."""
        del env
        return PracticeFactory(
            self.database, self.gate, self.practice_id, self.log_name, self.hints
        )

    def construct_mapper(self) -> Mapper[UUID]:
        """Sealed envelopes under released names."""
        return EnvelopeMapper(self.keys, self.practice_id, self.log_name)

    # -- writing ---------------------------------------------------------------------------------

    def handle(
        self,
        decider: Decider[Any],
        stream_id: UUID,
        command: Command,
        context: Context,
        *,
        expected: int | None = None,
    ) -> Written:
        """Decides one command on one stream and appends what it decides."""
        return self.handle_many((Act(decider, stream_id, command),), context, expected=expected)

    def handle_many(
        self, acts: Sequence[Act], context: Context, *, expected: int | None = None
    ) -> Written:
        """Decides acts on several streams and appends all of their events or none.

        `expected` is the version the asker saw of the first stream. Answers for the first stream.
        Raises `StaleVersion`, `IdempotencyMismatch`, and what the deciders raise.
        """
        try:
            return self._append_or_retry(acts, context, expected)
        except DomainError:
            # What it is refused for may be its own effect: the same command was done before, or is
            # sent twice at once. One that can be decided again is recognised by the gate.
            answered = self.answered(context)
            if answered is None:
                raise
            return answered

    def _append_or_retry(
        self, acts: Sequence[Act], context: Context, expected: int | None
    ) -> Written:
        # Where nobody said which version they saw, deciding again on a newer one is the same act.
        tries = 1 if expected is not None else TRIES
        while True:
            try:
                return self._decide_and_append(acts, context, expected)
            except VersionConflict as conflict:
                tries -= 1
                if not tries:
                    raise StaleVersion(current_version=conflict.version) from conflict

    def answered(self, context: Context) -> Written | None:
        """What this very command did before, if it did. Raises `IdempotencyMismatch`."""
        with self.database.practice(self.practice_id) as connection:
            row = connection.execute(
                """SELECT stream_id, version, position, digest FROM record.command
                WHERE practice_id = %s AND command_id = %s""",
                (self.practice_id, context.command_id),
                binary=True,
            ).fetchone()
        if row is None:
            return None
        if row[3] != context.digest:
            raise IdempotencyMismatch
        return Written(*row[:3])

    def _decide_and_append(
        self, acts: Sequence[Act], context: Context, expected: int | None
    ) -> Written:
        histories = self.streams([act.stream_id for act in acts])
        pending: list[Pending] = []
        first = acts[0].stream_id
        before = len(histories[first])
        if expected is not None and expected != before:
            raise StaleVersion(current_version=before)
        for act in acts:
            history = histories[act.stream_id]
            state = act.decider.fold([recorded.event for recorded in history])
            events = act.decider.decide(state, act.command)
            pending.extend(
                Pending(act.stream_id, len(history) + number, event)
                for number, event in enumerate(events, start=1)
            )
        if not pending:
            return self.answered(context) or Written(first, before, self.position())
        answer = self.append(pending, context)
        if answer.outcome == "duplicate":  # answered between our look and the append
            return Written(answer.stream_id, answer.version, answer.position)
        after = before + sum(event.originator_id == first for event in pending)
        return Written(first, after, answer.position)

    def append(self, pending: Iterable[Pending], context: Context) -> Answer:
        """Seals and appends: what `save` of the library does, in a third of its time."""
        stored = [self.mapper.to_stored_event(one) for one in pending]
        return self.gate.append(Append(self.practice_id, self.log_name, stored, context))

    # -- reading ---------------------------------------------------------------------------------

    def position(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        return self.recorder.max_notification_id() or 0

    def stream(self, stream_id: UUID) -> list[Recorded]:
        """All of one stream, oldest first; empty if there is none."""
        return self.streams([stream_id])[stream_id]

    def streams(self, ids: Sequence[UUID]) -> dict[UUID, list[Recorded]]:
        """Several streams, each oldest first."""
        found: dict[UUID, list[Recorded]] = {stream_id: [] for stream_id in ids}
        with self.database.connection() as connection:
            wanted = (self.practice_id, self.log_name, list(found))
            rows = entries(connection.execute(STREAMS, wanted, binary=True))
        for recorded in self.open_all(rows):
            found[recorded.stream_id].append(recorded)
        return found

    def about(
        self,
        subjects: Sequence[UUID],
        *,
        after: int = 0,
        until: int = LAST,
        recorded: tuple[datetime, datetime] = (EARLIEST, LATEST),
        limit: int | None = None,
    ) -> list[Recorded]:
        """What the log holds about some clients, in order: between positions, and moments."""
        return self._select(
            """subject = ANY (%s) AND position > %s AND position <= %s
            AND recorded_at >= %s AND recorded_at <= %s ORDER BY position LIMIT %s""",
            (list(subjects), after, until, *recorded, limit),
        )

    def latest_about(
        self, subject: UUID, *, before: int | None = None, limit: int
    ) -> list[Recorded]:
        """The newest events about a client, newest first, from before a position on."""
        return self._select(
            "subject = %s AND position < %s ORDER BY position DESC LIMIT %s",
            (subject, LAST if before is None else before, limit),
        )

    def count_about(self, subject: UUID) -> int:
        """How many events the log holds about a client."""
        with self.database.practice(self.practice_id) as connection:
            wanted = (self.practice_id, self.log_name, subject)
            return int(connection.execute(COUNT, wanted).fetchall()[0][0])

    def began_as(self, stream_id: UUID) -> str:
        """The type of a stream's first event, unopened; empty if there is no stream."""
        first = self.recorder.select_events(stream_id, limit=1)
        return first[0].topic if first else ""

    def _select(self, which: LiteralString, values: tuple[object, ...]) -> list[Recorded]:
        with self.database.practice(self.practice_id) as connection:
            wanted = (self.practice_id, self.log_name, *values)
            rows = entries(connection.execute(SELECT + OF_LOG + which, wanted, binary=True))
        return self.open_all(rows)

    def open(self, row: StoredEntry) -> Recorded:
        """Opens a stored row. Raises `Unreadable`."""
        return cast("EnvelopeMapper", self.mapper).to_recorded(row)

    def open_all(self, rows: Sequence[StoredEntry]) -> list[Recorded]:
        """Opens stored rows, their keys read together. Raises `Unreadable`."""
        self.keys.warm(self.practice_id, (row.key_id for row in rows))
        return [self.open(row) for row in rows]


class Practices:
    """The practices of this process, made when first asked for; a bounded number of them."""

    def __init__(self, make: Callable[[PracticeId], Practice]) -> None:
        self._make = make
        self._lock = Lock()
        self._known: OrderedDict[PracticeId, Practice] = OrderedDict()

    def __getitem__(self, practice_id: PracticeId) -> Practice:
        """The practice of that id; whether it exists shows at its first read or append."""
        with self._lock:
            known = self._known.get(practice_id)
            if known is None:
                known = self._known[practice_id] = self._make(practice_id)
                if len(self._known) > PRACTICES_IN_MEMORY:
                    self._known.popitem(last=False)
            self._known.move_to_end(practice_id)
            return known

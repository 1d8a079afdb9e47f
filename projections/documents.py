"""How are documents kept: folded by a pure function per subject, stored sealed?"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Generic, Self, TypeVar
from uuid import UUID

from psycopg import Connection

from domain.kernel.events import Category, Event, Frozen, Recorded
from domain.kernel.ids import PracticeId
from projections.base import Projection, Schema, fetch
from record.database import Row
from record.envelope import Shredded
from record.keys import KeyRing
from record.practice import Practices
from record.shredding import Gone

D = TypeVar("D", bound=Frozen)


def about(name: str, practice_id: UUID, subject: UUID, position: int) -> bytes:
    """What a sealed document is bound to: its row and its position; elsewhere it does not open.

    So nobody can hide events by putting an earlier document in a later one's place.
    """
    return b"".join(
        (
            practice_id.bytes,
            name.encode(),
            b"\x1f",
            subject.bytes,
            position.to_bytes(8, "big"),
        )
    )


class DocumentProjection(Projection, Generic[D]):
    """One document per subject. Live and in replay it is folded by the very same function."""

    document: ClassVar[type[Frozen]]
    category: ClassVar[Category]
    begins_anew_after: ClassVar[tuple[type[Event], ...]] = ()
    """Events after which the document is folded from the record again, for what is left of it."""

    def __init__(self, keys: KeyRing, practices: Practices, schema: Schema = "projection") -> None:
        super().__init__(schema)
        self._keys = keys
        self._practices = practices
        self._load = self.query(
            """SELECT client_id, key_id, position, body FROM {0}
            WHERE practice_id = %s AND client_id = ANY (%s)"""
        )
        self._store = self.query(
            """INSERT INTO {0} (client_id, key_id, position, body)
            SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[], %b::bytea[])
            ON CONFLICT (practice_id, client_id) DO UPDATE
            SET key_id = excluded.key_id, position = excluded.position, body = excluded.body"""
        )

    def beside(self) -> Self:
        return type(self)(self._keys, self._practices, "rebuild")

    @abstractmethod
    def fold(self, events: Iterable[Recorded], document: D | None = None) -> D:
        """The document after the events, from an earlier one or from nothing."""

    @abstractmethod
    def read(self, text: bytes) -> D:
        """The document that was stored."""

    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        by_subject: dict[UUID, list[Recorded]] = {}
        for recorded in batch:
            if recorded.subject is not None:
                by_subject.setdefault(recorded.subject, []).append(recorded)
        if not by_subject:
            return
        stored = connection.execute(
            self._load, (practice_id, list(by_subject)), binary=True
        ).fetchall()
        before = {row[0]: row for row in stored}
        self._keys.warm(practice_id, (row[1] for row in stored))
        changed = [
            (subject, position, document)
            for subject, events in by_subject.items()
            for position, document in self._changed(
                practice_id, subject, events, before.get(subject)
            )
        ]
        if changed:
            self._keys.prepare(practice_id, ((row[0], self.category) for row in changed))
            rows = [self._sealed(practice_id, *row) for row in changed]
            columns = [list(column) for column in zip(*rows, strict=True)]
            connection.execute(self._store, columns)

    def _changed(
        self, practice_id: UUID, subject: UUID, events: list[Recorded], row: Row | None
    ) -> Iterator[tuple[int, D]]:
        """The new position and document, if the events say anything new."""
        shown = 0 if row is None else row[2]
        events = [recorded for recorded in events if recorded.position > shown]
        if not events:
            return
        document = None if row is None else self._open(practice_id, subject, row)
        if row is not None and document is None:
            events = self.history(practice_id, subject, until=events[-1].position)
        yield events[-1].position, self.folded(practice_id, subject, events, document)

    def folded(
        self, practice_id: UUID, subject: UUID, events: list[Recorded], before: D | None
    ) -> D:
        """The document after the events; made from nothing where they say that text was erased."""
        if any(isinstance(recorded.event, self.begins_anew_after) for recorded in events):
            # Whatever this process remembers, of keys too, may be from before.
            self._keys.forget()
            events = self.history(practice_id, subject, until=events[-1].position)
            before = None
        return self.fold(events, before)

    def _sealed(
        self, practice_id: UUID, subject: UUID, position: int, document: D
    ) -> tuple[UUID, UUID, int, bytes]:
        key = self._keys.key_in_use(practice_id, subject, self.category)
        bound_to = about(self.name, practice_id, subject, position)
        text = document.model_dump_json().encode()
        return subject, key.key_id, position, key.seal(text, bound_to)

    def erase(self, connection: Connection[Row], practice_id: UUID, gone: Gone) -> tuple[str, ...]:
        # Empty, under a key that is destroyed: whoever reads or goes on folds it from the record.
        query = self.query(
            """UPDATE {0} AS d SET key_id = u.key_id, body = ''
            FROM unnest(%b::uuid[], %b::uuid[]) AS u(client_id, key_id)
            WHERE d.practice_id = %s AND d.client_id = u.client_id"""
        )
        subjects = [subject for subject, keys in gone.keys.items() if keys]
        keys = [gone.keys[subject][0] for subject in subjects]
        connection.execute(query, (subjects, keys, practice_id))
        return () if gone.category == self.category else self.tables

    def history(self, practice_id: UUID, subject: UUID, *, until: int) -> list[Recorded]:
        """All that a document is folded from, for one whose key was destroyed since."""
        types = frozenset(self.types)
        return [
            recorded
            for recorded in self._practices[PracticeId(practice_id)].about([subject])
            if recorded.position <= until and self._is_handled(recorded.event, types)
        ]

    def _is_handled(self, event: Event, types: frozenset[str]) -> bool:
        if isinstance(event, Shredded):
            return event.stored_type in types
        return isinstance(event, self.handles)

    def _open(self, practice_id: UUID, subject: UUID, row: Row) -> D | None:
        text = self.open(practice_id, subject, row[1], row[2], row[3])
        return None if text is None else self.read(text)

    def open(
        self, practice_id: UUID, subject: UUID, key_id: UUID, position: int, body: bytes
    ) -> bytes | None:
        """The stored text; none if its key was destroyed. Raises `Unreadable`."""
        key = self._keys.key(practice_id, key_id)
        return (
            None
            if key is None
            else key.open(body, about(self.name, practice_id, subject, position))
        )

    def rows(self, connection: Connection[Row], practice_id: UUID) -> Iterator[tuple[UUID, bytes]]:
        query = self.query(
            """SELECT client_id, key_id, position, body FROM {0}
            WHERE practice_id = %s ORDER BY client_id"""
        )
        for row in fetch(connection, self.schema, query, (practice_id,)):
            text = self.open(practice_id, *row)
            if text is None:  # its key was destroyed since: what a reader would see instead
                document = self.fold(self.history(practice_id, row[0], until=row[2]))
                text = document.model_dump_json().encode()
            yield row[0], b"%d %b" % (row[2], text)

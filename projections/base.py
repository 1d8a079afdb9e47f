"""What is a projection: which events it handles, and how a batch of them changes its tables?"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, LiteralString, Self
from uuid import UUID

from psycopg import Connection, sql

from domain.kernel.events import Event, Recorded
from domain.kernel.upcasting import UPCASTERS
from record.database import Row
from record.shredding import Gone

Schema = Literal["projection", "rebuild"]
FETCH = 500
"""Rows in memory at a time while two versions of a table are compared."""


class Projection(ABC):
    """One question asked of the record, and the tables that answer it.

    `name` carries the version: changed tables get a new name, so that they are filled from the
    first event on, beside the old ones. Rows of one practice follow from its events alone: no
    clock, no network, no table of anybody else.
    """

    name: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    """In the order in which every reader and writer touches them."""
    handles: ClassVar[tuple[type[Event], ...]]

    def __init__(self, schema: Schema = "projection") -> None:
        self.schema = schema

    @property
    def question(self) -> str:
        """The name without its version, as people call it."""
        return self.name.rpartition("_v")[0]

    @cached_property
    def types(self) -> list[str]:
        """The stored names of what it handles, those that are read as a later one included."""
        wanted = {event.type for event in self.handles}
        found: set[str] = set()
        while found != wanted:
            found = set(wanted)
            wanted |= {before for before, (after, _) in UPCASTERS.items() if after in wanted}
        return sorted(wanted)

    @abstractmethod
    def beside(self) -> Self:
        """The same projection over the tables of a rebuild."""

    @abstractmethod
    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        """Writes what follows from a batch, within the caller's transaction of that practice.

        Events that its rows show already change nothing.
        """

    @abstractmethod
    def erase(self, connection: Connection[Row], practice_id: UUID, gone: Gone) -> tuple[str, ...]:
        """Takes out what the tables hold of texts whose keys are being destroyed.

        In the very transaction that destroys them. Names the tables whose files still hold it.
        """

    @abstractmethod
    def rows(self, connection: Connection[Row], practice_id: UUID) -> Iterator[tuple[UUID, bytes]]:
        """All rows of a practice in one form and order, to compare a rebuild with."""

    def query(self, text: LiteralString) -> sql.Composed:
        """The statement with `{0}`, `{1}`, … as its tables."""
        names = (sql.Identifier(self.schema, table) for table in self.tables)
        return sql.SQL(text).format(*names)


class TableProjection(Projection):
    """Rows that stand as they are, under row-level security; never clinical text."""

    canonical: ClassVar[LiteralString]
    """Selects key and text of each row of the practice `%s`, in the order of the keys."""

    def beside(self) -> Self:
        return type(self)("rebuild")

    def rows(self, connection: Connection[Row], practice_id: UUID) -> Iterator[tuple[UUID, bytes]]:
        for key, text in fetch(connection, self.schema, self.query(self.canonical), (practice_id,)):
            yield key, text.encode()


def reserved(connection: Connection[Row], projection: Projection) -> bool:
    """Whether its tables are now ours to rebuild or to take text out of, and nobody else's.

    Until the connection ends, or `release`.
    """
    row = connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (_turn(projection),)
    ).fetchone()
    return row is not None and bool(row[0])


def release(connection: Connection[Row], projection: Projection) -> None:
    """Lets others have what was `reserved`."""
    connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (_turn(projection),))


def _turn(projection: Projection) -> str:
    return f"palimpsest rebuild {projection.name}"


def fetch(
    connection: Connection[Row], name: str, query: sql.Composed, values: tuple[Any, ...]
) -> Iterator[Row]:
    """The rows of a query, a bounded number of them in memory."""
    with connection.cursor(name) as cursor:
        cursor.itersize = FETCH
        yield from cursor.execute(query, values)

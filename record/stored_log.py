"""How is a log read as it stands in its tables, without trusting any of it?"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Connection

from record import leaf
from record.database import Row
from record.merkle import Node

CHUNK: Final = 4096
"""Rows per read."""


class StoredRow(NamedTuple):
    """A row as it claims to be, and as the entry that its leaf hash is taken of."""

    leaf_hash: bytes
    columns: tuple[bytes, ...]

    @property
    def position(self) -> int:
        """Where it claims to stand."""
        return int.from_bytes(self.columns[leaf.POSITION], "big", signed=True)

    @property
    def subject(self) -> UUID | None:
        """Whom it is about."""
        found = self.columns[leaf.SUBJECT][1:]
        return UUID(bytes=found) if found else None

    def moved(self, position: int) -> tuple[bytes, ...]:
        """Its columns, if it stood elsewhere."""
        place = position.to_bytes(8, "big", signed=True)
        return (*self.columns[: leaf.POSITION], place, *self.columns[leaf.POSITION + 1 :])


class StoredHead(NamedTuple):
    """A head as it stands in its table."""

    size: int
    root: bytes
    note: str


class StoredLog:
    """One log of one practice, read in the caller's transaction."""

    def __init__(self, connection: Connection[Row], practice_id: UUID, log: str) -> None:
        self.practice_id = practice_id
        self.log = log
        self.begins = leaf.prefix(practice_id, log)
        self._connection = connection

    def head(self) -> int:
        """How long the log says it is."""
        rows = self._read("SELECT position FROM record.head WHERE practice_id = %s AND log = %s")
        return int(rows[0][0]) if rows else 0

    def end(self) -> int:
        """The last position there is."""
        rows = self._read(
            """SELECT position FROM record.event WHERE practice_id = %s AND log = %s
            ORDER BY position DESC LIMIT 1"""
        )
        return int(rows[0][0]) if rows else 0

    def chunks(self, end: int) -> Iterator[list[StoredRow]]:
        """All rows in the order of their positions, some thousands at a time."""
        for after in range(0, end, CHUNK):
            yield self.rows(after, min(after + CHUNK, end))

    def rows(self, after: int, until: int) -> list[StoredRow]:
        """The rows between two positions, without the first."""
        return [StoredRow(row[0], row[1:]) for row in self._read(leaf.ROWS, after, until)]

    def heads(self, after: int, until: int) -> list[StoredHead]:
        """The signed heads between two sizes, without the first."""
        rows = self._read(
            """SELECT size, root, note FROM record.checkpoint
            WHERE practice_id = %s AND log = %s AND size > %s AND size <= %s ORDER BY size""",
            after,
            until,
        )
        return [StoredHead(*row) for row in rows]

    def is_signed_long_since(self) -> bool:
        """Whether a head was signed more than a minute ago: witnesses have had time."""
        rows = self._read(
            """SELECT EXISTS (
                SELECT FROM record.checkpoint WHERE practice_id = %s AND log = %s
                    AND signed_at < clock_timestamp() - interval '1 minute'
            )"""
        )
        return bool(rows[0][0])

    def nodes(self) -> list[Node]:
        """The kept nodes, by height."""
        rows = self._read(
            """SELECT height, number, hash FROM record.tree_node
            WHERE practice_id = %s AND log = %s ORDER BY height, number"""
        )
        return [Node(*row) for row in rows]

    def out_of_step(self) -> int | None:
        """The first position whose event does not continue its stream; none if all do."""
        rows = self._read(
            """SELECT min(position) FROM (
                SELECT position, version, lag(version) OVER stream AS before,
                    lag(position) OVER stream AS place
                FROM record.event WHERE practice_id = %s AND log = %s
                WINDOW stream AS (PARTITION BY stream_id ORDER BY version)
            ) AS e
            WHERE position < place OR version <> before + 1
                OR (before IS NULL AND version NOT IN (0, 1))"""
        )
        return None if rows[0][0] is None else int(rows[0][0])

    def _read(self, query: str, *values: Any) -> list[Row]:  # noqa: ANN401 - what a query takes
        wanted = (self.practice_id, self.log, *values)
        return self._connection.execute(query.encode(), wanted, binary=True).fetchall()

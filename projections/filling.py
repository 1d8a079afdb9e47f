"""How are tables beside the live ones filled, by this process or by several at once?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any, Final, Protocol, cast
from uuid import UUID

from psycopg import Connection

from domain.kernel.ids import PracticeId
from projections import positions
from projections.base import Projection
from record.database import Row
from record.envelope import StoredEntry
from record.practice import Practices
from record.recorder import COLUMNS

_OF_PART: Final = """FROM record.event
    WHERE practice_id = %(practice)s AND log = 'record' AND position <= %(until)s
        AND type = ANY (%(types)s) AND subject IS NOT NULL"""
_COUNT: Final = f"SELECT count(*) {_OF_PART}"
_BORDERS: Final = f"SELECT percentile_disc(%(parts)s) WITHIN GROUP (ORDER BY subject) {_OF_PART}"
# From one border to the next along the index of subjects: nothing is sorted.
_STREAMED: Final = f"""SELECT {COLUMNS} {_OF_PART}
    AND (%(first)s::uuid IS NULL OR subject >= %(first)s)
    AND (%(end)s::uuid IS NULL OR subject < %(end)s)
    ORDER BY subject, position"""


@dataclass(frozen=True, slots=True)
class Part:
    """Some clients of a practice, between two ids, and how far their events are applied."""

    practice_id: UUID
    until: int
    first: UUID | None = None
    end: UUID | None = None


class Fillers(Protocol):
    """Several who fill at once."""

    def fill(self, question: str, parts: Sequence[Part]) -> Iterator[int]:
        """Fills the tables beside of a projection; yields how many events are done, bit by bit."""


class Filler:
    """Fills from one connection, which owns the tables beside."""

    def __init__(self, owner: Connection[Row], practices: Practices, beside: Projection) -> None:
        self._owner = owner
        self._practices = practices
        self._beside = beside

    def parts(self, practice_id: UUID, until: int, size: int) -> tuple[int, list[Part]]:
        """How many events there are, and the practice in parts of about that size."""
        values: dict[str, Any] = {
            "practice": practice_id, "until": until, "types": self._beside.types,
        }  # fmt: skip
        with self.of_practice(practice_id):
            (count,) = self._owner.execute(_COUNT, values).fetchall()[0]
            parts = ceil(count / size)
            if parts <= 1:
                return count, [Part(practice_id, until)]
            values["parts"] = [number / parts for number in range(1, parts)]
            (borders,) = self._owner.execute(_BORDERS, values).fetchall()[0]
        between = sorted(set(cast("list[UUID]", borders)))
        pairs = zip((None, *between), (*between, None), strict=True)
        return count, [Part(practice_id, until, first, end) for first, end in pairs]

    def fill(self, part: Part) -> Iterator[int]:
        """Subject by subject, so that each row is written once, whatever its history.

        Yields the number of events of each batch.
        """
        values = {
            "practice": part.practice_id, "until": part.until, "types": self._beside.types,
            "first": part.first, "end": part.end,
        }  # fmt: skip
        with (
            self.of_practice(part.practice_id),
            self._owner.cursor("streamed", binary=True) as cursor,
        ):
            cursor.itersize = positions.BATCH
            cursor.execute(_STREAMED, values)
            batch: list[StoredEntry] = []
            rows = (StoredEntry(*row) for row in cursor)
            for _, one in groupby(rows, key=lambda row: row.subject):
                batch += one
                if len(batch) >= positions.BATCH:
                    yield self.apply(part.practice_id, batch)
                    batch = []
            yield self.apply(part.practice_id, batch)

    def apply(self, practice_id: UUID, batch: Sequence[StoredEntry]) -> int:
        """Opens and applies a batch within the caller's transaction; how many they were."""
        if batch:
            opened = self._practices[PracticeId(practice_id)].open_all(batch)
            self._beside.apply(self._owner, practice_id, opened)
        return len(batch)

    @contextmanager
    def of_practice(self, practice_id: UUID) -> Iterator[Connection[Row]]:
        """A transaction of one practice, as the owner of the tables."""
        with self._owner.transaction():
            self._owner.execute(
                "SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),)
            )
            yield self._owner


def become_owner(connection: Connection[Row]) -> None:
    """Raises `InsufficientPrivilege` for who may not."""
    connection.execute("SET ROLE palimpsest_owner")

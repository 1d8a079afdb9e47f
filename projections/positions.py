"""How far has each projection come, who moves it on, and what comes next?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString, cast
from uuid import UUID

from psycopg import Connection

from record.database import Database, Row
from record.envelope import StoredEntry
from record.recorder import COLUMNS, entries

BATCH = 500
"""Events per transaction at most."""


@dataclass(frozen=True, slots=True)
class News:
    """A practice whose record is ahead of one of its projections."""

    practice_id: UUID
    name: str
    behind: int
    """Events of any type between the two."""
    is_new: bool
    """The projection has not yet begun with this practice."""
    is_parked: bool = False
    """It is stuck at an event it cannot take …"""
    is_due: bool = True
    """… and may be tried now."""
    reached: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to move a projection on until the transaction ends."""

    position: int
    head: int
    """Of the practice's record."""
    is_parked: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a record: the events of it that matter, and where the next one starts."""

    entries: list[StoredEntry]
    end: int


def news(database: Database, names: Sequence[str]) -> list[News]:
    """What is behind, of all practices. Positions only: no content is read across practices."""
    rows = database.call(
        """SELECT h.practice_id, n.name, h.position - coalesce(p.position, 0),
            p.position IS NULL, k.position IS NOT NULL,
            k.position IS NULL OR k.retry_at <= clock_timestamp(), coalesce(p.position, 0)
        FROM record.head AS h
        CROSS JOIN unnest(%s::text[]) AS n(name)
        LEFT JOIN projection.position AS p
            ON p.practice_id = h.practice_id AND p.name = n.name
        LEFT JOIN projection.parked AS k
            ON k.practice_id = h.practice_id AND k.name = n.name
        WHERE h.log = 'record' AND h.position > coalesce(p.position, 0)
        ORDER BY 3 DESC, 1, 2""",
        (list(names),),
    )
    return [News(*row) for row in rows]


def position(database: Database, practice_id: UUID, name: str) -> int:
    """How far a projection has come, as its readers see it; one statement, as people wait on it."""
    rows = database.call(
        "SELECT position FROM projection.position WHERE practice_id = %s AND name = %s",
        (practice_id, name),
    )
    return cast("int", rows[0][0]) if rows else 0


def begin(database: Database, practice_id: UUID, name: str) -> None:
    """Makes the row to be claimed; by itself, so that nobody waits for another's first batch."""
    with database.practice(practice_id) as connection:
        connection.execute(
            """INSERT INTO projection.position (name) VALUES (%s)
            ON CONFLICT (practice_id, name) DO NOTHING""",
            (name,),
        )


def claim(
    connection: Connection[Row], practice_id: UUID, name: str, *, wait: bool = False
) -> Claim | None:
    """Takes the right to move a projection on until the transaction ends.

    None if somebody else has it and we do not wait for it, or if the projection is parked and not
    to be tried yet.
    """
    claims = claim_all(connection, practice_id, [name], wait=wait)
    return claims[0] if claims else None


def claim_all(
    connection: Connection[Row], practice_id: UUID, names: Sequence[str], *, wait: bool = False
) -> list[Claim]:
    """The same for several projections: those of them that are to be had."""
    text = _CLAIM if wait else _CLAIM + " SKIP LOCKED"
    claimed = connection.execute(text, (practice_id, list(names)), binary=True)
    return [Claim(*row) for row in claimed]


# In the order of their names, as whoever waits takes them one after the other.
_CLAIM: LiteralString = """SELECT p.position, h.position, k.position IS NOT NULL
    FROM projection.position AS p
    JOIN record.head AS h ON h.practice_id = p.practice_id AND h.log = 'record'
    LEFT JOIN projection.parked AS k ON k.practice_id = p.practice_id AND k.name = p.name
    WHERE p.practice_id = %s AND p.name = ANY (%s)
        AND (k.position IS NULL OR k.retry_at <= clock_timestamp())
    ORDER BY p.name FOR UPDATE OF p"""


def advance(connection: Connection[Row], practice_id: UUID, names: Sequence[str], to: int) -> None:
    """Says how far the rows now reach; in the transaction that wrote them."""
    connection.execute(
        "UPDATE projection.position SET position = %s WHERE practice_id = %s AND name = ANY (%s)",
        (to, practice_id, list(names)),
    )


def set_back(database: Database, practice_id: UUID, name: str, to: int) -> bool:
    """Goes back to an earlier position, once nobody is at it. False if it is not that far yet."""
    with database.practice(practice_id) as connection:
        found = connection.execute(
            """UPDATE projection.position SET position = %s
            WHERE practice_id = %s AND name = %s AND position >= %s""",
            (to, practice_id, name, to),
        )
        return found.rowcount > 0


def ahead(
    connection: Connection[Row],
    practice_id: UUID,
    types: Sequence[str],
    span: tuple[int, int],
    limit: int = BATCH,
) -> Span:
    """The next events of some types, after the first position and up to the last.

    Positions have no holes and commit in order, so nothing can appear later between the two.
    """
    after, head = span
    found = entries(
        connection.execute(_AHEAD, (practice_id, after, head, list(types), limit), binary=True)
    )
    return Span(found, max(head, after) if len(found) < limit else found[-1].id)


_AHEAD = f"""SELECT {COLUMNS} FROM record.event
    WHERE practice_id = %s AND log = 'record' AND position > %s AND position <= %s
        AND type = ANY (%s)
    ORDER BY position LIMIT %s"""  # noqa: S608 - the columns are a constant

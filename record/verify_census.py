"""Was every client's count true that was ever signed? Counted again, from the first entry on."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from psycopg import Connection

from record.census import Census
from record.checkpoint import BadNote, VerifyKey
from record.database import Row
from record.faults import Fault, Kind, Tampered
from record.seals import SignedCensus, censuses

CHUNK: Final = 50_000
"""Positions per read."""


def verify_censuses(
    connection: Connection[Row], key: VerifyKey, practice_id: UUID, log: str
) -> int:
    """Checks the censuses of a log whose rows were verified before; how many there are.

    Raises `Tampered`.
    """
    recount, counted = Census(), 0
    found = censuses(connection, practice_id, log)
    for census in found:
        for subject, leaf in _entries(connection, practice_id, log, counted, census.size):
            recount.take(subject, leaf)
        counted = census.size
        _check(census, key, recount.root, log)
    return len(found)


def _check(census: SignedCensus, key: VerifyKey, root: bytes, log: str) -> None:
    try:
        signed = key.open(census.note)
    except BadNote as error:
        detail = f"the census at {census.size}: {error}"
        raise Tampered(Fault(log, Kind.FORGED, 1, census.size, detail)) from error
    if (signed.size, signed.root) != (census.size, census.root):
        detail = f"the census at {census.size} is another's"
        raise Tampered(Fault(log, Kind.FORGED, 1, census.size, detail))
    if census.root != root:
        detail = f"the census signed at {census.size} says otherwise than the log of whom they are"
        raise Tampered(Fault(log, Kind.MISCOUNTED, 1, census.size, detail))


def _entries(
    connection: Connection[Row], practice_id: UUID, log: str, after: int, until: int
) -> Iterator[tuple[UUID, bytes]]:
    for start in range(after, until, CHUNK):
        span = (practice_id, log, start, min(start + CHUNK, until))
        yield from connection.execute(_ENTRIES, span, binary=True).fetchall()


_ENTRIES: Final = """SELECT subject, leaf_hash FROM record.event
    WHERE practice_id = %s AND log = %s AND position > %s AND position <= %s
        AND subject IS NOT NULL
    ORDER BY position"""

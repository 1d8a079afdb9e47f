"""Was every client's count true that was ever signed? Counted again, from the first entry on."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from psycopg import Connection

from record.census import Census
from record.checkpoint import BadNote, Checkpoint, VerifyKey
from record.database import Row
from record.faults import Fault, Kind, Tampered
from record.seals import censuses
from record.stored_log import StoredLog
from record.verify import Held, Watch

CHUNK: Final = 50_000
"""Positions per read."""


def verify_censuses(
    connection: Connection[Row],
    key: VerifyKey,
    place: tuple[UUID, str],
    held: Sequence[Held] = (),
    watch: Watch = lambda _: None,
) -> int:
    """Checks the censuses of a practice's log whose rows were verified before; how many there are.

    Those that witnesses hold count like those in the database: a row can be deleted, what a witness
    has cannot. Raises `Tampered`, `WitnessUnavailable`.
    """
    census, counted, log = Census(), 0, place[1]
    signed = {**_kept(connection, key, place), **_witnessed(held, log)}
    end = StoredLog(connection, *place).end()
    for one in sorted(signed, key=lambda one: one.size):
        if one.size > end:
            detail = f"{signed[one]} was signed at {one.size}"
            raise Tampered(Fault(log, Kind.CUT, end + 1, one.size, detail))
        for subject, leaf in _entries(connection, place, counted, one.size):
            census.take(subject, leaf)
        counted = one.size
        if one.root != census.root:
            detail = f"{signed[one]} says otherwise than the log of whom they are"
            raise Tampered(Fault(log, Kind.MISCOUNTED, 1, one.size, detail))
        watch(counted)
    return len(signed)


def _kept(
    connection: Connection[Row], key: VerifyKey, place: tuple[UUID, str]
) -> dict[Checkpoint, str]:
    """The censuses in the database, each with what it is called."""
    found = {}
    for census in censuses(connection, *place):
        name = f"the census at {census.size}"
        try:
            signed = key.open(census.note)
        except BadNote as error:
            raise _forged(place[1], census.size, f"{name}: {error}") from error
        if (signed.size, signed.root) != (census.size, census.root):
            raise _forged(place[1], census.size, f"{name} is another's")
        found[signed] = name
    return found


def _witnessed(held: Sequence[Held], log: str) -> dict[Checkpoint, str]:
    """The censuses that witnesses hold, each with what it is called."""
    found = {}
    for one in held:
        for number in range(one.count):
            try:
                signed = one.read(number)
            except BadNote as error:
                raise _forged(log, 1, f"a census that {one.witness.name} holds: {error}") from error
            found[signed] = f"the census at {signed.size} that {one.witness.name} holds"
    return found


def _forged(log: str, size: int, detail: str) -> Tampered:
    return Tampered(Fault(log, Kind.FORGED, 1, size, detail))


def _entries(
    connection: Connection[Row], place: tuple[UUID, str], after: int, until: int
) -> Iterator[tuple[UUID, bytes]]:
    for start in range(after, until, CHUNK):
        span = (*place, start, min(start + CHUNK, until))
        yield from connection.execute(_ENTRIES, span, binary=True).fetchall()


_ENTRIES: Final = """SELECT subject, leaf_hash FROM record.event
    WHERE practice_id = %s AND log = %s AND position > %s AND position <= %s
        AND subject IS NOT NULL
    ORDER BY position"""

"""Which projections are stuck at an event, in which practices, and when is it tried again?

An event that a projection cannot take is parked: that projection of that practice waits, longer
each time, and everything else goes on. Nothing is ever skipped. All projectors see the same rows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import Connection

from record.database import Database, Row

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
"""Seconds between two tries at an event that a projection could not take."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A projection of a practice that is stuck. Names the event and the error, no content."""

    practice_id: UUID
    name: str
    position: int
    event_type: str
    error: str
    """The error's class: its text may quote the event."""
    failures: int
    """How often the event has been tried."""
    retry_at: datetime


def park(
    connection: Connection[Row], name: str, position: int, event_type: str, error: Exception
) -> Parked:
    """Notes one more failure, in the transaction that has claimed the projection."""
    (row,) = connection.execute(
        """INSERT INTO projection.parked AS p (name, position, type, error, retry_at)
        VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))
        ON CONFLICT (practice_id, name) DO UPDATE SET
            position = excluded.position, type = excluded.type, error = excluded.error,
            failures = p.failures + 1,
            retry_at = clock_timestamp()
                + make_interval(secs => least(%s, %s * power(2, least(p.failures, 30))))
        RETURNING practice_id, name, position, type, error, failures, retry_at""",
        (
            name,
            position,
            event_type,
            type(error).__name__,
            FIRST_PAUSE,
            LONGEST_PAUSE,
            FIRST_PAUSE,
        ),
    ).fetchall()
    return Parked(*row)


def unpark(connection: Connection[Row], practice_id: UUID, name: str) -> None:
    """Forgets the failures; in the transaction in which the event was taken after all."""
    connection.execute(
        "DELETE FROM projection.parked WHERE practice_id = %s AND name = %s", (practice_id, name)
    )


def retry_now(database: Database, practice_id: UUID, name: str) -> bool:
    """Lets the next projector that looks try again; false if nothing is parked there."""
    with database.practice(practice_id) as connection:
        found = connection.execute(
            """UPDATE projection.parked SET retry_at = clock_timestamp()
            WHERE practice_id = %s AND name = %s""",
            (practice_id, name),
        )
        return found.rowcount > 0


def parked(database: Database) -> list[Parked]:
    """All that is stuck, of all practices."""
    rows = database.call(
        """SELECT practice_id, name, position, type, error, failures, retry_at
        FROM projection.parked ORDER BY name, practice_id"""
    )
    return [Parked(*row) for row in rows]

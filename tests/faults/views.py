"""Is what people see what the record says, once everything has been caught up with?"""

from collections.abc import Sequence

import psycopg

from deploy.wiring import Parts
from projections.all import NAMES, all_projections
from projections.base import Projection
from projections.rebuild import Rebuild
from record.database import Database
from record.practice import Practices
from tests.faults.checker import Objection
from tests.support.record import Record

_BEHIND = """SELECT count(*) FROM record.head AS h
    CROSS JOIN unnest(%s::text[]) AS n(name)
    LEFT JOIN projection.position AS p ON p.practice_id = h.practice_id AND p.name = n.name
    WHERE h.log = 'record' AND h.position > coalesce(p.position, 0)"""


def of_record(record: Record) -> list[Objection]:
    """Compares every projection with a rebuild, row by row."""
    projections = all_projections(record.keys, record.practices)
    return _objections(record.ready.admin_url, record.database, record.practices, projections)


def of_parts(admin_url: str, parts: Parts) -> list[Objection]:
    """The same for the parts that the program is made of."""
    platform = parts.platform
    projections = all_projections(parts.keys, platform.practices)
    return _objections(admin_url, platform.database, platform.practices, projections)


def have_caught_up(admin_url: str) -> bool:
    """Whether every projection of every practice has reached the end of its record."""
    with psycopg.connect(admin_url) as connection:
        row = connection.execute(_BEHIND, [list(NAMES.values())]).fetchone()
    return row == (0,)


def _objections(
    admin_url: str, database: Database, practices: Practices, projections: Sequence[Projection]
) -> list[Objection]:
    found = []
    for projection in projections:
        with Rebuild(admin_url, database, practices, projection) as beside:
            found += [
                Objection("projection", f"{one.what} in {projection.name}, key {one.key}")
                for one in beside.differences()
            ]
    return found

"""Do many projectors share the practices, and lose and repeat nothing when one is killed?"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from projections.compare import Difference
from projections.rebuild import Rebuild
from tests.support.projections import Desk, Shown
from tests.workers.test_projector import busy, until


@contextmanager
def projecting(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A projector in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.workers.projecting", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        yield process
    finally:
        process.communicate()


def differences(shown: Shown) -> list[Difference]:
    """Of all projections, from what a rebuild would make of the same record."""
    found: list[Difference] = []
    for projection in shown.projections:
        with Rebuild(
            shown.record.ready.admin_url, shown.record.database, shown.record.practices, projection
        ) as beside:
            found += beside.differences()
    return found


def is_caught_up(shown: Shown) -> bool:
    return not shown.record.admin(
        """SELECT h.practice_id FROM record.head AS h CROSS JOIN unnest(%s::text[]) AS n(name)
        LEFT JOIN projection.position AS p
            ON p.practice_id = h.practice_id AND p.name = n.name
        WHERE h.log = 'record' AND h.position > coalesce(p.position, 0)""",
        ([projection.name for projection in shown.projections],),
    )


def test_processes_share_the_practices_and_one_is_killed_among_them(shown: Shown) -> None:
    desks = [shown.here, shown.there]
    desks += [Desk(shown.record, shown.record.new_practice()) for _ in range(4)]
    url = shown.record.ready.app_url
    with projecting(url, "2") as killed, projecting(url, "2"):
        for desk in desks:
            busy(desk, clients=2)
        killed.send_signal(signal.SIGKILL)
        for desk in desks:
            busy(desk, clients=1)
        until(lambda: is_caught_up(shown))
    assert killed.returncode == -signal.SIGKILL
    assert differences(shown) == []

"""What if a disk answers with an error, or a process dies, at the very call that should keep it?"""

import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from deploy.database import Database
from deploy.postgres_running import revived
from tests.faults import seals, views
from tests.faults.checker import judge
from tests.faults.clerks import answers_again, clerks_at_work, until, workers_at_work
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.faults.server import Server, children
from tests.support.record import record_on

pytestmark = pytest.mark.serial

FAULTS = (
    ("fdatasync", "error=EIO"),  # the WAL is not durable
    ("pwrite64", "signal=KILL"),  # before a page of the WAL or of a table is written
    ("pwrite64", "error=EIO"),
    ("fdatasync", "signal=KILL"),
)
ROUNDS = times(2, 40)
CRASHED = re.compile(r"PANIC:|was terminated by signal")


@contextmanager
def failing(server: Server, call: str, how: str, trace: Path) -> Iterator[None]:
    """Injects a fault into the nth such system call of each of the server's processes."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    postmaster = server.postmaster()
    traced = [f"--attach={pid}" for pid in (postmaster, *children(postmaster))]
    inject = [f"--trace={call}", f"--inject={call}:{how}"]
    process = subprocess.Popen(
        [strace, "-f", *traced, *inject, "-o", trace],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        if "ptrace" in said:
            process.wait()
            pytest.skip(f"strace may not attach to the server: {said.strip()}")
        yield
    finally:
        process.terminate()
        process.communicate()


def has_crashed(server: Server, said: int) -> bool:
    """Whether the server has spoken of a crash, after what it had said before."""
    return CRASHED.search(server.log()[said:]) is not None


def test_whatever_call_fails_nothing_acknowledged_is_lost(
    server: Server, durable: Database, tmp_path: Path
) -> None:
    history, dice, recovery = History(), random.Random(11), [0.0]
    with record_on(durable) as record, revived(server.cluster):
        with workers_at_work(record), clerks_at_work(record, history, 4):
            for number in range(ROUNDS):
                call, how = FAULTS[number % len(FAULTS)]
                until(partial(history.has, history.answered + 100))
                said = len(server.log())
                nth = dice.randint(1, 50)
                with failing(server, call, f"{how}:when={nth}", tmp_path / "trace"):
                    until(partial(has_crashed, server, said))
                    crashed = monotonic()
                recovery.append(answers_again(history, crashed))
        found = judge(
            history,
            durable.admin_url,
            lambda: views.of_record(record),
            lambda: seals.objections(record),
        )
    conclude("write fails", history, found, ROUNDS, max(recovery))
    assert history.hits >= ROUNDS, "no fault met anybody"

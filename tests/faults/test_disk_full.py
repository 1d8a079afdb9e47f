"""What does a full disk do to the record, and is all well again by itself once there is room?"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from uuid import uuid4

import psycopg
import pytest

from deploy.database import Database
from deploy.postgres_running import revived
from domain.kernel.ids import derived
from gateways.kms.simulator import SimulatedKms
from tests.faults import seals, views
from tests.faults.checker import judge
from tests.faults.clerks import answers_again, clerks_at_work, until, workers_at_work
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.faults.server import Server, folder_for_a_server, server_in
from tests.support.api import Api, Response, api_on, refusal
from tests.support.postgres import ROOT_KEY
from tests.support.record import record_on
from tests.support.states import details

pytestmark = pytest.mark.serial

MEGABYTE = 2**20
DISK = 256 * MEGABYTE
FULL = times(2, 10)
"""How often the disk is filled."""
RECOVERS_WITHIN = 30


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder with a file system of its own, in memory."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own is mounted by root only")
    with folder_for_a_server() as folder:
        place = folder / "data"
        place.mkdir(mode=0o711)
        options = f"size={DISK},mode=0711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", place], check=True)


@pytest.fixture
def cramped(small_disk: Path) -> Iterator[Server]:
    """A server whose data lie on the small disk."""
    with server_in(small_disk) as server:
        server.start()
        with revived(server.cluster):
            yield server


def fill(disk: Path) -> Path:
    """Takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def has_crashed(ready: Database) -> bool:
    """Has the server go on in a new file of its WAL; true once that has been the end of it.

    Its own log does not tell: it finds no room either.
    """
    try:
        with psycopg.connect(ready.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_logical_emit_message(false, 'test', 'more')")
            connection.execute("SELECT pg_switch_wal()")
    except psycopg.OperationalError as error:
        return not isinstance(error, psycopg.errors.DiskFull)
    return False


def register(api: Api, history: History) -> Response:
    """A new client over HTTP."""
    by, key = api.demo.clinician, str(uuid4())
    command_id = derived(by.practice_id, "command", str(by.member_id), key)
    operation = history.invoke(by.practice_id, command_id)
    answer = by.post("/v1/clients", details(), key=key)
    if answer.is_success:
        history.acknowledged(operation, answer.json()["position"])
    else:
        history.unanswered(operation)
    return answer


def is_refused(api: Api, history: History) -> bool:
    """Whoever asks is told to try again, or served: nothing else goes wrong."""
    answer = register(api, history)
    if answer.is_success:
        return False
    refusal(answer, 503, "database_unavailable")
    return True


def test_on_a_full_disk_writes_are_refused_and_afterwards_all_goes_on(
    small_disk: Path, cramped: Server
) -> None:
    history, recovery = History(), [0.0]
    kms = SimulatedKms(ROOT_KEY)  # the application's own, as both use the same practices
    with cramped.database() as ready, record_on(ready, kms=kms) as record, api_on(ready) as api:
        with workers_at_work(record), clerks_at_work(record, history, 4):
            for number in range(FULL):
                until(partial(history.has, history.answered + 200))
                filler = fill(small_disk / "data")
                hits = history.hits
                if number % 2:
                    until(partial(has_crashed, ready))
                else:
                    until(partial(is_refused, api, history))
                until(lambda hits=hits: history.hits > hits)  # type: ignore[misc]  # bound now
                filler.unlink()
                recovery.append(answers_again(history, monotonic()))
            until(lambda: register(api, history).is_success)
        found = judge(
            history,
            ready.admin_url,
            lambda: views.of_record(record),
            lambda: seals.objections(record),
        )
    conclude("disk full", history, found, FULL, max(recovery))
    assert max(recovery) < RECOVERS_WITHIN

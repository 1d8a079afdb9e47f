"""Does `palimpsest serve` start whole, stop clean, and refuse in one line?"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.postgres import Cluster

ROOT = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Start the program on this test's data; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start_one(**settings: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "PALIMPSEST_PORT": "0",
            "PALIMPSEST_DATA_DIR": str(data_dir),
            "PALIMPSEST_TESTING": "true",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.deploy.serve_stub", "serve"],
            env=environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    """Wait until it is ready; that line is the promise that it answers."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Palimpsest is ready at http://127.0.0.1:"), line
    assert process.stdout.readline() == "sign in as anybody\n"
    return line.split()[-1]


def answer(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  # our own address
        content: bytes = response.read()
        return content


def refusal(process: subprocess.Popen[str]) -> str:
    """The one line on standard error that a refused start leaves."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("palimpsest: ")
    assert err.count("\n") == 1
    return err.strip()


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_answers_once_ready_and_stops_everything_when_asked(
    start: Start, used_data_dir: Path, wanted: signal.Signals
) -> None:
    process = start()
    url = address(process)
    assert answer(url) == b'"here"'
    cluster = Cluster(used_data_dir, testing=True)
    assert cluster.is_running()
    process.send_signal(wanted)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == "application closed\n"
    assert err == ""
    assert not cluster.is_running()
    with pytest.raises(OSError, match="refused"):
        answer(url)


def test_the_terminals_interrupt_reaches_the_whole_group_and_all_stops_cleanly(
    start: Start, used_data_dir: Path
) -> None:
    process = start()
    address(process)
    for _ in range(3):  # an impatient person
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    log = (Cluster(used_data_dir, testing=True).home.folder / "log").read_text()
    assert "database system is shut down" in log


@pytest.mark.serial
def test_a_second_start_is_quick_and_keeps_the_database(start: Start, used_data_dir: Path) -> None:
    first = start()
    address(first)
    with psycopg.connect(Cluster(used_data_dir, testing=True).url()) as connection:
        connection.execute("CREATE TABLE public.kept (id int)")
    first.terminate()
    first.wait(timeout=30)
    took = []
    for _ in range(3):  # the quickest counts: the machine may be busy with something else
        began = time.monotonic()
        again = start()
        address(again)
        took.append(time.monotonic() - began)
        if took[-1] < 5:
            break
        again.terminate()
        again.wait(timeout=30)
    assert min(took) < 5
    with psycopg.connect(Cluster(used_data_dir, testing=True).url()) as connection:
        connection.execute("SELECT FROM public.kept")


def test_being_stopped_while_starting_leaves_no_server(start: Start, data_dir: Path) -> None:
    for delay in (0.8, 1.2, 1.6):
        process = start()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        # Not 0: it had not even got to handling signals.
        assert process.wait(timeout=30) in (0, 130, -signal.SIGINT)
        if data_dir.exists():
            assert not Cluster(data_dir, testing=True).is_running()
    address(start())  # and nothing half-made is in the way


def test_after_a_kill_the_next_start_takes_over_and_stops_what_was_left(
    start: Start, used_data_dir: Path
) -> None:
    killed = start()
    address(killed)
    killed.kill()
    killed.wait()
    cluster = Cluster(used_data_dir, testing=True)
    assert cluster.is_running()
    process = start()
    assert answer(address(process)) == b'"here"'
    process.terminate()
    process.wait(timeout=30)
    assert not cluster.is_running()


def test_a_port_in_use_is_told_before_anything_is_made(start: Start, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} on 127.0.0.1 cannot be used" in refusal(start(PALIMPSEST_PORT=port))
    assert not data_dir.exists()


def test_a_folder_that_cannot_be_written_is_told(start: Start, data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o500)
    # Modes do not bind root; nobody can write here.
    folder = Path("/proc/palimpsest") if os.geteuid() == 0 else data_dir / "below"
    told = refusal(start(PALIMPSEST_DATA_DIR=str(folder)))
    assert str(folder) in told
    data_dir.chmod(0o700)


def test_a_missing_root_key_is_told_and_none_is_made(start: Start, used_data_dir: Path) -> None:
    first = start()
    address(first)
    first.terminate()
    first.wait(timeout=30)
    (used_data_dir / "root.key").rename(used_data_dir / "lost")
    assert "root.key is missing" in refusal(start())
    assert not (used_data_dir / "root.key").exists()
    (used_data_dir / "lost").rename(used_data_dir / "root.key")
    address(start())


def test_a_database_of_a_newer_release_is_told(start: Start, used_data_dir: Path) -> None:
    first = start()
    address(first)
    with psycopg.connect(Cluster(used_data_dir, testing=True).url()) as connection:
        connection.execute(
            "INSERT INTO deploy.migration (number, name, checksum) VALUES (9001, '9001_new', '')"
        )
    first.terminate()
    first.wait(timeout=30)
    assert "migrated by a newer release" in refusal(start())
    assert not Cluster(used_data_dir, testing=True).is_running()


def test_another_server_that_does_not_answer_is_told(start: Start, data_dir: Path) -> None:
    url = "postgresql://somebody:hush@127.0.0.1:1/none"
    told = refusal(start(PALIMPSEST_DATABASE_URL=url))
    assert "the database cannot be reached" in told
    assert "hush" not in told
    assert not data_dir.exists()


def test_a_wrong_setting_is_told(start: Start) -> None:
    assert "PALIMPSEST_PORT" in refusal(start(PALIMPSEST_PORT="eighty"))
    assert "PALIMPSEST_POOLSIZE is not a setting" in refusal(start(PALIMPSEST_POOLSIZE="3"))


def test_an_application_that_does_not_start_takes_the_server_down_with_it(
    start: Start, used_data_dir: Path
) -> None:
    process = start(PALIMPSEST_TEST_BROKEN_APP="yes")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.splitlines()[-1] == ("palimpsest: the application did not start; its log says why")
    assert not Cluster(used_data_dir, testing=True).is_running()

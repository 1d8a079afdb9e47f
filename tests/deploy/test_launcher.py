"""Does the embedded PostgreSQL start, survive, get shared and get stopped as it should?"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from deploy.postgres import Cluster
from deploy.postgres_running import revived
from deploy.refusal import Refusal

JOIN = """
import sys
from pathlib import Path
from deploy.postgres import Cluster
with Cluster(Path(sys.argv[1]), testing=True).joined():
    print("joined", flush=True)
    sys.stdin.read()
"""


def joined_process(data_dir: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", JOIN, data_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"joined\n"
    return process


def leave(process: subprocess.Popen[bytes]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def server_pid(cluster: Cluster) -> int:
    return int((cluster.home.data / "postmaster.pid").read_text().split()[0])


def write(cluster: Cluster, number: int) -> None:
    with psycopg.connect(cluster.url("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def read(cluster: Cluster) -> list[int]:
    with psycopg.connect(cluster.url("postgres")) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY 1")]


@pytest.mark.serial
def test_a_second_start_keeps_the_data_and_is_quick(own_cluster: Cluster, data_dir: Path) -> None:
    own_cluster.start()
    write(own_cluster, 1)
    own_cluster.stop()
    assert not own_cluster.is_running()
    again = Cluster(data_dir, testing=True)
    began = time.monotonic()
    again.start()
    assert time.monotonic() - began < 5
    assert read(again) == [1]


def test_starting_twice_or_stopping_twice_changes_nothing(own_cluster: Cluster) -> None:
    own_cluster.start()
    pid = server_pid(own_cluster)
    own_cluster.start()
    assert server_pid(own_cluster) == pid
    own_cluster.stop()
    with pytest.raises(ProcessLookupError):  # not even as a zombie
        os.kill(pid, 0)
    own_cluster.stop()


def test_a_killed_server_starts_again_with_all_that_was_committed(data_dir: Path) -> None:
    cluster = Cluster(data_dir)  # durable, as in a clinic
    cluster.start()
    for number in range(5):
        write(cluster, number)
        os.kill(server_pid(cluster), signal.SIGKILL)
        cluster.start()
    assert read(cluster) == [0, 1, 2, 3, 4]


def test_a_server_that_dies_while_it_is_used_is_started_again(used_data_dir: Path) -> None:
    cluster = Cluster(used_data_dir, testing=True)
    with cluster.joined(), revived(cluster):
        killed = server_pid(cluster)
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not cluster.is_running() or server_pid(cluster) == killed:
            assert time.monotonic() < deadline, "nobody has started it"
            time.sleep(0.05)
        cluster.start()  # which waits until it answers
        write(cluster, 6)
        assert read(cluster) == [6]
    assert not cluster.is_running(), "whoever leaves last still stops it"


def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(own_cluster: Cluster) -> None:
    own_cluster.start()
    write(own_cluster, 7)
    pid_file = own_cluster.home.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    own_cluster.stop()
    stranger = subprocess.Popen(["sleep", "60"], user=own_cluster.home.data.stat().st_uid)
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert not own_cluster.is_running()
        own_cluster.start()
        assert read(own_cluster) == [7]
    finally:
        stranger.kill()
        stranger.wait()


def test_the_last_one_to_leave_stops_the_server(used_data_dir: Path) -> None:
    cluster = Cluster(used_data_dir, testing=True)
    first = joined_process(used_data_dir)
    second = joined_process(used_data_dir)
    pid = server_pid(cluster)
    leave(first)  # though it was the one that started the server
    assert cluster.is_running()
    with cluster.joined():
        leave(second)
        assert server_pid(cluster) == pid
    assert not cluster.is_running()


def test_a_server_left_behind_by_a_kill_is_adopted(used_data_dir: Path) -> None:
    cluster = Cluster(used_data_dir, testing=True)
    killed = joined_process(used_data_dir)
    pid = server_pid(cluster)
    killed.kill()
    killed.communicate()
    assert cluster.is_running()
    with cluster.joined():
        assert server_pid(cluster) == pid
    assert not cluster.is_running()


def test_the_terminal_cannot_reach_the_server(own_cluster: Cluster) -> None:
    own_cluster.start()
    assert os.getsid(server_pid(own_cluster)) != os.getsid(0)


def test_only_the_owner_reaches_the_server_and_only_with_the_password(
    own_cluster: Cluster, data_dir: Path
) -> None:
    own_cluster.start()
    with psycopg.connect(own_cluster.url("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
    assert (data_dir / "postgres.password").stat().st_mode & 0o777 == 0o600
    assert own_cluster.home.folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(own_cluster.url("postgres"), password="guess")


def test_durability_is_on_unless_testing(data_dir: Path) -> None:
    cluster = Cluster(data_dir)
    cluster.start()
    with psycopg.connect(cluster.url("postgres")) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            assert row == ("on",), setting


def test_no_text_of_a_record_reaches_the_servers_log(own_cluster: Cluster) -> None:
    own_cluster.start()
    with psycopg.connect(own_cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE chart (text text UNIQUE CHECK (text <> 'canary-1'))")
        connection.execute("INSERT INTO chart VALUES ('canary-2')")
        for text in ("canary-1", "canary-2"):
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute("INSERT INTO chart VALUES (%s)", [text])
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELECT canary 3 4")
    log = (own_cluster.home.folder / "log").read_text()
    assert "ERROR:" in log
    assert "canary-" not in log
    assert "SELECT" not in log


def test_a_long_path_gets_its_socket_elsewhere(data_dir: Path) -> None:
    cluster = Cluster(data_dir / ("long" * 30), testing=True)
    cluster.start()
    try:
        write(cluster, 1)
        assert read(cluster) == [1]
        elsewhere = cluster._socket_folder()
        assert elsewhere.stat().st_mode & 0o777 == 0o700
    finally:
        cluster.stop()
    assert not elsewhere.exists()


def test_two_data_directories_have_two_servers(data_dir: Path) -> None:
    one, other = Cluster(data_dir / "one", testing=True), Cluster(data_dir / "other", testing=True)
    with one.joined(), other.joined():
        write(one, 1)
        write(other, 2)
        assert (read(one), read(other)) == ([1], [2])
        assert server_pid(one) != server_pid(other)


def test_data_of_another_postgresql_are_refused(own_cluster: Cluster) -> None:
    own_cluster.start()
    own_cluster.stop()
    (own_cluster.home.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(Refusal, match="made by PostgreSQL 17, not 18"):
        own_cluster.start()


def test_a_lost_password_is_told(own_cluster: Cluster, data_dir: Path) -> None:
    own_cluster.start()
    (data_dir / "postgres.password").unlink()
    with pytest.raises(Refusal, match=r"postgres\.password is gone"):
        own_cluster.url()


def test_the_servers_own_reason_is_told_when_it_does_not_start(own_cluster: Cluster) -> None:
    own_cluster.start()
    own_cluster.stop()
    (own_cluster.home.data / "postgresql.conf").write_text("work_mem = nonsense\n")
    with pytest.raises(Refusal, match=r"PostgreSQL did not start: .*errors"):
        own_cluster.start()
    assert not own_cluster.is_running()

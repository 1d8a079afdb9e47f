"""Is a cluster made whole or not at all, and found again where it was put?"""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from deploy import postgres_home
from deploy.postgres import Cluster
from deploy.postgres_home import Home, ServerUser, settle
from deploy.postgres_init import initialise
from deploy.postgres_process import run_program
from deploy.refusal import Refusal

FULL_DISK = """#!/bin/sh
while [ "$1" != --pgdata ]; do shift; done
mkdir "$2" && echo 18 > "$2/PG_VERSION"
echo 'creating directory ... ok'
echo 'initdb: error: could not write to file "pg_wal": No space left on device' >&2
echo 'initdb: removing data directory' >&2
exit 1
"""


class ShutOut(ServerUser):
    """A user who cannot walk anywhere, as `nobody` in root's home directory."""

    def can(self, test: str, path: Path) -> bool:  # noqa: ARG002  # whatever is asked: no
        return False


@pytest.fixture
def shut_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShutOut:
    monkeypatch.setattr(postgres_home, "VAR_LIB", tmp_path / "lib")
    monkeypatch.setattr(postgres_home, "VAR_CACHE", tmp_path / "cache")
    return ShutOut(os.geteuid(), os.getegid())


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "initdb").write_text(FULL_DISK)
    (programs / "initdb").chmod(0o755)
    home = Home(tmp_path / "data" / "postgres", programs, None)
    home.folder.mkdir(parents=True)
    with pytest.raises(Refusal, match="No space left on device"):
        initialise(home, tmp_path / "data" / "postgres.password", "admin", sync=False)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_cluster_half_made_before_a_crash_is_made_anew(data_dir: Path) -> None:
    cluster = Cluster(data_dir, testing=True)
    half_made = cluster.home.folder / "data.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    cluster.start()
    assert cluster.is_running()
    assert not half_made.exists()


def test_a_folder_that_cannot_be_written_is_told(data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o500)
    # Modes do not bind root; nobody can write here.
    folder = Path("/proc/palimpsest") if os.geteuid() == 0 else data_dir / "below"
    with pytest.raises(OSError, match=r"Permission denied|No such file"):
        Cluster(folder, testing=True).start()
    data_dir.chmod(0o700)


def test_data_that_the_server_cannot_reach_lie_elsewhere_and_are_found_again(
    tmp_path: Path, shut_out: ShutOut
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    folder = postgres_home._folder(data_dir, shut_out)
    assert folder.parent == tmp_path / "lib"
    assert postgres_home._folder(data_dir, shut_out) == folder


def test_two_data_directories_never_share_a_folder(tmp_path: Path, shut_out: ShutOut) -> None:
    folders = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folders.add(postgres_home._folder(tmp_path / name, shut_out))
    shutil.rmtree(tmp_path / "one")  # and made anew: it starts empty, not on the old data
    (tmp_path / "one").mkdir()
    folders.add(postgres_home._folder(tmp_path / "one", shut_out))
    assert len(folders) == 3


def test_a_copied_data_directory_is_refused_and_a_moved_one_goes_on(
    tmp_path: Path, shut_out: ShutOut
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    folder = postgres_home._folder(first, shut_out)
    shutil.copytree(first, second)
    with pytest.raises(Refusal, match=r"second is a copy of .*first"):
        postgres_home._folder(second, shut_out)
    shutil.rmtree(second)
    first.rename(second)
    assert postgres_home._folder(second, shut_out) == folder
    assert postgres_home._folder(second, shut_out) == folder


def test_data_that_are_gone_are_not_replaced_by_an_empty_database(
    tmp_path: Path, shut_out: ShutOut
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    shutil.rmtree(postgres_home._folder(data_dir, shut_out))
    with pytest.raises(Refusal, match="is gone"):
        postgres_home._folder(data_dir, shut_out)


def test_programs_that_the_server_cannot_reach_are_copied_with_their_libraries(
    tmp_path: Path, shut_out: ShutOut
) -> None:
    copied = postgres_home._programs(shut_out)
    assert copied.is_relative_to(tmp_path / "cache")
    assert postgres_home._programs(shut_out) == copied
    assert not list((tmp_path / "cache").glob(".*"))
    everyone_may = {path.stat().st_mode & 0o555 for path in (tmp_path / "cache").rglob("*")}
    assert everyone_may <= {0o555, 0o444}
    # Their libraries are found: they run from there.
    done = run_program(Home(tmp_path, copied, None), "psql", "--version")
    assert done.stdout.startswith("psql (PostgreSQL) 18.")


def test_root_runs_the_server_as_the_owner_of_the_data(data_dir: Path) -> None:
    data_dir.mkdir()
    user = postgres_home._server_user(data_dir / "postgres")
    assert user.uid == pwd.getpwnam("nobody").pw_uid
    if os.geteuid() == 0:
        inside = settle(data_dir).folder
        os.chown(inside, 12345, 12345)
        assert postgres_home._server_user(inside) == ServerUser(12345, 12345)
        os.chown(inside, 0, 0)


def test_another_users_database_is_refused_by_name(data_dir: Path) -> None:
    if os.geteuid() == 0:
        return  # root runs it as that user: the test above
    (data_dir / "postgres").parent.mkdir()
    (data_dir / "postgres").symlink_to("/etc")
    with pytest.raises(Refusal, match="belongs to user number 0"):
        settle(data_dir)

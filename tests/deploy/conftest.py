"""What do the tests of starting and stopping need?"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.database import find_kms
from deploy.migrate import migrate
from deploy.postgres import Cluster
from deploy.postgres_home import LOCATION
from deploy.refusal import Refusal
from deploy.settings import Settings


@contextmanager
def place() -> Iterator[Path]:
    """A data directory to be; whatever still runs in it afterwards is stopped."""
    # Not pytest's tmp_path: run by root, the server is another user and could not walk there.
    parent = Path(tempfile.mkdtemp(prefix="palimpsest-start-"))
    parent.chmod(0o711)
    folder = parent / "data"
    yield folder
    if (folder / "postgres").exists():
        with suppress(Refusal):  # a test may have made it unusable
            Cluster(folder, testing=True).stop()
    assert not (folder / LOCATION).exists(), "the data lie elsewhere and would be left there"
    shutil.rmtree(parent)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that does not exist yet."""
    with place() as folder:
        yield folder


@pytest.fixture(scope="session")
def made_before() -> Iterator[Path]:
    """A data directory after a first start, to copy: making one takes longer than most tests."""
    with place() as folder:
        cluster = Cluster(folder, testing=True)
        cluster.start()
        cluster.ensure_database()
        kms = find_kms(Settings(data_dir=folder), cluster.url())
        migrate(cluster.url(), kms, testing=True)
        cluster.stop()
        yield folder


@pytest.fixture
def used_data_dir(made_before: Path, data_dir: Path) -> Path:
    """A data directory after a first start."""
    subprocess.run(["cp", "-a", made_before, data_dir], check=True)  # keeps the server's user
    return data_dir


@pytest.fixture
def own_cluster(used_data_dir: Path) -> Cluster:
    """A cluster that a test may stop, kill and spoil."""
    return Cluster(used_data_dir, testing=True)

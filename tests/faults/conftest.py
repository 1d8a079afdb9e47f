"""What do the tests of faults need? A durable server of their own, to be killed and searched."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.database import Database
from deploy.migrate import app_url, migrate
from deploy.postgres import Cluster
from tests.support.postgres import KMS


class Server:
    """An embedded PostgreSQL as in production: fsync and all."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(folder)

    def start(self) -> Database:
        self.cluster.start()
        self.cluster.ensure_database()
        url = self.cluster.url()
        migrate(url, KMS)
        return Database(url, app_url(url, KMS), KMS)

    def kill(self) -> None:
        """Send kill -9 to the postmaster and its children; none gets to finish anything."""
        postmaster = int((self.cluster.home.data / "postmaster.pid").read_text().split()[0])
        # Stopped first, it starts nobody while the others are being counted.
        os.kill(postmaster, signal.SIGSTOP)
        for pid in [*_children(postmaster), postmaster]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(postmaster, 0)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The fields after the name, which stands in parentheses: state, parent, …
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    found.append(int(entry.name))
    return found


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, gone afterwards."""
    # Not pytest's tmp_path: run by root, the server is another user and could not walk there.
    parent = Path(tempfile.mkdtemp(prefix="palimpsest-faults-"))
    parent.chmod(0o711)
    made = Server(parent / "data")
    try:
        yield made
    finally:
        made.cluster.stop()
        shutil.rmtree(parent)

"""A durable PostgreSQL of the tests' own, to be killed, starved and searched."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from deploy.database import Database
from deploy.migrate import app_url, migrate
from deploy.postgres import Cluster
from tests.support.postgres import KMS

TEMPLATE = "template_faults"


class Server:
    """An embedded PostgreSQL as in production, fsync and all; a database for each test."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(folder / "data")

    def start(self) -> None:
        """Starts it, recovering from whatever happened."""
        self.cluster.start()

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A migrated, empty database."""
        self.start()
        if not self._has_template():
            self._administer("CREATE DATABASE {}", TEMPLATE)
            migrate(self.cluster.url(TEMPLATE), KMS)
        name = f"faults_{uuid4().hex}"
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, TEMPLATE)
        url = self.cluster.url(name)
        try:
            yield Database(url, app_url(url, KMS), KMS)
        finally:
            self.start()
            self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def postmaster(self) -> int:
        """The id of the server's first process."""
        return int((self.cluster.home.data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """Send kill -9 to the postmaster and its children; none gets to finish anything."""
        postmaster = self.postmaster()
        # Stopped first, it starts nobody while the others are being counted.
        os.kill(postmaster, signal.SIGSTOP)
        for pid in [*children(postmaster), postmaster]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(postmaster, 0)

    def log(self) -> str:
        """What the server has said so far."""
        return (self.cluster.home.folder / "log").read_text(errors="replace")

    def _has_template(self) -> bool:
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE])
            return found.fetchone() is not None

    def _administer(self, statement: str, *names: str) -> None:
        composed = sql.SQL(statement).format(*(sql.Identifier(name) for name in names))
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(composed)


def children(parent: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The fields after the name, which stands in parentheses: state, parent, …
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    found.append(int(entry.name))
    return found


@contextmanager
def folder_for_a_server() -> Iterator[Path]:
    """A folder that is gone afterwards, and that a server started by root may walk through."""
    parent = Path(tempfile.mkdtemp(prefix="palimpsest-faults-"))
    parent.chmod(0o711)
    try:
        yield parent
    finally:
        shutil.rmtree(parent)


@contextmanager
def server_in(folder: Path) -> Iterator[Server]:
    """A server, not yet started; stopped at the end."""
    made = Server(folder)
    try:
        yield made
    finally:
        made.cluster.stop()

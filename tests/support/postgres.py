"""Which PostgreSQL do the tests use, and how does each test get a database of its own?

One throw-away cluster for the whole run, whatever the number of pytest workers. The first to need
it starts it and migrates a template; a test's database is a copy of that template. A guardian
process waits for the run to end in any way, even by `kill -9`, then stops and removes the cluster.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.database import Database
from deploy.migrate import app_url, migrate
from deploy.postgres import Cluster
from gateways.kms.local import LocalKms

FOLDER_VARIABLE = "PALIMPSEST_TEST_CLUSTER"
ROOT_KEY = bytes(range(32))
KMS = LocalKms(ROOT_KEY)
TEMPLATE = "template_palimpsest"

GUARDIAN = """
import shutil, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
sys.stdin.read()  # returns when the run has ended
from deploy.postgres import Cluster
from tests.support import kafka
kafka.end_run(folder)
from gateways.kms.local import LocalKms
for _ in range(30):  # a worker killed while it made the cluster may leave a program at work
    if (folder / "postgres").exists():
        Cluster(folder, testing=True).stop()
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        break
    time.sleep(1)
"""


def begin_run() -> subprocess.Popen[bytes]:
    """Choose the run's folder, tell it to the workers to come, and set a guardian on it."""
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-tests-"))
    folder.chmod(0o711)  # run by root, the server is another user and must walk through
    os.environ[FOLDER_VARIABLE] = str(folder)
    return subprocess.Popen(
        [sys.executable, "-c", GUARDIAN, folder],
        stdin=subprocess.PIPE,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )


def end_run(guardian: subprocess.Popen[bytes]) -> None:
    guardian.communicate()
    os.environ.pop(FOLDER_VARIABLE, None)


def run_cluster() -> Cluster:
    """Start the run's cluster, unless another worker did."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    cluster = Cluster(folder, testing=True)
    with _locked(folder / "tests.lock"):
        if not cluster.is_running():
            cluster.start()
        _ensure_template(cluster)
    return cluster


@contextmanager
def new_database(cluster: Cluster, template: str = TEMPLATE) -> Iterator[Database]:
    """Yield a fresh copy of the template and drop it afterwards."""
    name = f"test_{uuid4().hex}"
    _administer(
        cluster,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )
    try:
        url = cluster.url(name)
        yield Database(url, app_url(url, KMS), KMS)
    finally:
        with suppress(psycopg.OperationalError):  # a test may have stopped the server
            _administer(
                cluster, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _ensure_template(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE])
        if found.fetchone() is not None:
            return
        connection.execute("CREATE DATABASE half_made")
    migrate(cluster.url("half_made"), KMS, testing=True)
    _administer(
        cluster,
        sql.SQL("ALTER DATABASE half_made RENAME TO {}").format(sql.Identifier(TEMPLATE)),
    )


def _administer(cluster: Cluster, statement: sql.Composed) -> None:
    url = make_conninfo(cluster.url("postgres"), application_name="tests")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock

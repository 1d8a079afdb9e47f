"""What do all tests share: a database each, and no skip that goes unnoticed?"""

import os
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from deploy.database import Database
from deploy.postgres import Cluster
from tests.support import kafka, postgres

# The machine may be busy: a slow example is no failure.
hypothesis.settings.register_profile("palimpsest", deadline=None, print_blob=True)
hypothesis.settings.load_profile("palimpsest")

_GUARDIAN = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    # Settings come from the environment; a developer's own must not leak into the tests.
    for name in [n for n in os.environ if n.startswith("PALIMPSEST_")]:
        if not name.startswith("PALIMPSEST_TEST_"):
            del os.environ[name]
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[_GUARDIAN] = postgres.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _GUARDIAN in config.stash:
        postgres.end_run(config.stash[_GUARDIAN])


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The run's PostgreSQL. A test that stops or kills a server makes one of its own instead."""
    return postgres.run_cluster()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """A migrated, empty database for one test."""
    with postgres.new_database(cluster) as made:
        yield made


@pytest.fixture(scope="module")
def module_database(cluster: Cluster) -> Iterator[Database]:
    """A migrated database that the tests of one module share."""
    with postgres.new_database(cluster) as made:
        yield made


@pytest.fixture(scope="session")
def kafka_address() -> str:
    """The run's Kafka, for tests that leave it running; each uses topics of its own."""
    try:
        return kafka.run_broker(Path(os.environ[postgres.FOLDER_VARIABLE]))
    except kafka.NoKafka as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[kafka.KafkaServer]:
    """A Kafka that the tests of one module may stop, kill and wipe."""
    folder = Path(tempfile.mkdtemp(prefix="kafka-", dir=os.environ[postgres.FOLDER_VARIABLE]))
    try:
        server = kafka.KafkaServer(folder)
    except kafka.NoKafka as missing:
        pytest.skip(str(missing))
    server.start()
    yield server
    server.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With CI=true whatever cannot run is a failure: a green run has run everything."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI=true allows no skip: {reason}"

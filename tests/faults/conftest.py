"""What do the tests of faults share? A durable server, a database of it for each, and a table."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from deploy.database import Database
from tests.faults import figures
from tests.faults.server import Server, folder_for_a_server, server_in

# Only `make faults` plants bugs: each takes a run of pytest of its own.
collect_ignore = [] if figures.LONG else ["test_seeded_bugs.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.COLLECTED:
        terminalreporter.section("faults")
        for line in figures.table():
            terminalreporter.line(line)
        if path := os.environ.get("PALIMPSEST_TEST_FAULTS_JSON"):
            figures.write(Path(path))


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    """Unconfigured, structlog paints each traceback, which takes longer than the outage."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all: each test kills it in the middle of its own database only."""
    with folder_for_a_server() as folder, server_in(folder) as made:
        yield made


@pytest.fixture
def durable(server: Server) -> Iterator[Database]:
    """An empty database on the durable server."""
    with server.database() as ready:
        yield ready

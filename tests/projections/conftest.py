"""What do the tests of projections share?"""

from collections.abc import Iterator

import pytest

from deploy.database import Database
from tests.support.projections import Shown, shown_on
from tests.support.record import record_on


@pytest.fixture
def shown(database: Database) -> Iterator[Shown]:
    """A database of the test's own, so that no other test's practice is moved on."""
    with record_on(database) as record:
        yield shown_on(record)


@pytest.fixture(scope="module")
def shared(module_database: Database) -> Iterator[Shown]:
    """For tests that only read what one of them wrote, or write into practices of their own."""
    with record_on(module_database) as record:
        yield shown_on(record)

"""What do the tests of workers share?"""

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

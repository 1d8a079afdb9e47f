"""What do the tests of the record share?"""

from collections.abc import Iterator

import pytest

from deploy.database import Database
from domain.kernel.ids import PracticeId
from tests.support.record import Record, record_on


@pytest.fixture(scope="module")
def record(module_database: Database) -> Iterator[Record]:
    """The parts of the record; tests of one module share them and make practices of their own."""
    with record_on(module_database) as parts:
        yield parts


@pytest.fixture
def practice_id(record: Record) -> PracticeId:
    """A new practice."""
    return record.new_practice()


@pytest.fixture
def other_id(record: Record) -> PracticeId:
    """Another new practice."""
    return record.new_practice()

"""What do the tests of the API share? One application, whose clients each test makes anew."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from deploy.postgres import Cluster
from tests.support import postgres
from tests.support.api import Api, Team, api_on


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    """Unconfigured, structlog paints each traceback: two seconds for each refusal of ours."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[Api]:
    """The application over one database. A test that breaks anything makes its own."""
    with postgres.new_database(cluster) as ready, api_on(ready) as made:
        yield made


@pytest.fixture
def demo(api: Api) -> Team:
    """The practice that most tests are about."""
    return api.demo


@pytest.fixture
def harbor(api: Api) -> Team:
    """The other practice."""
    return api.harbor

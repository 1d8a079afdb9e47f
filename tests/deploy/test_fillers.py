"""Do several processes make the same projection that one makes, and is a lost one told?"""

import os
import signal
from functools import partial
from typing import ClassVar

import psycopg
import pytest

from deploy.bench.filling import fill
from deploy.bench.kept import founded
from deploy.bench.where import Where
from deploy.database import Database
from deploy.fillers import Processes
from deploy.wiring import open_parts
from gateways.kms.local import LocalKms
from projections.all import all_projections
from projections.rebuild import Progress, Rebuild, RebuildRefused

KEY = bytes(range(32))


class Finely(Rebuild):
    """So that even a small practice is cut into parts."""

    part: ClassVar[int] = 100


@pytest.fixture(scope="module")
def where(module_database: Database) -> Where:
    """Some practices with charts, of which nothing is projected yet."""
    made = founded(module_database.admin_url, module_database.app_url, KEY)
    fill(made, 1_000, lambda _done, _total: None)
    return made


def test_together_they_fill_what_one_fills_alone(where: Where) -> None:
    fillers = Processes(where.admin_url, where.app_url, partial(LocalKms, KEY), count=2)
    told: list[Progress] = []
    with open_parts(where.app_url, LocalKms(KEY)) as parts:
        platform = parts.platform
        chart_view = all_projections(parts.keys, platform.practices)[1]
        given = (where.admin_url, platform.database, platform.practices, chart_view)
        with Finely(*given, told.append, fillers) as beside:
            events = beside.replace()
        assert told[-1] == Progress(events, events)
        with Rebuild(*given) as alone:
            assert list(alone.differences()) == []
            assert alone.events == events


def test_a_process_that_is_killed_is_told_and_leaves_the_tables_as_they_were(where: Where) -> None:
    fillers = Processes(where.admin_url, where.app_url, _killed_at_once, count=1)
    with open_parts(where.app_url, LocalKms(KEY)) as parts:
        platform = parts.platform
        chart_view = all_projections(parts.keys, platform.practices)[1]
        with (
            pytest.raises(RebuildRefused, match="nothing has changed"),
            Finely(
                where.admin_url, platform.database, platform.practices, chart_view, fillers=fillers
            ) as beside,
        ):
            beside.replace()
    with psycopg.connect(where.admin_url) as admin:
        left = admin.execute("SELECT FROM pg_class WHERE relnamespace = 'rebuild'::regnamespace")
        assert left.fetchall() == []


def _killed_at_once() -> LocalKms:
    os.kill(os.getpid(), signal.SIGKILL)
    return LocalKms(KEY)

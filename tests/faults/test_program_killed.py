"""Is anything acknowledged lost, or done twice, when the program is killed while people write?"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from deploy.database import Database
from deploy.wiring import open_parts
from tests.faults import views
from tests.faults.checker import judge
from tests.faults.clerks import PATIENCE, answers_again, until
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.faults.program import Clinician, Desk, Program, employ, program_on
from tests.faults.server import Server

pytestmark = pytest.mark.serial

KILLS = times(3, 55)
EACH_DATABASE = times(3, 11)
"""Every so many kills it is PostgreSQL's turn."""
BETWEEN = times(60, 150)
"""Acknowledged operations from one kill to the next."""
DESKS = 4
CONVERGES_WITHIN = 10.0
"""Seconds until the program, which still runs, shows all that is recorded."""


@contextmanager
def desks_at_work(program: Program, who: Clinician, history: History) -> Iterator[list[Desk]]:
    """Four windows of one clinician, until the block ends."""
    stop = Event()
    desks = [Desk(program, who, history, stop, seed) for seed in range(DESKS)]
    with ThreadPoolExecutor(DESKS) as pool:
        working = [pool.submit(desk.run) for desk in desks]
        try:
            yield desks
        finally:
            stop.set()
        for each in working:
            each.result(PATIENCE)


def has(history: History, count: int) -> bool:
    return history.answered >= count


def test_each_request_is_done_once_though_program_and_database_are_killed(
    server: Server, durable: Database, tmp_path: Path
) -> None:
    who, history, dice, recovery = employ(durable), History(), random.Random(3), [0.0]
    with program_on(durable, tmp_path) as program:
        with desks_at_work(program, who, history):
            for kill in range(1, KILLS + 1):
                until(partial(has, history, kill * BETWEEN))
                sleep(dice.uniform(0, 0.05))
                killed = monotonic()
                if kill % EACH_DATABASE:
                    program.kill()
                    program.start()
                else:
                    server.kill()
                    server.start()
                recovery.append(answers_again(history, killed))
            until(partial(has, history, (KILLS + 1) * BETWEEN))
        with open_parts(durable.app_url, durable.kms) as parts:
            until(lambda: views.have_caught_up(durable.admin_url), CONVERGES_WITHIN)
            found = judge(
                history, durable.admin_url, lambda: views.of_parts(durable.admin_url, parts)
            )
    conclude("program killed", history, found, KILLS, max(recovery))
    assert history.hits >= KILLS, "no kill met anybody"

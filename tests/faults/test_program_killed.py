"""Is anything acknowledged lost, or done twice, when the program is killed while people write?"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from time import monotonic, sleep

import pytest

from deploy.wiring import open_parts
from tests.faults import views
from tests.faults.checker import judge
from tests.faults.clerks import PATIENCE, answers_again, until
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.faults.program import Clinician, Desk, Program, a_program, employ

pytestmark = pytest.mark.serial

KILLS = times(3, 55)
EACH_DATABASE = times(3, 11)
"""Every so many kills it is PostgreSQL's turn."""
BETWEEN = times(60, 150)
"""Acknowledged operations from one kill to the next."""
DESKS = 4
ANSWERS_WITHIN = times(30, 10)
CONVERGES_WITHIN = times(30, 10)
"""Seconds from a kill to the next answer, and until the program shows all that is recorded."""


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


def test_each_request_is_done_once_though_program_and_database_are_killed() -> None:
    history, dice, recovery = History(), random.Random(3), [0.0]
    with a_program() as program:
        ready = program.database()
        who = employ(ready)
        with desks_at_work(program, who, history):
            for kill in range(1, KILLS + 1):
                until(partial(history.has, kill * BETWEEN))
                sleep(dice.uniform(0, 0.05))
                killed = monotonic()
                if kill % EACH_DATABASE:
                    program.kill()
                    program.start()
                else:
                    program.server.kill()  # the program itself starts it again
                recovery.append(answers_again(history, killed))
            until(partial(history.has, (KILLS + 1) * BETWEEN))
        with open_parts(ready.app_url, ready.kms) as parts:
            until(lambda: views.have_caught_up(ready.admin_url), CONVERGES_WITHIN)
            found = judge(history, ready.admin_url, lambda: views.of_parts(ready.admin_url, parts))
    conclude("program killed", history, found, KILLS, max(recovery))
    assert history.hits >= KILLS, "no kill met anybody"
    assert max(recovery) < ANSWERS_WITHIN

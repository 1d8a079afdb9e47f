"""Is anything acknowledged lost, or done twice, when PostgreSQL is killed while people write?"""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from time import monotonic, sleep

import pytest

from deploy.database import Database
from domain.kernel.ids import PracticeId
from record.database import DatabaseUnavailable
from tests.faults import seals, views
from tests.faults.checker import judge
from tests.faults.clerks import answers_again, clerks_at_work, until, workers_at_work
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.faults.server import Server
from tests.support.record import Record, record_on

pytestmark = pytest.mark.serial

KILLS = times(4, 20)
BETWEEN = times(300, 2_500)
"""Acknowledged operations from one kill to the next."""
CLERKS = times(4, 8)
ANSWERS_WITHIN = times(30, 10)
"""Seconds from a kill to the first acknowledged operation after it."""


def tail(record: Record, practice_id: PracticeId, done: Event) -> list[int]:
    """Reads on from the last position, through every outage."""
    recorder, seen = record.recorder(practice_id), [0]
    while True:
        was_done = done.wait(0.01)
        try:
            found = recorder.select_notifications(seen[-1], 50, inclusive_of_start=False)
        except DatabaseUnavailable:
            continue
        seen += [notification.id for notification in found]
        if was_done and not found:
            return seen[1:]


def test_nothing_acknowledged_is_lost_and_nothing_done_twice(
    server: Server, durable: Database
) -> None:
    history, dice, recovery, done = History(), random.Random(7), [0.0], Event()
    with record_on(durable) as record, ThreadPoolExecutor(2) as pool:
        try:
            with workers_at_work(record), clerks_at_work(record, history, CLERKS) as practice_ids:
                tails = [pool.submit(tail, record, one, done) for one in practice_ids]
                for kill in range(1, KILLS + 1):
                    until(partial(history.has, kill * BETWEEN))
                    sleep(dice.uniform(0, 0.1))
                    killed = monotonic()
                    server.kill()
                    server.start()
                    recovery.append(answers_again(history, killed))
        finally:
            done.set()
        seen = [each.result() for each in tails]
        found = judge(
            history,
            durable.admin_url,
            lambda: views.of_record(record),
            lambda: seals.objections(record),
        )
        logs = [record.events(practice_id) for practice_id in practice_ids]
    conclude("database killed", history, found, KILLS, max(recovery))
    assert history.hits >= KILLS, "no kill met anybody"
    assert max(recovery) < ANSWERS_WITHIN
    assert seen == [[row["position"] for row in rows] for rows in logs]

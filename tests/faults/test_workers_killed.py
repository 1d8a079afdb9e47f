"""Do workers that are killed at any moment, two of each kind at a time, skip or repeat anything?"""

import os
import random
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

from deploy.database import Database
from domain.kernel.ids import PracticeId
from gateways.broker.kafka import KafkaBroker
from gateways.witness.store import folder_witness
from record.witnessing import rule, trusting
from tests.faults import nursery, seals, views
from tests.faults.checker import Objection, judge
from tests.faults.clerks import clerks_at_work, until
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.support.broker import delivered, positions_of
from tests.support.record import Record, record_on

KILLS = times(4, 100)
"""Of each kind."""
CONVERGES_WITHIN = times(30, 10)
"""Seconds from the last kill until everything has been caught up with."""


class Nursery:
    """Workers of some kinds, two of each alive at any time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._dice = random.Random(13)
        self._alive: dict[str, deque[int]] = {}

    def employ(self, kind: str) -> None:
        """One more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kind}\n")
        self._process.stdin.flush()
        self._alive.setdefault(kind, deque()).append(int(self._process.stdout.readline()))

    def kill_one(self, kind: str, history: History) -> None:
        """While there is work, at some moment, the older of two; another takes its place."""
        until(partial(history.has, history.answered + 10))
        sleep(self._dice.uniform(0, 0.1))
        os.kill(self._alive[kind].popleft(), signal.SIGKILL)
        self.employ(kind)


@contextmanager
def workers(record: Record, where: str, *kinds: str) -> Iterator[Nursery]:
    """Two of each kind."""
    process = subprocess.Popen(
        [sys.executable, "-m", nursery.__name__, record.ready.app_url, where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        made = Nursery(process)
        for kind in kinds * 2:
            made.employ(kind)
        yield made


def test_projectors_and_sealers_lose_and_repeat_nothing(database: Database, tmp_path: Path) -> None:
    history, kinds = History(), ("projector", "sealer")
    with record_on(database) as record, workers(record, str(tmp_path), *kinds) as alive:
        with clerks_at_work(record, history, 2):
            for _ in range(KILLS):
                for kind in kinds:
                    alive.kill_one(kind, history)
        last, url = monotonic(), database.admin_url
        witness = folder_witness(tmp_path, rule(trusting(record.kms)))
        until(lambda: views.have_caught_up(url) and seals.have_caught_up(url), CONVERGES_WITHIN)
        until(lambda: not seals.objections(record, witness))  # the last head is on its way
        recovery = monotonic() - last
        found = judge(
            history,
            url,
            lambda: views.of_record(record),
            lambda: seals.objections(record, witness),
        )
    conclude("projectors and sealers killed", history, found, KILLS * len(kinds), recovery)


def test_relays_publish_everything_in_order(database: Database, kafka_address: str) -> None:
    topic, history = f"faults-{uuid4()}", History()
    broker = KafkaBroker(kafka_address, topic)
    with (
        record_on(database) as record,
        workers(record, f"{kafka_address} {topic}", "relay") as alive,
    ):
        with clerks_at_work(record, history, 2) as practice_ids:
            for _ in range(KILLS):
                alive.kill_one("relay", history)
        last = monotonic()
        until(lambda: is_published(record), CONVERGES_WITHIN * 3)
        recovery = monotonic() - last
        found = judge(history, database.admin_url, lambda: of_broker(record, broker, practice_ids))
    conclude("relays killed", history, found, KILLS, recovery)


def is_published(record: Record) -> bool:
    return not record.admin(
        """SELECT h.practice_id FROM record.head AS h LEFT JOIN projection.position AS p
            ON p.practice_id = h.practice_id AND p.name LIKE 'relay:%%'
        WHERE h.log = 'record' AND h.position > coalesce(p.position, 0)"""
    )


def of_broker(
    record: Record, broker: KafkaBroker, practice_ids: list[PracticeId]
) -> list[Objection]:
    """Compares what consumers see, once each position is taken the first time, with the record."""
    found = delivered(broker)
    told = {one: list(dict.fromkeys(positions_of(found, one))) for one in practice_ids}
    return [
        Objection("published", f"{one}: {len(positions)} positions, or not in order")
        for one, positions in told.items()
        if positions != [row["position"] for row in record.events(one)]
    ]

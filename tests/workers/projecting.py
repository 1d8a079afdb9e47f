"""A projector in a process of its own, until its standard input ends."""

import sys

from deploy.database import Database as Ready
from gateways.broker.kafka import KafkaBroker
from gateways.kms.simulator import SimulatedKms
from projections.all import all_projections
from tests.support.kafka import SESSION_MS
from tests.support.record import record_on
from workers.follower import GROUP, Follower
from workers.projector import Projector


def main(app_url: str, batch: str, kafka: str = "", topic: str = "") -> None:
    """Reads the record, or a topic that carries it. Says when it has begun."""
    with record_on(Ready("", app_url, SimulatedKms()), pool_size=4) as record:
        parts = record.database, record.practices, all_projections(record.keys, record.practices)
        if kafka:
            consumer = KafkaBroker(kafka, topic, session_ms=SESSION_MS).consumer(GROUP)
            worker: Follower | Projector = Follower(*parts, consumer, batch=int(batch))
        else:
            worker = Projector(*parts, record.hints, batch=int(batch))
        with worker:
            sys.stdout.write("begun\n")
            sys.stdout.flush()
            sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])

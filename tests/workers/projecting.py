"""A projector in a process of its own, until its standard input ends."""

import sys

from deploy.database import Database as Ready
from gateways.kms.simulator import SimulatedKms
from projections.all import all_projections
from tests.support.record import record_on
from workers.projector import Projector


def main(app_url: str, batch: str) -> None:
    """Says when it has begun."""
    with record_on(Ready("", app_url, SimulatedKms()), pool_size=4) as record:
        projections = all_projections(record.keys, record.practices)
        with Projector(
            record.database, record.practices, projections, record.hints, batch=int(batch)
        ):
            sys.stdout.write("begun\n")
            sys.stdout.flush()
            sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Workers that are born quickly, to be killed: everything is loaded before the first of them.

Reads the kind of each from standard input, answers with its process id, and takes all of them along
when the input ends.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deploy.database import Database as Ready
from gateways.broker.kafka import KafkaBroker
from gateways.kms.simulator import SimulatedKms
from gateways.witness.store import folder_witness
from projections.all import all_projections
from record.witnessing import rule, trusting
from tests.support.record import Record, record_on
from workers.projector import Projector
from workers.relay import Relay
from workers.sealer import Sealer


def project(record: Record, _: str) -> None:
    """In small batches, so that there are many commits to be killed before."""
    projections = all_projections(record.keys, record.practices)
    with Projector(record.database, record.practices, projections, record.hints, batch=5):
        time.sleep(600)


def seal(record: Record, folder: str) -> None:
    """Without a pause, with a witness in a folder."""
    witness = folder_witness(Path(folder), rule(trusting(record.kms)))
    sealer = Sealer(record.database, record.seals, [witness], pace=0)
    while True:
        sealer.run_once()


def relay(record: Record, where: str) -> None:
    """To a real broker, a few messages at a time."""
    broker = KafkaBroker(*where.split())
    with Relay(record.database, broker.publisher(), record.hints, batch=5):
        time.sleep(600)


WORK: dict[str, Callable[[Record, str], None]] = {
    "projector": project,
    "sealer": seal,
    "relay": relay,
}


def bear(kind: str, app_url: str, where: str) -> int:
    """Returns the child's process id."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with record_on(Ready("", app_url, SimulatedKms()), pool_size=4) as record:
            WORK[kind](record, where)
    finally:
        os._exit(1)


def main(app_url: str, where: str) -> None:
    """`where` is the witness's folder, or the broker's address and the topic."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    born = []
    for line in sys.stdin:
        born.append(bear(line.strip(), app_url, where))
        sys.stdout.write(f"{born[-1]}\n")
        sys.stdout.flush()
    for child in born:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])

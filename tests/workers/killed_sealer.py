"""A sealer that signs a head, says so, and waits to be killed before it commits."""

import sys
import time
from uuid import UUID

from psycopg import Connection

from deploy.database import Database as Ready
from gateways.kms.simulator import SimulatedKms
from record.database import Row
from record.merkle import Frontier
from record.sealing import Sealing
from record.seals import Seal
from tests.support.record import record_on


class SlowSealing(Sealing):
    """Stops at the last moment before the commit, from the second head on."""

    signed = 0

    def _extend(
        self, connection: Connection[Row], practice_id: UUID, log: str, frontier: Frontier, end: int
    ) -> Seal:
        seal = super()._extend(connection, practice_id, log, frontier, end)
        self.signed += 1
        if self.signed > 1:
            sys.stdout.write("signed\n")
            sys.stdout.flush()
            time.sleep(600)
        return seal


def main(app_url: str, practice_id: str) -> None:
    """Runs until it is killed."""
    with record_on(Ready("", app_url, SimulatedKms())) as record:
        sealing = SlowSealing(record.database, record.seals, batch=300)
        while True:
            sealing.seal(UUID(practice_id), "record")


if __name__ == "__main__":
    main(*sys.argv[1:])

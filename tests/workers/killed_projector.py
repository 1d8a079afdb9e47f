"""A projector that writes a batch's rows, says so, and waits to be killed before it commits."""

import sys
import time
from collections.abc import Sequence
from uuid import UUID

from psycopg import Connection

from deploy.database import Database as Ready
from domain.kernel.events import Recorded
from gateways.kms.simulator import SimulatedKms
from projections.base import Projection
from projections.chart_view.projection import ChartViewProjection
from projections.client_search.projection import ClientSearchProjection
from record.database import Row
from tests.support.record import record_on
from workers.projector import Projector


class _Slow:
    """Stops at the last moment before the commit, from the second batch on."""

    batches = 0

    @classmethod
    def wait(cls) -> None:
        cls.batches += 1
        if cls.batches > 1:
            sys.stdout.write("written\n")
            sys.stdout.flush()
            time.sleep(600)


class SlowCharts(ChartViewProjection):
    """Charts."""

    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        super().apply(connection, practice_id, batch)
        _Slow.wait()


class SlowSearch(ClientSearchProjection):
    """Clients."""

    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        super().apply(connection, practice_id, batch)
        _Slow.wait()


def main(question: str, app_url: str, batch: str) -> None:
    """Runs until it is killed."""
    with record_on(Ready("", app_url, SimulatedKms())) as record:
        projection: Projection = (
            SlowCharts(record.keys, record.practices) if question == "chart_view" else SlowSearch()
        )
        Projector(
            record.database, record.practices, [projection], batch=int(batch)
        ).run_until_caught_up()


if __name__ == "__main__":
    main(*sys.argv[1:])

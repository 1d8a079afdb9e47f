"""How is one projection of one practice moved on by one batch, and what if it cannot be?

Rows and position commit together, so whoever dies at any moment has neither skipped nor repeated an
event. A batch that fails is tried in halves until the event at fault stands alone; that one is
parked, and the next to look sees it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from psycopg import Connection

from domain.kernel.ids import PracticeId
from projections import positions
from projections.base import Projection
from projections.parking import park, unpark
from projections.positions import Claim, Span
from record.database import Database, Row
from record.practice import Practices
from workers.worker import OUTAGES

log = structlog.get_logger()

OUTAGE_PAUSE: Final = 2.0
"""Seconds after an outage before the batch that met it is tried again, the others first."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A batch failed: how many events to try next, and not before when."""

    batch: int
    not_before: float = 0.0


class _TooMany(Exception):
    """A batch of several was given back whole; some event of it is at fault."""


class Applier:
    """Applies batches; one object for one thread."""

    def __init__(
        self,
        database: Database,
        practices: Practices,
        projections: Sequence[Projection],
        *,
        batch: int = positions.BATCH,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.projections = {projection.name: projection for projection in projections}
        self._database = database
        self._practices = practices
        self._batch = batch
        self._clock = clock
        self._troubles: dict[tuple[UUID, str], _Trouble] = {}

    def may_try(self, practice_id: UUID, name: str) -> bool:
        """Whether an outage that this batch met is over, or may be."""
        trouble = self._troubles.get((practice_id, name))
        return trouble is None or trouble.not_before <= self._clock()

    def move(self, practice_id: UUID, name: str) -> int | None:
        """Applies one batch and returns the position reached.

        None if there is nothing to be done here now: somebody else has claimed it, or it is parked.
        Raises `OUTAGES`.
        """
        place = (practice_id, name)
        trouble = self._troubles.get(place)
        limit = self._batch if trouble is None else trouble.batch
        try:
            reached = self._transact(practice_id, self.projections[name], limit)
        except _TooMany:
            self._troubles[place] = _Trouble(limit // 2)
            return positions.position(self._database, practice_id, name)
        except OUTAGES:
            # If it was this batch that took too long, it must not keep the others waiting.
            self._troubles[place] = _Trouble(max(1, limit // 2), self._clock() + OUTAGE_PAUSE)
            raise
        if reached is not None or limit == 1:
            self._troubles.pop(place, None)
        return reached

    def _transact(self, practice_id: UUID, projection: Projection, limit: int) -> int | None:
        with self._database.practice(practice_id, is_derived=True) as connection:
            claim = positions.claim(connection, practice_id, projection.name)
            if claim is None:
                return None
            if claim.is_parked:
                limit = 1
            span = self._ahead(connection, practice_id, projection, claim, limit)
            if span.entries and not self._apply(connection, practice_id, projection, span, limit):
                return None
            positions.advance(connection, practice_id, projection.name, span.end)
            if claim.is_parked:
                unpark(connection, practice_id, projection.name)
                log.info(
                    "projection_resumed",
                    practice_id=str(practice_id),
                    projection=projection.name,
                    position=span.end,
                )
            return span.end

    def _ahead(
        self,
        connection: Connection[Row],
        practice_id: UUID,
        projection: Projection,
        claim: Claim,
        limit: int,
    ) -> Span:
        """The next events that matter to it."""
        span = (claim.position, claim.head)
        return positions.ahead(connection, practice_id, projection, span, limit)

    def _apply(
        self,
        connection: Connection[Row],
        practice_id: UUID,
        projection: Projection,
        span: Span,
        limit: int,
    ) -> bool:
        """Writes a batch; an event alone is parked if it fails. Raises `_TooMany`, `OUTAGES`."""
        practice = self._practices[PracticeId(practice_id)]
        is_alone = limit == 1
        # What an event alone has half done is undone, so that its failure can be noted.
        undo: AbstractContextManager[object] = (
            connection.transaction() if is_alone else nullcontext()
        )
        try:
            with undo:
                batch = practice.open_all(span.entries)
                projection.apply(connection, practice_id, batch)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            if not is_alone:
                raise _TooMany from None
            first = span.entries[0]
            _park(connection, projection.name, first.id, first.topic, error)
            return False
        return True


def _park(
    connection: Connection[Row], name: str, position: int, event_type: str, error: Exception
) -> None:
    stuck = park(connection, name, position, event_type, error)
    log.error(
        "projection_parked",
        practice_id=str(stuck.practice_id),
        projection=name,
        position=position,
        event_type=event_type,
        error=stuck.error,
        failures=stuck.failures,
        retry_at=stuck.retry_at,
    )

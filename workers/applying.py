"""How is one projection of one practice moved on by one batch, and what if it cannot be?

Rows and position commit together, so whoever dies at any moment has neither skipped nor repeated an
event. A batch that fails is tried in halves until the event at fault stands alone; that one is
parked, and the next to look sees it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter
from psycopg import Connection

from domain.kernel.ids import PracticeId
from projections import positions
from projections.base import Projection
from projections.parking import park, unpark
from projections.positions import Claim, Span
from record.database import Database, Row
from record.envelope import StoredEntry
from record.practice import Practices
from workers.worker import OUTAGES

log = structlog.get_logger()

GAPS = Counter(
    "palimpsest_projection_gaps_total",
    "Times that events of the record had not arrived and were read from it",
    ["projection"],
)
OUTAGE_PAUSE: Final = 2.0
"""Seconds after an outage before the batch that met it is tried again, the others first."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A batch failed: how many events to try next, and not before when."""

    batch: int
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class _Task:
    """One batch: where, how many events at most, and those offered unless the log is read."""

    practice_id: UUID
    projection: Projection
    limit: int
    offered: Sequence[StoredEntry]

    @property
    def told(self) -> dict[str, str]:
        return {"practice_id": str(self.practice_id), "projection": self.projection.name}


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

    def move_together(self, practice_id: UUID, names: Sequence[str]) -> int | None:
        """One batch for several projections that stand at one place; returns the position reached.

        The events are read and opened once, and there is one commit. None if that cannot be, for
        whatever reason: then nothing has happened, and each is to be moved by itself. Raises
        `OUTAGES`.
        """
        if any((practice_id, name) in self._troubles for name in names):
            return None
        try:
            with self._database.practice(practice_id, is_derived=True) as connection:
                claims = positions.claim_all(connection, practice_id, names)
                is_one = len(claims) == len(names) and len(set(claims)) == 1
                if not is_one or claims[0].is_parked:
                    return None
                end = self._apply_together(connection, practice_id, names, claims[0])
                positions.advance(connection, practice_id, names, end)
                return end
        except OUTAGES:
            for name in names:
                self._troubles[practice_id, name] = self._later(self._batch)
            raise
        except Exception:  # noqa: BLE001 - an event is at fault: which, for whom, is found out next
            return None

    def _apply_together(
        self, connection: Connection[Row], practice_id: UUID, names: Sequence[str], claim: Claim
    ) -> int:
        projections = [self.projections[name] for name in names]
        types = sorted({one for projection in projections for one in projection.types})
        place = (claim.position, claim.head)
        span = positions.ahead(connection, practice_id, types, place, self._batch)
        opened = self._practices[PracticeId(practice_id)].open_all(span.entries)
        for projection in projections:
            wanted = [
                recorded
                for entry, recorded in zip(span.entries, opened, strict=True)
                if entry.topic in projection.types
            ]
            if wanted:
                projection.apply(connection, practice_id, wanted)
        return span.end

    def move(self, practice_id: UUID, name: str, offered: Sequence[StoredEntry] = ()) -> int | None:
        """Applies one batch and returns the position reached.

        The batch is what the record holds next or, from events `offered` in order, what of them is
        next. None if there is nothing to be done here now: somebody else has claimed it, or it is
        parked. Raises `OUTAGES`.
        """
        place = (practice_id, name)
        trouble = self._troubles.get(place)
        limit = self._batch if trouble is None else trouble.batch
        try:
            task = _Task(practice_id, self.projections[name], limit, offered)
            reached = self._transact(task)
        except _TooMany:
            self._troubles[place] = _Trouble(limit // 2)
            return positions.position(self._database, practice_id, name)
        except OUTAGES:
            self._troubles[place] = self._later(limit)
            raise
        if reached is not None or limit == 1:
            self._troubles.pop(place, None)
        return reached

    def _later(self, limit: int) -> _Trouble:
        """If it was this batch that took too long, it must not keep the others waiting."""
        return _Trouble(max(1, limit // 2), self._clock() + OUTAGE_PAUSE)

    def _transact(self, task: _Task) -> int | None:
        wait = bool(task.offered)
        # A group's offsets are on disk at once, so what they stand on must be there before them.
        with self._database.practice(task.practice_id, is_derived=not wait) as connection:
            claim = positions.claim(connection, task.practice_id, task.projection.name, wait=wait)
            if claim is None or (claim.is_parked and task.offered):
                return None
            if claim.is_parked:
                task = replace(task, limit=1)
            span = _next(connection, task, claim)
            if span.entries and not self._apply(connection, task, span):
                return None
            if span.end > claim.position:
                positions.advance(connection, task.practice_id, [task.projection.name], span.end)
            if claim.is_parked:
                unpark(connection, task.practice_id, task.projection.name)
                log.info("projection_resumed", **task.told, position=span.end)
            return span.end

    def _apply(self, connection: Connection[Row], task: _Task, span: Span) -> bool:
        """Writes a batch; an event alone is parked if it fails. Raises `_TooMany`, `OUTAGES`."""
        practice = self._practices[PracticeId(task.practice_id)]
        is_alone = task.limit == 1
        # What an event alone has half done is undone, so that its failure can be noted.
        undo: AbstractContextManager[object] = (
            connection.transaction() if is_alone else nullcontext()
        )
        try:
            with undo:
                task.projection.apply(connection, task.practice_id, practice.open_all(span.entries))
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            if not is_alone:
                raise _TooMany from None
            _park(connection, task, span.entries[0], error)
            return False
        return True


def _park(connection: Connection[Row], task: _Task, entry: StoredEntry, error: Exception) -> None:
    stuck = park(connection, task.projection.name, entry.id, entry.topic, error)
    log.error(
        "projection_parked",
        **task.told,
        position=entry.id,
        event_type=entry.topic,
        error=stuck.error,
        failures=stuck.failures,
        retry_at=stuck.retry_at,
    )


def _next(connection: Connection[Row], task: _Task, claim: Claim) -> Span:
    """The events that a projection needs next: of those offered, if they are what comes next."""
    if not task.offered:
        after, until = claim.position, claim.head
        return positions.ahead(
            connection, task.practice_id, task.projection.types, (after, until), task.limit
        )
    new = [entry for entry in task.offered if entry.id > claim.position]
    if not new:
        return Span([], claim.position)
    if new[0].id > claim.position + 1:
        # What did not arrive is read where it stands: nothing is skipped, and nobody waits for it.
        if claim.position:
            GAPS.labels(task.projection.name).inc()
            missing = new[0].id - 1 - claim.position
            log.error("projection_gap", **task.told, position=claim.position, missing=missing)
        span = (claim.position, new[0].id - 1)
        return positions.ahead(
            connection, task.practice_id, task.projection.types, span, task.limit
        )
    run = [entry for number, entry in enumerate(new, new[0].id) if entry.id == number]
    wanted = [entry for entry in run if entry.topic in task.projection.types][: task.limit]
    return Span(wanted, run[-1].id if len(wanted) < task.limit else wanted[-1].id)

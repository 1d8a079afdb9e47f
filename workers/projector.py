"""Who keeps the projections up to date? A thread that applies what was recorded, in batches.

Rows and position commit together, so a projector that dies at any moment has neither skipped nor
repeated an event. Each batch belongs to one practice and one projection, and is claimed first:
any number of projectors share the work without a leader.

An event that a projection cannot take is parked: that projection of that practice tries again ever
more rarely, the others go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Final, Self
from uuid import UUID

import psycopg
import structlog
from prometheus_client import Gauge

from domain.kernel.ids import PracticeId
from gateways.kms import KmsUnavailable
from projections import positions
from projections.base import Projection
from record.database import Database, DatabaseUnavailable
from record.hints import Hints
from record.practice import Practices

log = structlog.get_logger()

LAG = Gauge(
    "palimpsest_projection_lag_events",
    "Events recorded and not yet shown, over all practices",
    ["projection"],
)
PARKED = Gauge(
    "palimpsest_projection_parked",
    "Practices in which a projection is stuck at an event it cannot take",
    ["projection"],
)
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
"""Seconds between two tries at an event that a projection could not take."""
BUSY_PAUSE: Final = 0.01
"""Seconds before looking again at what another projector has claimed."""

_OUTAGES: Final = (DatabaseUnavailable, KmsUnavailable, psycopg.OperationalError)
"""What is no fault of an event: the same batch will do once it is over."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A batch failed: how many events to try next, how often one alone has failed, when to."""

    batch: int
    failures: int = 0
    not_before: float = 0.0


class CannotApply(Exception):
    """A batch was given back whole. Names the first event's place, never its content."""

    def __init__(self, position: int, event_type: str, cause: Exception) -> None:
        super().__init__(position, event_type, type(cause).__name__)
        self.position = position
        self.event_type = event_type
        self.cause = type(cause).__name__


class Projector:
    """Moves all projections of all practices on. `start` runs it in a thread of its own."""

    def __init__(
        self,
        database: Database,
        practices: Practices,
        projections: Sequence[Projection],
        hints: Hints | None = None,
        *,
        batch: int = positions.BATCH,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._practices = practices
        self._projections = {projection.name: projection for projection in projections}
        self._hints = hints
        self._batch = batch
        self._clock = clock
        self._troubles: dict[tuple[UUID, str], Trouble] = {}
        self._news = Flag()
        self._stopping = Flag()
        self._thread: Thread | None = None

    def start(self) -> Self:
        """Starts the thread."""
        self._stopping.clear()
        if self._hints is not None:
            self._hints.listen(self._news)
        self._thread = Thread(target=self._run, name="projector", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread once the batch at hand has been committed."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
            self._thread = None

    def __enter__(self) -> Self:
        """Starts the thread for a `with` block."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.stop()

    @property
    def parked(self) -> frozenset[tuple[UUID, str]]:
        """Practice and projection wherever an event could not be taken."""
        return frozenset(place for place, trouble in self._troubles.items() if trouble.failures > 0)

    def run_until_caught_up(self) -> None:
        """Applies what is there, in the caller's thread. Leaves aside what is parked."""
        self._stopping.clear()
        while not self._stopping.is_set() and (work := self._work()):
            if not self._round(work):
                self._stopping.wait(BUSY_PAUSE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            try:
                has_moved = self._round(self._work())
            except (*_OUTAGES, psycopg.Error) as error:
                log.warning("projector_interrupted", error=type(error).__name__)
                self._stopping.wait(FIRST_PAUSE)
                continue
            except Exception as error:  # noqa: BLE001 - the thread must outlive what nobody foresaw
                log.error("projector_failed", error=type(error).__name__)  # noqa: TRY400 - no traceback
                self._stopping.wait(FIRST_PAUSE)
                continue
            if not has_moved:
                self._news.wait(Hints.POLL_SECONDS)

    def _work(self) -> list[positions.News]:
        """What is behind and may be tried now."""
        found = positions.news(self._database, list(self._projections))
        for name in self._projections:
            LAG.labels(name).set(sum(one.behind for one in found if one.name == name))
            PARKED.labels(name).set(sum(place[1] == name for place in self.parked))
        now = self._clock()
        return [
            one
            for one in found
            if (trouble := self._troubles.get((one.practice_id, one.name))) is None
            or trouble.not_before <= now
        ]

    def _round(self, work: Sequence[positions.News]) -> bool:
        """One batch for each; says whether anything has moved on."""
        has_moved = False
        for one in work:
            if self._stopping.is_set():
                break
            place = (one.practice_id, one.name)
            trouble = self._troubles.get(place)
            try:
                if one.is_new:
                    positions.begin(self._database, *place)
                moved = self._apply(*place, self._batch if trouble is None else trouble.batch)
            except CannotApply as error:
                self._troubles[place] = self._after(error, place, trouble)
                has_moved = True  # there is something to try at once: a smaller batch
            except _OUTAGES:
                # If it was this batch that took too long, it must not keep the others waiting.
                self._troubles[place] = self._later(trouble)
                raise
            else:
                if moved:
                    self._troubles.pop(place, None)
                has_moved |= moved
        return has_moved

    def _apply(self, practice_id: UUID, name: str, limit: int) -> bool:
        """One batch, rows and position in one transaction; false if somebody else is at it."""
        projection = self._projections[name]
        practice = self._practices[PracticeId(practice_id)]
        with self._database.practice(practice_id) as connection:
            claimed = positions.claim(connection, practice_id, name)
            if claimed is None:
                return False
            span = positions.ahead(connection, practice_id, projection, claimed, limit)
            if span.entries:
                try:
                    batch = practice.open_all(span.entries)
                    projection.apply(connection, practice_id, batch)
                except _OUTAGES:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                    first = span.entries[0]
                    raise CannotApply(first.id, first.topic, error) from None
            positions.advance(connection, practice_id, name, span.end)
        return True

    def _later(self, trouble: Trouble | None) -> Trouble:
        """Half as much, after the others had their turn."""
        earlier = trouble or Trouble(batch=self._batch)
        return replace(
            earlier,
            batch=max(1, earlier.batch // 2),
            not_before=self._clock() + 2 * FIRST_PAUSE,
        )

    def _after(
        self, error: CannotApply, place: tuple[UUID, str], trouble: Trouble | None
    ) -> Trouble:
        """Halves the batch until the event stands alone, then waits, longer each time."""
        tried = self._batch if trouble is None else trouble.batch
        if tried > 1:
            return Trouble(batch=tried // 2)
        failures = 1 if trouble is None else trouble.failures + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
        log.error(
            "projection_parked",
            practice_id=str(place[0]),
            projection=place[1],
            position=error.position,
            event_type=error.event_type,
            error=error.cause,
            failures=failures,
            retry_seconds=pause,
        )
        return Trouble(batch=1, failures=failures, not_before=self._clock() + pause)

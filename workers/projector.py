"""Who keeps the projections up to date? A thread that applies what was recorded, in batches.

Each batch belongs to one practice and one projection, and is claimed first: any number of
projectors share the work without a leader.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from time import monotonic
from typing import ClassVar, Final

from prometheus_client import Gauge

from projections import positions
from projections.base import Projection
from record.database import Database
from record.hints import Hints
from record.practice import Practices
from workers.applying import Applier
from workers.worker import Worker

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
BUSY_PAUSE: Final = 0.01
"""Seconds before looking again at what another projector has claimed."""


def measure(found: Sequence[positions.News], names: Iterable[str]) -> None:
    """Lets what is behind and what is stuck be watched."""
    for name in names:
        LAG.labels(name).set(sum(one.behind for one in found if one.name == name))
        PARKED.labels(name).set(sum(one.is_parked for one in found if one.name == name))


class Projector(Worker):
    """Moves all projections of all practices on. `start` runs it in a thread of its own."""

    name: ClassVar[str] = "projector"

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
        super().__init__(hints)
        self._database = database
        self._applier = Applier(database, practices, projections, batch=batch, clock=clock)

    def run_until_caught_up(self) -> None:
        """Applies what is there, in the caller's thread. Leaves aside what is parked."""
        self._stopping.clear()
        while not self._stopping.is_set() and (work := self._work()):
            if not self._round(work):
                self._stopping.wait(BUSY_PAUSE)

    def _step(self) -> bool:
        return self._round(self._work())

    def _work(self) -> list[positions.News]:
        """What is behind and may be tried now."""
        found = positions.news(self._database, list(self._applier.projections))
        measure(found, self._applier.projections)
        return [
            one for one in found if one.is_due and self._applier.may_try(one.practice_id, one.name)
        ]

    def _round(self, work: Sequence[positions.News]) -> bool:
        """One batch for each; says whether anything has moved on."""
        has_moved = False
        # Those of a practice that are as far behind stand next to each other.
        for _, group in groupby(work, key=lambda one: (one.practice_id, one.behind)):
            if self._stopping.is_set():
                break
            has_moved |= self._move(list(group))
        return has_moved

    def _move(self, group: Sequence[positions.News]) -> bool:
        """Together, if they stand at one place; else, or if that fails, one after the other."""
        practice_id = group[0].practice_id
        if len(group) > 1 and not any(one.is_new or one.is_parked for one in group):
            names = [one.name for one in group]
            if self._applier.move_together(practice_id, names) is not None:
                return True
        has_moved = False
        for one in group:
            if self._stopping.is_set():
                break
            if one.is_new:
                positions.begin(self._database, practice_id, one.name)
            has_moved |= self._applier.move(practice_id, one.name) is not None
        return has_moved

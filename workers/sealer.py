"""Who seals the logs? A thread that signs what is new, at most one second after its commit.

It looks at the heads of all logs twice a second: positions only, no content. Any number of sealers
share the work; of one log only one signs at a time. What is signed is handed to the witnesses by
couriers of its own, so that no witness can delay a signature.
"""

from collections.abc import Sequence
from math import nan
from time import monotonic
from typing import ClassVar, Final, Self

import structlog
from prometheus_client import Gauge

from gateways.witness import Witness
from record.database import Database
from record.sealing import SealBroken, Sealing
from record.seals import Seals
from workers.courier import PACE, Courier, Place
from workers.worker import OUTAGES, Worker

log = structlog.get_logger()

UNSEALED = Gauge("palimpsest_unsealed_events", "Events recorded and not under a signed head yet")
UNSEALED_SECONDS = Gauge(
    "palimpsest_unsealed_seconds", "For how long the log that waits longest has waited for a head"
)
BROKEN = Gauge(
    "palimpsest_broken_seals",
    "Logs that cannot be sealed, as they contradict a head that was signed: run verify",
)
for _gauge in (UNSEALED, UNSEALED_SECONDS, BROKEN):
    _gauge.set(nan)  # unknown, until a sealer at work in this process has looked
BROKEN_PAUSE: Final = 30.0
"""Seconds before a log that contradicts its seal is looked at again."""


class Sealer(Worker):
    """Seals all logs of all practices. `start` runs it in a thread of its own."""

    name: ClassVar[str] = "sealer"
    POLL_SECONDS: ClassVar[float] = 0.5
    """Half of the second in which a head is promised."""

    def __init__(
        self,
        database: Database,
        seals: Seals,
        witnesses: Sequence[Witness] = (),
        *,
        pace: float = PACE,
    ) -> None:
        super().__init__()
        self._database = database
        self._sealing = Sealing(database, seals)
        self.couriers = [Courier(witness, seals, pace=pace) for witness in witnesses]
        self._sealed: dict[Place, int] = {}
        self._since: dict[Place, float] = {}
        self._broken: dict[Place, float] = {}

    @property
    def broken(self) -> frozenset[Place]:
        """The logs that cannot be sealed: they contradict what was signed."""
        return frozenset(self._broken)

    def start(self) -> Self:
        """Starts the threads."""
        for courier in self.couriers:
            courier.start()
        return super().start()

    def stop(self) -> None:
        """Ends the threads once the head at hand has been signed."""
        super().stop()
        for courier in self.couriers:
            courier.stop()

    def run_once(self) -> None:
        """Seals what is new and brings it to the witnesses, in the caller's thread."""
        self._stopping.clear()
        self._step()
        for courier in self.couriers:
            courier.run_once()

    def _step(self) -> bool:
        now = monotonic()
        heads: dict[Place, int] = {row[:2]: row[2] for row in self._database.call(_HEADS)}
        news = {place for place, head in heads.items() if head != self._sealed.get(place, 0)}
        self._since = {place: self._since.get(place, now) for place in news}
        for place in news:
            if self._stopping.is_set():
                break
            if self._broken.get(place, now) <= now:
                self._seal(place, heads[place])
        behind = {place: heads[place] - self._sealed.get(place, 0) for place in news}
        waiting = [self._since[place] for place, count in behind.items() if count > 0]
        UNSEALED.set(sum(count for count in behind.values() if count > 0))
        UNSEALED_SECONDS.set(monotonic() - min(waiting) if waiting else 0)
        BROKEN.set(len(self._broken))
        return False

    def _seal(self, place: Place, position: int) -> None:
        """Signs until the log is sealed up to a position; leaves it to another sealer at work."""
        try:
            while not self._stopping.is_set():
                head = self._sealing.seal(*place)
                if head is None:
                    return
                self._broken.pop(place, None)
                self._sealed[place] = head.size
                for courier in self.couriers:
                    courier.offer(*place)
                if head.size >= position:
                    return
        except SealBroken as error:
            self._alarm(place, error.reason, error.size)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other logs are sealed
            self._alarm(place, type(error).__name__)

    def _alarm(self, place: Place, reason: str, size: int | None = None) -> None:
        self._broken[place] = monotonic() + BROKEN_PAUSE
        log.error("seal_broken", practice_id=str(place[0]), log=place[1], size=size, reason=reason)


# In any order, so that sealers that share the work meet seldom.
_HEADS: Final = "SELECT practice_id, log, position FROM record.head ORDER BY random()"

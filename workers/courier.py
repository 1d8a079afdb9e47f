"""Who brings the signed heads to a witness? A thread for each witness, so that none waits for one.

A witness that is down is asked again, ever more rarely; sealing goes on meanwhile. A witness that
refuses a head has seen another history: that is an alarm, and stays one until it takes a head.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import ClassVar, Final
from uuid import UUID

import structlog
from prometheus_client import Gauge

from gateways.witness import ReadableWitness, Refused, Witness, WitnessUnavailable
from record.seals import LOGS, NotSealedYet, Seals
from record.witnessing import hand_over, hand_over_censuses
from workers.worker import Worker

log = structlog.get_logger()
Place = tuple[UUID, str]
"""A practice and one of its logs."""

WAITING = Gauge(
    "palimpsest_witness_waiting_logs",
    "Logs whose newest signed head a witness has not taken yet",
    ["witness"],
)
REFUSED = Gauge(
    "palimpsest_witness_refused_logs",
    "Logs whose newest signed head a witness refuses: somebody changed the past",
    ["witness"],
)
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds between two tries at a witness that is down."""
PACE: Final = 10.0
"""Seconds between two heads of one log: a witness keeps each for ever."""


class Courier(Worker):
    """Brings the newest head of each log to one witness."""

    name: ClassVar[str] = "courier"
    POLL_SECONDS: ClassVar[float] = 1.0

    def __init__(
        self,
        witness: Witness,
        seals: Seals,
        *,
        pace: float = PACE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self._witness = witness
        self._seals = seals
        self._pace = pace
        self._clock = clock
        self._lock = Lock()
        self._waiting: set[Place] = set()
        self._held: dict[Place, int] = {}
        self._counted: dict[Place, int] = {}
        self._refused: set[Place] = set()
        self._next: dict[Place, float] = {}
        self._not_before = 0.0
        self._pause = FIRST_PAUSE

    @property
    def refused(self) -> frozenset[Place]:
        """The logs of which the witness has refused a head."""
        return frozenset(self._refused)

    @property
    def waiting(self) -> frozenset[Place]:
        """The logs whose newest head is still to be brought."""
        return frozenset(self._waiting)

    def offer(self, practice_id: UUID, of_log: str) -> None:
        """A log has a new head; returns at once."""
        with self._lock:
            self._waiting.add((practice_id, of_log))
        self._news.set()

    def run_once(self) -> None:
        """Brings what is waiting, in the caller's thread."""
        self._step()

    def _step(self) -> bool:
        now = self._clock()
        with self._lock:
            todo = [place for place in self._waiting if self._next.get(place, 0.0) <= now]
        if self._not_before > now:
            return False
        for place in todo:
            if not self._bring(place):
                break
        WAITING.labels(self._witness.name).set(len(self._waiting))
        REFUSED.labels(self._witness.name).set(len(self._refused))
        return False

    def _bring(self, place: Place) -> bool:
        """Brings one head; false if the witness cannot be asked at present."""
        # Before it is read: what is sealed from here on is offered again.
        with self._lock:
            self._waiting.discard(place)
        try:
            head = hand_over(self._witness, self._seals, *place, self._held.get(place, 0))
            self._bring_censuses(place[0])
        except Refused as error:
            self._alarm(place, error.reason)
        except NotSealedYet:
            pass
        except WitnessUnavailable:
            self._later(place)
            return False
        except BaseException:
            self.offer(*place)
            raise
        else:
            self._held[place] = head.size
            self._refused.discard(place)
            self._pause = FIRST_PAUSE
        self._next[place] = self._clock() + self._pace
        return True

    def _bring_censuses(self, practice_id: UUID) -> None:
        """To witnesses that keep all they took: to others a census is no head of any log."""
        if isinstance(self._witness, ReadableWitness):
            for of_log in LOGS:
                known = self._counted.get((practice_id, of_log), 0)
                self._counted[practice_id, of_log] = hand_over_censuses(
                    self._witness, self._seals, practice_id, of_log, known
                )

    def _later(self, place: Place) -> None:
        self.offer(*place)
        log.warning("witness_unavailable", witness=self._witness.name, retry_seconds=self._pause)
        self._not_before = self._clock() + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _alarm(self, place: Place, reason: str) -> None:
        self.offer(*place)
        self._refused.add(place)
        log.error(
            "witness_refused",
            witness=self._witness.name,
            practice_id=str(place[0]),
            log=place[1],
            reason=reason,
        )

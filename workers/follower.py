"""Who keeps the projections up to date where Kafka hands on the record? A member of a group.

All projections of a practice follow from the messages of one partition, so from one member at a
time. Rows and position commit together in PostgreSQL and the group's offsets after them; a message
that comes again is known by its position. Kafka is never the truth: what does not arrive is read
from the record, with an alarm.
"""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import ClassVar, Final
from uuid import UUID

import structlog
from prometheus_client import Counter
from psycopg.errors import ForeignKeyViolation

from gateways.broker import Consumer, Delivery
from projections import positions
from projections.base import Projection
from record.database import Database
from record.envelope import StoredEntry
from record.errors import Unreadable
from record.practice import Practices
from workers.applying import Applier
from workers.messages import carried_by
from workers.projector import measure
from workers.worker import Worker

log = structlog.get_logger()

UNREADABLE = Counter("palimpsest_messages_unreadable_total", "Messages that carry no event")

GROUP: Final = "palimpsest.projections"
POLL_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 0.5
"""How often it is looked what the messages alone will not bring on."""
STALL_SECONDS: Final = 10.0
"""A projection that is behind and has not moved for so long is read on from the record."""


class Follower(Worker):
    """Moves all projections on by the messages of the partitions that are its own."""

    name: ClassVar[str] = "follower"

    def __init__(
        self,
        database: Database,
        practices: Practices,
        projections: Sequence[Projection],
        consumer: Consumer,
        *,
        batch: int = positions.BATCH,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self._database = database
        self._applier = Applier(database, practices, projections, batch=batch, clock=clock)
        self._consumer = consumer
        self._clock = clock
        self._looked_at = -LOOK_SECONDS
        self._seen: dict[tuple[UUID, str], tuple[int, float]] = {}
        self._begun: set[UUID] = set()

    def stop(self) -> None:
        """Ends the thread, then leaves the group."""
        super().stop()
        self._consumer.close()

    def _step(self) -> bool:
        if self._clock() >= self._looked_at + LOOK_SECONDS:
            self._look()
            self._looked_at = self._clock()
        arrived = self._consumer.poll(POLL_SECONDS)
        try:
            for practice_id, entries in _by_practice(arrived).items():
                if self._is_known(practice_id):
                    self._follow(practice_id, entries)
        except Exception:
            self._consumer.rewind()
            raise
        if arrived:
            self._consumer.commit()
        return True

    # -- what arrives ----------------------------------------------------------------------------

    def _follow(self, practice_id: UUID, entries: Sequence[StoredEntry]) -> None:
        """Moves each projection of a practice on to the last of its events, unless it is parked."""
        for name in self._applier.projections:
            reached: int | None = 0
            while reached is not None and reached < entries[-1].id:
                reached = self._applier.move(practice_id, name, entries)

    def _is_known(self, practice_id: UUID) -> bool:
        """Whether the practice is one of this database; then its projections have begun."""
        if practice_id not in self._begun:
            try:
                for name in self._applier.projections:
                    positions.begin(self._database, practice_id, name)
            except ForeignKeyViolation:
                log.error("message_of_unknown_practice", practice_id=str(practice_id))  # noqa: TRY400 - no traceback
                return False
            self._begun.add(practice_id)
        return True

    # -- what does not ---------------------------------------------------------------------------

    def _look(self) -> None:
        """Reads on from the record what is new, due to be tried again, or was forgotten."""
        found = positions.news(self._database, list(self._applier.projections))
        measure(found, self._applier.projections)
        now = self._clock()
        seen, self._seen = self._seen, {}
        for one in found:
            place = (one.practice_id, one.name)
            reached, since = seen.get(place, (one.reached, now))
            self._seen[place] = (one.reached, since if reached == one.reached else now)
            is_stalled = now - self._seen[place][1] >= STALL_SECONDS
            if is_stalled and not one.is_parked:
                log.error(
                    "projection_stalled",
                    practice_id=str(one.practice_id),
                    projection=one.name,
                    position=one.reached,
                    behind=one.behind,
                )
            if one.is_due and (one.is_new or one.is_parked or is_stalled):
                self._catch_up(one)

    def _catch_up(self, one: positions.News) -> None:
        if one.is_new:
            positions.begin(self._database, one.practice_id, one.name)
        head = one.reached + one.behind
        reached: int | None = one.reached
        while reached is not None and reached < head and not self._stopping.is_set():
            reached = self._applier.move(one.practice_id, one.name)


def _by_practice(arrived: Iterable[Delivery]) -> dict[UUID, list[StoredEntry]]:
    """The events of each practice, each once, in the order of the record."""
    found: dict[UUID, dict[int, StoredEntry]] = {}
    for one in arrived:
        try:
            carried = carried_by(one.message)
        except Unreadable:
            UNREADABLE.inc()
            log.error("message_unreadable", partition=one.partition, offset=one.offset)  # noqa: TRY400 - no traceback
            continue
        if carried.log == "record":
            found.setdefault(carried.practice_id, {})[carried.row.id] = carried.row
    return {
        practice_id: [entries[position] for position in sorted(entries)]
        for practice_id, entries in found.items()
    }

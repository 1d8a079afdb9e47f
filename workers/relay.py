"""Who hands the record on to others? A thread that publishes each practice's events in order.

At least once: how far a practice was published is stored after the broker has it, in a row that the
relay holds while it publishes, so that any number of relays share the practices and none gets in
between another's messages. The row belongs to the topic as it is: a broker that was wiped is
another one, and is published to from the first event on.
"""

from collections.abc import Sequence
from contextlib import suppress
from math import nan
from typing import ClassVar, Final
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection

from gateways.broker import BrokerUnavailable, Message, MessageRefused, Publisher
from projections import positions
from projections.parking import park, unpark
from record import entry, leaf
from record.database import Database, Row
from record.hints import Hints
from workers.messages import message
from workers.worker import Worker

log = structlog.get_logger()

LAG = Gauge("palimpsest_relay_lag_events", "Events recorded and not yet published")
CONNECTED = Gauge("palimpsest_relay_connected", "1 while the broker answers")
STUCK = Gauge("palimpsest_relay_parked", "Practices with an event that the broker refuses")
for _gauge in (LAG, CONNECTED, STUCK):
    _gauge.set(nan)  # unknown, until a relay at work in this process has asked the broker
PUBLISHED = Counter("palimpsest_relay_published_total", "Events that the broker has acknowledged")

BATCH: Final = 200
"""Events of a practice that are published at a time."""
NAME: Final = "relay"


def place_name(place: str) -> str:
    """The name under which is kept how far a place was published to."""
    return f"{NAME}:{place}"


class Relay(Worker):
    """Publishes the records of all practices."""

    name: ClassVar[str] = NAME

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        hints: Hints | None = None,
        *,
        batch: int = BATCH,
    ) -> None:
        super().__init__(hints)
        self._database = database
        self._publisher = publisher
        self._batch = batch
        self._place = ""

    def stop(self) -> None:
        """Ends the thread, then gives the connections back."""
        super().stop()
        self._publisher.close()

    def run_until_caught_up(self) -> None:
        """Publishes what there is, in the caller's thread."""
        self._stopping.clear()
        while self._step():
            pass

    def _step(self) -> bool:
        has_moved = False
        try:
            self._place = place_name(self._publisher.place())
            for one in self._news_of_place():
                if self._stopping.is_set():
                    break
                if one.is_due:
                    has_moved |= self._move(one)
        except BrokerUnavailable:
            CONNECTED.set(0)
            self._news_of_place()  # the lag goes on being told
            raise
        CONNECTED.set(1)
        return has_moved

    def _news_of_place(self) -> list[positions.News]:
        found = positions.news(self._database, [self._place]) if self._place else []
        LAG.set(sum(one.behind for one in found))
        STUCK.set(sum(one.is_parked for one in found))
        return found

    def _move(self, one: positions.News) -> bool:
        """One batch of a practice; false if another relay is at it."""
        if one.is_new:
            positions.begin(self._database, one.practice_id, one.name)
        with self._database.practice(one.practice_id) as connection:
            claim = positions.claim(connection, one.practice_id, one.name)
            if claim is None:
                return False
            until = min(claim.head, claim.position + (1 if claim.is_parked else self._batch))
            messages = self._between(connection, one.practice_id, claim.position, until)
            taken = self._publish(connection, claim.position, messages)
            if claim.is_parked and taken:
                unpark(connection, one.practice_id, one.name)
            positions.advance(connection, one.practice_id, [one.name], claim.position + taken)
        PUBLISHED.inc(taken)
        return taken > 0

    def _between(
        self, connection: Connection[Row], practice_id: UUID, after: int, until: int
    ) -> list[Message]:
        begins = leaf.prefix(practice_id, "record")
        rows = connection.execute(
            leaf.ROWS, (practice_id, "record", after, until), binary=True
        ).fetchall()
        return [message(entry.write(begins, columns)) for _, *columns in rows]

    def _publish(self, connection: Connection[Row], after: int, messages: Sequence[Message]) -> int:
        """How many the broker has taken: all of them, or those before one that it refuses."""
        with suppress(MessageRefused):
            self._publisher.publish(messages)
            return len(messages)
        for taken, one in enumerate(messages):
            try:
                self._publisher.publish([one])
            except MessageRefused as refused:
                _park(connection, self._place, after + taken + 1, one, refused)
                return taken
        return len(messages)


def _park(
    connection: Connection[Row], place: str, position: int, one: Message, refused: MessageRefused
) -> None:
    event_type = dict(one.headers)["ce_type"].decode()
    stuck = park(connection, place, position, event_type, refused)
    log.error(
        "relay_parked",
        practice_id=str(stuck.practice_id),
        position=position,
        event_type=event_type,
        reason=str(refused),
        failures=stuck.failures,
    )

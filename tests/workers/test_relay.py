"""Does the relay publish each record whole and in order, whatever happens to it and the broker?"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from threading import Event as Flag
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from domain.kernel.ids import PracticeId
from gateways.broker import Broker, BrokerUnavailable, Message
from gateways.broker.kafka import KafkaBroker
from gateways.broker.simulator import SimulatedBroker, SimulatedPublisher
from projections.parking import parked, retry_now
from projections.positions import set_back
from tests.support.broker import delivered, positions_of
from tests.support.projections import Desk, Shown
from tests.workers.test_projector import busy, make_due, until
from workers.messages import carried_by
from workers.relay import Relay, place_name


@pytest.fixture(params=["kafka", "simulator"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "simulator":
        return SimulatedBroker()
    return KafkaBroker(request.getfixturevalue("kafka_address"), f"test-{uuid4()}")


def relay_to(shown: Shown, broker: Broker, batch: int = 3) -> Relay:
    record = shown.record
    return Relay(record.database, broker.publisher(), record.hints, batch=batch)


def gauge(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"palimpsest_relay_{name}")


def is_published(shown: Shown, place: str = "%") -> bool:
    """To some place, as far as the records go."""
    return not shown.record.admin(
        """SELECT h.practice_id FROM record.head AS h LEFT JOIN projection.position AS p
            ON p.practice_id = h.practice_id AND p.name LIKE %s
        WHERE h.log = 'record' AND h.position > coalesce(p.position, 0)""",
        (place_name(place),),
    )


def everything(desk: Desk) -> list[int]:
    return list(range(1, desk.head() + 1))


def test_every_event_arrives_once_in_order_and_whole(shown: Shown, broker: Broker) -> None:
    here, there = shown.here, shown.there
    with relay_to(shown, broker) as relay:
        busy(here)
        busy(there, clients=1)
        until(lambda: is_published(shown))
        assert relay.is_alive()
    assert not relay.is_alive()
    found = delivered(broker, here.head() + there.head())
    assert len(found) == here.head() + there.head()
    for desk in (here, there):
        assert positions_of(found, desk.practice_id) == everything(desk)
        rows = shown.record.recorder(desk.practice_id).select_entries(1, 1000)
        carried = [carried_by(one) for one in found if one.key == str(desk.practice_id).encode()]
        assert [one.row for one in carried] == rows
    for one in found:
        assert sha256(b"\x00" + one.value).digest() == carried_by(one).row.leaf_hash


def test_a_message_says_in_plain_who_and_what_by_ids_alone(shown: Shown) -> None:
    broker = SimulatedBroker()
    client = shown.here.register("Ana", "Quirk", phone="+1 212 555 0100")
    shown.here.sign(client, "Forehead, 12 units.")
    relay_to(shown, broker).run_until_caught_up()
    first, second = delivered(broker)
    headers = {name: value.decode() for name, value in second.headers}
    practice_id = shown.here.practice_id
    recorded = shown.here.log()[1]
    assert headers == {
        "content-type": "application/vnd.palimpsest.entry; version=1",
        "ce_specversion": "1.0",
        "ce_id": f"{practice_id}/2",
        "ce_source": f"/practices/{practice_id}/record",
        "ce_type": "note.signed.v1",
        "ce_time": recorded.occurred_at.isoformat(),
        "ce_subject": str(client),
        "position": "2",
    }
    for word in (b"Ana", b"Quirk", b"555", b"Forehead"):
        assert word not in repr((first, second)).encode()


def test_relays_share_the_practices_and_none_gets_in_between(shown: Shown, broker: Broker) -> None:
    desks = [shown.here, shown.there, Desk(shown.record, shown.record.new_practice())]
    relays = [relay_to(shown, broker, batch=2) for _ in range(2)]
    for relay in relays:
        relay.start()
    for desk in desks:
        busy(desk, clients=2)
    until(lambda: is_published(shown))
    for relay in relays:
        relay.stop()
    found = delivered(broker, sum(desk.head() for desk in desks))
    for desk in desks:
        assert positions_of(found, desk.practice_id) == everything(desk)


def test_a_broker_that_was_wiped_is_published_to_from_the_first_event_on(shown: Shown) -> None:
    broker = SimulatedBroker()
    busy(shown.here)
    relay = relay_to(shown, broker)
    relay.run_until_caught_up()
    broker.wipe()
    assert delivered(broker) == []
    busy(shown.here, clients=1)
    relay.run_until_caught_up()
    assert positions_of(delivered(broker), shown.here.practice_id) == everything(shown.here)


def test_what_was_published_can_be_published_again_from_a_position(shown: Shown) -> None:
    broker = SimulatedBroker()
    busy(shown.here)
    busy(shown.there)
    relay = relay_to(shown, broker)
    relay.run_until_caught_up()
    place = place_name(broker.publisher().place())
    database, here = shown.record.database, shown.here
    assert set_back(database, here.practice_id, place, 3)
    assert not set_back(database, here.practice_id, place, 4), "it is not there yet"
    relay.run_until_caught_up()
    found = delivered(broker)
    assert positions_of(found, here.practice_id) == [*everything(here), *everything(here)[3:]]
    assert positions_of(found, shown.there.practice_id) == everything(shown.there)


def test_while_the_broker_is_down_people_go_on_and_afterwards_nothing_is_missing(
    shown: Shown,
) -> None:
    broker = SimulatedBroker()
    busy(shown.here, clients=1)
    with capture_logs() as logs, relay_to(shown, broker):
        until(lambda: is_published(shown))
        broker.is_down = True
        until(lambda: gauge("connected") == 0)
        busy(shown.here)
        until(lambda: bool(gauge("lag_events")))
        broker.is_down = False
        until(lambda: (gauge("connected"), gauge("lag_events")) == (1, 0))
    assert positions_of(delivered(broker), shown.here.practice_id) == everything(shown.here)
    told = [entry["event"] for entry in logs if entry.get("worker") == "relay"]
    assert told == ["worker_interrupted", "worker_goes_on"], "once, however long it lasted"


def test_an_event_that_the_broker_refuses_holds_up_its_practice_in_the_open(shown: Shown) -> None:
    here, there, broker = shown.here, shown.there, SimulatedBroker()
    client = here.register()
    here.sign(client, "Very long. " * 300)
    here.sign(client, "Short.")
    busy(there)
    broker.largest = 2_000
    relay = relay_to(shown, broker)
    with capture_logs() as logs:
        relay.run_until_caught_up()
    assert positions_of(delivered(broker), here.practice_id)[-1] == 1
    assert positions_of(delivered(broker), there.practice_id) == everything(there)
    (one,) = parked(shown.record.database)
    assert (one.practice_id, one.position, one.event_type) == (
        here.practice_id,
        2,
        "note.signed.v1",
    )
    assert gauge("parked") == 1
    assert [entry["position"] for entry in logs if entry["event"] == "relay_parked"] == [2]
    make_due(shown, "infinity")
    assert retry_now(shown.record.database, here.practice_id, one.name)
    broker.largest = 1_000_000
    relay.run_until_caught_up()
    assert parked(shown.record.database) == []
    assert positions_of(delivered(broker), here.practice_id)[-2:] == [2, 3]


class Forgetful(SimulatedPublisher):
    """Sends, and is cut off before it learns that the broker has everything."""

    def __init__(self, broker: SimulatedBroker, is_cut: Callable[[], bool]) -> None:
        super().__init__(broker)
        self._is_cut = is_cut

    def publish(self, messages: Sequence[Message]) -> None:
        super().publish(messages)
        if self._is_cut():
            raise BrokerUnavailable


def first_of_each(found: list[int]) -> list[int]:
    return list(dict.fromkeys(found))


def test_what_was_taken_without_an_answer_is_sent_again(shown: Shown) -> None:
    broker, cuts = SimulatedBroker(), iter([True, False, True])
    busy(shown.here)
    relay = Relay(shown.record.database, Forgetful(broker, lambda: next(cuts, False)), batch=4)
    for _ in range(2):
        with pytest.raises(BrokerUnavailable):
            relay.run_until_caught_up()
    relay.run_until_caught_up()
    found = positions_of(delivered(broker), shown.here.practice_id)
    assert found[:12] == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8]
    assert first_of_each(found) == everything(shown.here)


def test_one_relay_waits_for_nobody_and_publishes_nothing_that_another_holds(
    shown: Shown,
) -> None:
    broker, is_inside, may_go_on = SimulatedBroker(), Flag(), Flag()

    class Holding(SimulatedPublisher):
        def publish(self, messages: Sequence[Message]) -> None:
            is_inside.set()
            assert may_go_on.wait(20)
            super().publish(messages)

    client = shown.here.register()
    with Relay(shown.record.database, Holding(broker), batch=9):
        assert is_inside.wait(20)
        shown.here.sign(client)
        busy(shown.there)
        relay_to(shown, broker).run_until_caught_up()
        assert delivered_of(broker, shown.here.practice_id) == []
        assert delivered_of(broker, shown.there.practice_id) == everything(shown.there)
        may_go_on.set()
        until(lambda: delivered_of(broker, shown.here.practice_id) == [1, 2])


def delivered_of(broker: Broker, practice_id: PracticeId) -> list[int]:
    return positions_of(delivered(broker), practice_id)

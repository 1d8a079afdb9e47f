"""Does every broker keep each key in order, share work in a group, lose nothing uncommitted?"""

import os
from collections.abc import Callable, Iterator
from threading import enumerate as enumerate_threads
from time import monotonic
from uuid import uuid4

import pytest

from gateways.broker import MESSAGE_MAX, Broker, BrokerUnavailable, Consumer, Delivery, Message
from gateways.broker import MessageRefused as Refused
from gateways.broker.kafka import KafkaBroker, WrongOptions
from gateways.broker.simulator import SimulatedBroker
from tests.support.kafka import SESSION_MS

PATIENCE = 30.0


@pytest.fixture(params=["kafka", "simulator"])
def make(request: pytest.FixtureRequest) -> Callable[[], Broker]:
    """Makes brokers of topics of their own."""
    if request.param == "simulator":
        return SimulatedBroker
    address = request.getfixturevalue("kafka_address")
    return lambda: KafkaBroker(address, f"test-{uuid4()}", session_ms=SESSION_MS)


@pytest.fixture
def broker(make: Callable[[], Broker]) -> Broker:
    return make()


@pytest.fixture
def join(broker: Broker) -> Iterator[Callable[[], Consumer]]:
    """Makes members of one group; they leave at the end."""
    members: list[Consumer] = []

    def one() -> Consumer:
        members.append(broker.consumer("readers"))
        return members[-1]

    yield one
    for member in members:
        member.close()


def publish(broker: Broker, count: int = 40, keys: int = 8) -> list[Message]:
    """As many messages, their keys in turn, in two goes."""
    messages = [
        Message(f"key {n % keys}".encode(), f"value {n}".encode(), (("n", str(n).encode()),))
        for n in range(count)
    ]
    publisher = broker.publisher()
    publisher.place()
    publisher.publish(messages[: count // 2])
    publisher.publish(messages[count // 2 :])
    publisher.close()
    return messages


def receive(*consumers: Consumer, count: int) -> list[Delivery]:
    """So many messages, or more."""
    found: list[Delivery] = []
    deadline = monotonic() + PATIENCE
    while len(found) < count:
        assert monotonic() < deadline, f"{len(found)} of {count}"
        for consumer in consumers:
            found += consumer.poll(0.05)
    return found


def messages_of(found: list[Delivery]) -> list[Message]:
    return [one.message for one in found]


def by_key(messages: list[Message]) -> dict[bytes, list[Message]]:
    return {key: [one for one in messages if one.key == key] for key in {m.key for m in messages}}


def test_what_is_published_arrives_whole_and_each_key_in_order(
    broker: Broker, join: Callable[[], Consumer]
) -> None:
    messages = publish(broker)
    found = receive(join(), count=len(messages))
    assert by_key(messages_of(found)) == by_key(messages)
    partitions = {
        key: {one.partition for one in found if one.message.key == key}
        for key in {one.message.key for one in found}
    }
    assert all(len(one) == 1 for one in partitions.values())
    assert len(set.union(*partitions.values())) > 1, "the keys are spread"


def test_what_was_committed_does_not_come_again_and_the_rest_does(
    broker: Broker, join: Callable[[], Consumer]
) -> None:
    first = publish(broker)
    member = join()
    receive(member, count=len(first))
    member.commit()
    second = publish(broker, 10)
    assert by_key(messages_of(receive(member, count=10))) == by_key(second)
    member.rewind()
    assert by_key(messages_of(receive(member, count=10))) == by_key(second)
    member.close()
    next_one = join()
    assert by_key(messages_of(receive(next_one, count=10))) == by_key(second)
    next_one.commit()
    assert next_one.poll(0.3) == []


def test_members_of_a_group_share_the_partitions_and_take_over_from_each_other(
    broker: Broker, join: Callable[[], Consumer]
) -> None:
    one, other = join(), join()
    publish(broker, 8)
    deadline = monotonic() + PATIENCE
    shares: tuple[list[Delivery], list[Delivery]] = ([], [])
    while not all(shares):  # both have something to do
        assert monotonic() < deadline
        messages = publish(broker, 16)
        shares = (one.poll(0.1), other.poll(0.1))
        try:
            one.commit()
            other.commit()
        except BrokerUnavailable:
            shares = ([], [])  # the partitions had moved by then
    assert not {d.partition for d in shares[0]} & {d.partition for d in shares[1]}
    messages = publish(broker, 16)
    one.close()
    found = messages_of(receive(other, count=16))
    assert {message.value for message in messages} <= {message.value for message in found}


def test_groups_do_not_take_from_each_other(broker: Broker) -> None:
    messages = publish(broker)
    for group in ("one", "other"):
        member = broker.consumer(group)
        assert by_key(messages_of(receive(member, count=len(messages)))) == by_key(messages)
        member.commit()
        member.close()


def test_a_place_has_one_name_as_long_as_it_is_the_same(make: Callable[[], Broker]) -> None:
    broker, other = make(), make()
    publishers = [broker.publisher(), broker.publisher(), other.publisher()]
    one, same, another = (publisher.place() for publisher in publishers)
    assert one == same != another
    for publisher in publishers:
        publisher.close()


def test_a_large_message_goes_through_and_a_larger_one_is_refused(
    broker: Broker, join: Callable[[], Consumer]
) -> None:
    publisher = broker.publisher()
    publisher.place()
    value = os.urandom(MESSAGE_MAX)
    publisher.publish([Message(b"key", value)])
    with pytest.raises(Refused):
        publisher.publish([Message(b"key", value * 2)])
    publisher.publish([Message(b"key", b"afterwards")])
    found = receive(join(), count=2)
    assert [
        one.message.value == wanted
        for one, wanted in zip(found, (value, b"afterwards"), strict=True)
    ]
    publisher.close()


def test_a_broker_that_is_not_there_is_unavailable() -> None:
    down = SimulatedBroker()
    down.is_down = True
    nowhere = KafkaBroker("127.0.0.1:1", "topic", options={"bootstrap_timeout_ms": 300})
    for broker in (down, nowhere):
        publisher, consumer = broker.publisher(), broker.consumer("readers")
        with pytest.raises(BrokerUnavailable):
            publisher.place()
        with pytest.raises(BrokerUnavailable):
            publisher.publish([Message(b"key", b"value")])
        with pytest.raises(BrokerUnavailable):
            consumer.poll(0.1)
        publisher.close()
        consumer.close()
    assert {thread for thread in enumerate_threads() if "kafka" in thread.name.lower()} == set()


def test_an_option_that_the_client_does_not_know_is_told() -> None:
    with pytest.raises(WrongOptions, match="sesame"):
        KafkaBroker("127.0.0.1:1", "topic", options={"sesame": "open"})

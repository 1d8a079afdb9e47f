"""Do relay and projectors lose and double nothing when members of the group or the broker die?"""

import signal
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from structlog.testing import capture_logs

from gateways.broker.kafka import KafkaBroker
from tests.support.broker import delivered, positions_of
from tests.support.kafka import SESSION_MS, KafkaServer
from tests.support.projections import Desk, Shown
from tests.workers.test_processes import differences, is_caught_up, projecting
from tests.workers.test_projector import busy
from tests.workers.test_relay import everything, is_published, relay_to
from workers.follower import GROUP, Follower

pytestmark = pytest.mark.serial

PATIENCE = 60.0
PARTITIONS = 4


def until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not true():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.05)


def in_turn(arrived: list[int]) -> list[int]:
    """What a consumer has that takes only the position after its last one."""
    taken: list[int] = []
    for position in arrived:
        if position == len(taken) + 1:
            taken.append(position)
    return taken


@pytest.fixture
def broker(own_kafka: KafkaServer) -> KafkaBroker:
    return KafkaBroker(own_kafka.address, f"test-{uuid4()}", session_ms=SESSION_MS)


@pytest.fixture
def desks(shown: Shown) -> list[Desk]:
    return [shown.here, shown.there] + [
        Desk(shown.record, shown.record.new_practice()) for _ in range(4)
    ]


@pytest.fixture
def shares(own_kafka: KafkaServer) -> Iterator[Callable[[], list[int]]]:
    """How many partitions each member of the group has."""
    with KafkaAdminClient(bootstrap_servers=own_kafka.address) as admin:

        def ask() -> list[int]:
            group = admin.describe_groups([GROUP])[GROUP]
            found = []
            for member in group["members"]:
                assigned = member["member_assignment"] or {"assigned_partitions": []}
                found += [sum(len(t["partitions"]) for t in assigned["assigned_partitions"])]
            return sorted(found)

        yield ask


def test_two_processes_share_the_partitions_and_one_is_killed(
    shown: Shown,
    broker: KafkaBroker,
    own_kafka: KafkaServer,
    desks: list[Desk],
    shares: Callable[[], list[int]],
) -> None:
    arguments = shown.record.ready.app_url, "3", own_kafka.address, broker.topic
    with relay_to(shown, broker), projecting(*arguments) as killed, projecting(*arguments) as other:
        until(lambda: shares() == [PARTITIONS // 2] * 2)
        for desk in desks:
            busy(desk, clients=2)
        killed.send_signal(signal.SIGKILL)
        for desk in desks:
            busy(desk, clients=1)
        until(lambda: is_caught_up(shown))
        until(lambda: shares() == [PARTITIONS])
        out, _ = other.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert b"projection_gap" not in out
    assert b"projection_stalled" not in out
    assert differences(shown) == []
    found = delivered(broker, sum(desk.head() for desk in desks))
    for desk in desks:
        assert positions_of(found, desk.practice_id) == everything(desk)


def test_a_broker_that_dies_and_one_that_has_forgotten_everything(
    shown: Shown, broker: KafkaBroker, own_kafka: KafkaServer, desks: list[Desk]
) -> None:
    def follower(group: str = GROUP) -> Follower:
        record = shown.record
        consumer = broker.consumer(group)
        return Follower(record.database, record.practices, shown.projections, consumer, batch=3)

    def work() -> None:
        for desk in desks:
            busy(desk, clients=1)

    with relay_to(shown, broker), follower():
        work()
        until(lambda: is_caught_up(shown))
        own_kafka.kill()
        work()
        own_kafka.start()
        until(lambda: is_published(shown) and is_caught_up(shown))
        assert differences(shown) == []
        own_kafka.wipe()
        work()
        own_kafka.start()
        place = broker.publisher().place()
        until(lambda: is_published(shown, place))
        until(lambda: is_caught_up(shown))
    assert differences(shown) == []
    found = delivered(broker, sum(desk.head() for desk in desks))
    for desk in desks:
        assert in_turn(positions_of(found, desk.practice_id)) == everything(desk)
    # And what it holds now is enough to make everything again, without a look at the record.
    for table in (table for projection in shown.projections for table in projection.tables):
        shown.record.admin(f"DELETE FROM projection.{table}")  # noqa: S608 - a name of ours
    shown.record.admin("UPDATE projection.position SET position = 0 WHERE name NOT LIKE 'relay%%'")
    with capture_logs() as logs, follower("anew"):
        until(lambda: is_caught_up(shown))
    assert {entry["event"] for entry in logs} == {"partitions_assigned", "partitions_revoked"}
    assert differences(shown) == []

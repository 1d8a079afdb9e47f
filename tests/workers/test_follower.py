"""Are projections fed by messages the same as those fed from the record, whatever arrives how?"""

import random
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from gateways.broker import Message
from gateways.broker.simulator import SimulatedBroker
from gateways.kms import KmsUnavailable
from projections.base import Projection
from projections.parking import parked
from projections.positions import set_back
from tests.projections.test_applying import filled
from tests.support.projections import Desk, Shown
from tests.workers.test_processes import differences, is_caught_up
from tests.workers.test_projector import WORD, Failing, busy, charts_are_right, make_due, until
from workers import follower as following
from workers.follower import GROUP, Follower
from workers.messages import key
from workers.relay import Relay, place_name


@pytest.fixture
def broker() -> SimulatedBroker:
    return SimulatedBroker()


@pytest.fixture
def relay(shown: Shown, broker: SimulatedBroker) -> Relay:
    return Relay(shown.record.database, broker.publisher(), shown.record.hints)


NONSENSE = Message(b"", b"")


class Hand:
    """A clock that stands still unless the test moves it on: nothing is looked for twice."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def join(shown: Shown, broker: SimulatedBroker, clock: Hand) -> Iterator[Callable[..., Follower]]:
    """Makes members of the group; they have looked around before anything was recorded."""
    members: list[Follower] = []

    def one(*projections: Projection, batch: int = 3) -> Follower:
        record = shown.record
        members.append(
            Follower(
                record.database,
                record.practices,
                projections or shown.projections,
                broker.consumer(GROUP),
                batch=batch,
                clock=clock,
            )
        )
        members[-1]._step()
        return members[-1]

    yield one
    for member in members:
        member.stop()


def positions(shown: Shown) -> list[tuple[object, ...]]:
    return shown.record.admin(
        "SELECT * FROM projection.position WHERE name NOT LIKE 'relay%%' ORDER BY 1, 2", ()
    )


def everything(shown: Shown) -> list[object]:
    return [
        shown.rows(one.question, desk)
        for one in shown.projections
        for desk in (shown.here, shown.there)
    ]


def test_they_are_what_a_rebuild_from_the_record_makes(
    shown: Shown, relay: Relay, join: Callable[..., Follower]
) -> None:
    member = join()
    filled(shown.here)
    filled(shown.there)
    relay.run_until_caught_up()
    with capture_logs() as logs:
        member._step()
    assert is_caught_up(shown)
    assert differences(shown) == []
    assert logs == [], "all came by messages"


def test_it_follows_in_the_background_as_one_of_several(
    shown: Shown, relay: Relay, broker: SimulatedBroker
) -> None:
    desks = [shown.here, shown.there, Desk(shown.record, shown.record.new_practice())]
    record = shown.record
    members = [
        Follower(record.database, record.practices, shown.projections, broker.consumer(GROUP))
        for _ in range(2)
    ]
    with relay, members[0], members[1]:
        for desk in desks:
            busy(desk, clients=2)
        until(lambda: is_caught_up(shown))
    assert differences(shown) == []


def test_every_message_delivered_again_changes_nothing(
    shown: Shown, relay: Relay, broker: SimulatedBroker, join: Callable[..., Follower]
) -> None:
    member = join()
    filled(shown.here)
    filled(shown.there)
    relay.run_until_caught_up()
    member._step()
    before = everything(shown), positions(shown)
    for desk in (shown.here, shown.there):
        place = place_name(broker.publisher().place())
        assert set_back(shown.record.database, desk.practice_id, place, 0)
    relay.run_until_caught_up()
    with capture_logs() as logs:
        member._step()
    assert member._consumer.poll(0) == []
    assert (everything(shown), positions(shown)) == before
    assert logs == []


@pytest.mark.parametrize("seed", range(4))
def test_lost_repeated_and_shuffled_messages_end_in_the_same(
    shown: Shown, relay: Relay, broker: SimulatedBroker, join: Callable[..., Follower], seed: int
) -> None:
    dice = random.Random(seed)
    member = join()
    busy(shown.here)
    busy(shown.there)
    relay.run_until_caught_up()
    for partition in broker.partitions:
        kept = [one for one in partition if dice.random() < 0.7]
        last_of_each = {one.key: one for one in partition}.values()
        arriving = [*last_of_each, *dice.choices(kept or partition or [NONSENSE], k=len(kept))]
        dice.shuffle(arriving)
        partition[:] = []
        while arriving:
            count = dice.randint(1, 4)
            partition.extend(arriving[:count])
            del arriving[:count]
            member._step()
    assert is_caught_up(shown)
    assert differences(shown) == []


def test_what_did_not_arrive_is_read_from_the_record_with_an_alarm(
    shown: Shown, relay: Relay, broker: SimulatedBroker, join: Callable[..., Follower]
) -> None:
    member = join()
    busy(shown.here)
    relay.run_until_caught_up()
    for partition in broker.partitions:
        del partition[3:5]
    with capture_logs() as logs:
        member._step()
    told = [
        (entry["projection"], entry["position"], entry["missing"])
        for entry in logs
        if entry["event"] == "projection_gap"
    ]
    assert told == [(one.name, 3, 2) for one in shown.projections]
    assert is_caught_up(shown)
    assert differences(shown) == []


def test_a_poison_event_is_parked_and_resumed_without_its_message(
    shown: Shown, relay: Relay, join: Callable[..., Follower], clock: Hand
) -> None:
    here, there = shown.here, shown.there
    failing = Failing(shown.record.keys, shown.record.practices)
    member = join(failing)
    busy(there)
    ana = here.register("Poisoned")
    here.sign(ana, WORD)
    here.sign(ana, "Afterwards")
    relay.run_until_caught_up()
    member._step()
    (one,) = parked(shown.record.database)
    assert (one.practice_id, one.position) == (here.practice_id, 2)
    assert charts_are_right(shown, there)
    here.sign(ana, "Later")
    relay.run_until_caught_up()
    with capture_logs() as logs:
        member._step()
    assert logs == [], "what follows a parked event is no gap"
    failing.is_broken = False
    make_due(shown)
    clock.at += following.LOOK_SECONDS
    member._step()
    assert parked(shown.record.database) == []
    assert charts_are_right(shown, here)


def test_an_outage_in_the_middle_loses_nothing(
    shown: Shown, relay: Relay, join: Callable[..., Follower]
) -> None:
    member = join()
    busy(shown.here)
    busy(shown.there)
    relay.run_until_caught_up()
    shown.record.keys.forget()
    shown.record.kms.is_down = True
    with pytest.raises(KmsUnavailable):
        member._step()
    shown.record.kms.is_down = False
    with capture_logs() as logs:
        member._step()
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert is_caught_up(shown)
    assert differences(shown) == []


def test_where_nothing_arrives_the_record_is_read_on_after_a_while(
    shown: Shown, broker: SimulatedBroker, relay: Relay, join: Callable[..., Follower], clock: Hand
) -> None:
    member = join()
    busy(shown.here)
    relay.run_until_caught_up()
    member._step()
    for partition in broker.partitions:
        partition.clear()
    busy(shown.here)
    for passing in (following.LOOK_SECONDS, following.STALL_SECONDS - 0.1):
        clock.at += passing
        with capture_logs() as logs:
            member._step()
        assert logs == []
        assert not is_caught_up(shown), "there is still hope"
    clock.at += following.LOOK_SECONDS
    with capture_logs() as logs:
        member._step()
    assert [entry["event"] for entry in logs] == ["projection_stalled"] * 2
    assert is_caught_up(shown)
    assert differences(shown) == []


def test_a_new_projection_begins_with_what_was_recorded_long_ago(
    shown: Shown, relay: Relay, join: Callable[..., Follower], clock: Hand
) -> None:
    member = join(shown["client_search"])
    busy(shown.here)
    relay.run_until_caught_up()
    member._step()
    member.stop()
    with capture_logs() as logs:
        join()
    assert logs == []
    assert charts_are_right(shown, shown.here)


def test_messages_that_carry_no_event_of_ours_stop_nobody(
    shown: Shown, relay: Relay, broker: SimulatedBroker, join: Callable[..., Follower]
) -> None:
    member = join()
    client = shown.here.register()
    relay.run_until_caught_up()
    strange = uuid4()
    (stored,) = (one for partition in broker.partitions for one in partition)
    value = stored.value[:1] + strange.bytes + stored.value[17:]
    broker.publisher().publish(
        [Message(key(shown.here.practice_id), b"nonsense"), Message(key(strange), value)]
    )
    shown.here.sign(client)
    relay.run_until_caught_up()
    with capture_logs() as logs:
        member._step()
    assert sorted(entry["event"] for entry in logs) == [
        "message_of_unknown_practice",
        "message_unreadable",
    ]
    assert is_caught_up(shown)
    assert member._consumer.poll(0) == []

"""How two records of one person become one, and two again."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.client.aggregate import (
    CLIENT,
    Client,
    ClientMerged,
    ClientsNotMerged,
    ClientUnknown,
    SameClient,
)
from domain.client.commands import RegisterClient
from domain.client.events import Details
from domain.kernel.errors import DomainError
from domain.kernel.events import Act
from domain.kernel.ids import ActorId, ClientId
from domain.usecases.merge_clients import merge, unmerge
from tests.support.spec import Streams

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RECEPTION = ActorId(UUID(int=9))
MARA, DOUBLE, TRIPLE, STRANGER = (ClientId(UUID(int=n)) for n in range(1, 5))


@pytest.fixture
def registered() -> Streams:
    """Three records of one person; nobody knows the stranger."""
    return three_records()


def three_records() -> Streams:
    streams = Streams()
    for client_id, name in ((MARA, "Mara"), (DOUBLE, "Maria"), (TRIPLE, "M.")):
        details = Details(given_name=name, family_name="Berg", birth_date=date(1984, 7, 19))
        command = RegisterClient(by=RECEPTION, at=NOON, client_id=client_id, details=details)
        streams.perform(Act(CLIENT, client_id, command))
    return streams


def merging(kept: ClientId, other: ClientId) -> tuple[Act, ...]:
    return merge(kept, other, "same person", by=RECEPTION, at=NOON)


def unmerging(kept: ClientId, other: ClientId) -> tuple[Act, ...]:
    return unmerge(kept, other, "twins after all", by=RECEPTION, at=NOON)


def client(streams: Streams, client_id: ClientId) -> Client:
    state: Client = streams.state(CLIENT, client_id)
    return state


def stored_types(streams: Streams, client_id: ClientId) -> list[str]:
    return [event.type for event in streams.events[client_id]]


def test_each_record_says_what_became_of_it(registered: Streams) -> None:
    registered.perform(*merging(MARA, DOUBLE))
    assert client(registered, MARA).absorbed == (DOUBLE,)
    assert client(registered, DOUBLE).merged_into == MARA
    assert stored_types(registered, MARA) == ["client.registered.v1", "client.absorbed.v1"]
    assert stored_types(registered, DOUBLE) == ["client.registered.v1", "client.merged_away.v1"]


@pytest.mark.parametrize(("kept", "other"), list(permutations((MARA, DOUBLE, TRIPLE), 2)))
def test_after_un_merging_both_records_are_as_before(
    registered: Streams, kept: ClientId, other: ClientId
) -> None:
    before = [client(registered, one) for one in (MARA, DOUBLE, TRIPLE)]
    registered.perform(*merging(kept, other))
    registered.perform(*unmerging(kept, other))
    assert [client(registered, one) for one in (MARA, DOUBLE, TRIPLE)] == before
    assert len(registered.events[kept]) == len(registered.events[other]) == 3  # all still legible


def test_a_chain_of_merges_is_undone_in_any_order(registered: Streams) -> None:
    before = [client(registered, one) for one in (MARA, DOUBLE, TRIPLE)]
    for undone in permutations([(DOUBLE, TRIPLE), (MARA, DOUBLE)]):
        registered.perform(*merging(DOUBLE, TRIPLE))
        registered.perform(*merging(MARA, DOUBLE))
        for kept, other in undone:
            registered.perform(*unmerging(kept, other))
        assert [client(registered, one) for one in (MARA, DOUBLE, TRIPLE)] == before


def test_records_may_be_merged_the_other_way_round_afterwards(registered: Streams) -> None:
    registered.perform(*merging(MARA, DOUBLE))
    registered.perform(*unmerging(MARA, DOUBLE))
    registered.perform(*merging(DOUBLE, MARA))
    assert client(registered, MARA).merged_into == DOUBLE
    assert client(registered, DOUBLE).merged_into is None


@pytest.mark.parametrize(
    ("acts", "refusal"),
    [
        (merging(MARA, MARA), SameClient),
        (merging(MARA, STRANGER), ClientUnknown),
        (merging(STRANGER, MARA), ClientUnknown),
        (merging(MARA, DOUBLE), ClientMerged),  # again
        (merging(DOUBLE, MARA), ClientMerged),  # round in a circle
        (merging(TRIPLE, DOUBLE), ClientMerged),
        (merging(DOUBLE, TRIPLE), ClientMerged),
        (unmerging(DOUBLE, MARA), ClientsNotMerged),
        (unmerging(MARA, TRIPLE), ClientsNotMerged),
        (unmerging(TRIPLE, DOUBLE), ClientsNotMerged),
        (unmerging(MARA, STRANGER), ClientsNotMerged),
    ],
)
def test_a_merge_happens_to_both_records_or_to_neither(
    registered: Streams, acts: tuple[Act, ...], refusal: type[DomainError]
) -> None:
    registered.perform(*merging(MARA, DOUBLE))
    before = {one: list(events) for one, events in registered.events.items()}
    with pytest.raises(refusal):
        registered.perform(*acts)
    assert registered.events == before


Request = tuple[Callable[[ClientId, ClientId], tuple[Act, ...]], ClientId, ClientId]
ids = st.sampled_from([MARA, DOUBLE, TRIPLE])
asked = st.lists(st.tuples(st.sampled_from([merging, unmerging]), ids, ids), max_size=14)


@given(asked)
def test_whatever_is_asked_both_sides_agree_and_every_path_ends(requests: list[Request]) -> None:
    streams = three_records()
    for act, one, other in requests:
        try:
            streams.perform(*act(one, other))
        except DomainError:
            continue
    everybody = {one: client(streams, one) for one in (MARA, DOUBLE, TRIPLE)}
    for one, state in everybody.items():
        assert len(set(state.absorbed)) == len(state.absorbed)
        for other, its_state in everybody.items():
            assert (other in state.absorbed) == (its_state.merged_into == one)
        steps, at = 0, one
        while (into := everybody[at].merged_into) is not None:
            steps, at = steps + 1, into
            assert steps < len(everybody), "the records point at each other in a circle"

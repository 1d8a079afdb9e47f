"""Who goes into which round, and does the lead ever get lost?"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record import rounds as module
from record.errors import GateBusy
from record.rounds import Rounds, Waiter

One = Waiter[int, str]
asked = st.lists(st.tuples(st.frozensets(st.integers(0, 5), max_size=3), st.integers(0, 9)))


def waiter(number: int, *keys: int, size: int = 1) -> One:
    return Waiter(number, keys, size)


@contextmanager
def waiting(rounds: Rounds[int, str], *ones: One) -> Iterator[list[Thread]]:
    """The callers come one after another; the first leads, the others wait until served."""
    rounds.join(ones[0])
    threads = []
    for count, one in enumerate(ones[1:], start=2):
        threads.append(Thread(target=rounds.join, args=(one,)))
        threads[-1].start()
        while rounds.waiting < count:
            sleep(0.0001)
    yield threads
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def serve(rounds: Rounds[int, str], leader: One) -> list[int]:
    """One round, as the gate does it."""
    taken = rounds.take()
    rounds.hand_on(leader)
    for one in taken:
        one.outcome = "done"
        if one is not leader:
            one.turn.release()
    return [one.asked for one in taken]


def test_who_waits_goes_together() -> None:
    rounds, ones = Rounds[int, str](), [waiter(number, number) for number in range(5)]
    with waiting(rounds, *ones):
        assert serve(rounds, ones[0]) == [0, 1, 2, 3, 4]
    assert rounds.waiting == 0
    rounds.join(last := waiter(9))  # nobody leads any more: it is hers
    assert serve(rounds, last) == [9]


def test_nobody_overtakes_on_the_same_stream() -> None:
    rounds = Rounds[int, str]()
    ones = [waiter(0, 1), waiter(1, 1, 2), waiter(2, 2), waiter(3, 3), waiter(4, 1)]
    with waiting(rounds, *ones):
        # 2 shares no stream with 0, but with 1, who came before her.
        assert serve(rounds, ones[0]) == [0, 3]
        assert serve(rounds, ones[1]) == [1]
        assert serve(rounds, ones[2]) == [2, 4]


@given(asked, st.integers(1, 8))
def test_every_order_is_kept_and_everybody_served_once(
    asked: list[tuple[frozenset[int], int]], most: int
) -> None:
    with pytest.MonkeyPatch.context() as small:
        small.setattr(module, "ROUND_COUNT", most)
        served, ones = serve_all(asked)
    assert sorted(served) == list(range(len(ones)))
    for key in range(6):
        mine = [number for number in served if key in ones[number].keys]
        assert mine == sorted(mine)


def serve_all(asked: list[tuple[frozenset[int], int]]) -> tuple[list[int], list[One]]:
    """Round after round until nobody waits; in which order they were served."""
    rounds = Rounds[int, str]()
    ones = [Waiter[int, str](number, keys, size) for number, (keys, size) in enumerate(asked)]
    served: list[int] = []
    for one in ones:
        rounds.enter(one)
    while rounds.waiting:
        taken = rounds.take()
        assert taken, "a round takes somebody"
        keys = [key for one in taken for key in one.keys]
        assert len(keys) == len(set(keys))
        served += [one.asked for one in taken]
    return served, ones


def test_a_round_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND_COUNT", 3)
    monkeypatch.setattr(module, "ROUND_BYTES", 10)
    rounds = Rounds[int, str]()
    sizes = (1, 1, 1, 1, 9, 1, 50, 1)
    ones = [waiter(number, size=size) for number, size in enumerate(sizes)]
    with waiting(rounds, *ones):
        assert serve(rounds, ones[0]) == [0, 1, 2]
        assert serve(rounds, ones[3]) == [3, 4]
        assert serve(rounds, ones[5]) == [5]
        # Longer than any round may be: it goes alone.
        assert serve(rounds, ones[6]) == [6]
        assert serve(rounds, ones[7]) == [7]


def test_who_comes_when_too_many_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_COUNT", 3)
    monkeypatch.setattr(module, "WAITING_BYTES", 100)
    rounds = Rounds[int, str]()
    ones = [waiter(0, size=500), waiter(1, size=1), waiter(2, size=1)]
    rounds.join(ones[0])  # however long: nobody else waits
    with pytest.raises(GateBusy):
        rounds.join(waiter(8))
    assert serve(rounds, ones[0]) == [0]
    ones = [waiter(number, size=33) for number in range(3)]
    with waiting(rounds, *ones):
        with pytest.raises(GateBusy):
            rounds.join(waiter(9, size=1))
        assert serve(rounds, ones[0]) == [0, 1, 2]
    rounds.join(last := waiter(10, size=101))
    assert serve(rounds, last) == [10]


def test_a_leader_who_gives_up_leaves_the_lead_to_the_next() -> None:
    rounds, ones = Rounds[int, str](), [waiter(number) for number in range(3)]
    with waiting(rounds, *ones):
        rounds.hand_on(ones[0])  # without having taken anybody, herself included
        assert serve(rounds, ones[1]) == [1, 2]


@pytest.mark.parametrize("is_told_to_lead", [False, True])
def test_somebody_interrupted_while_she_waits_holds_nobody_up(*, is_told_to_lead: bool) -> None:
    rounds = Rounds[int, str]()
    leader, me, other = (waiter(number, 7) for number in range(3))
    rounds.join(leader)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if is_told_to_lead:  # at the very moment
            assert serve(rounds, leader) == [0]
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            rounds.join(me)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if not is_told_to_lead:
        assert serve(rounds, leader) == [0]
    rounds.join(other)
    assert serve(rounds, other) == [2]

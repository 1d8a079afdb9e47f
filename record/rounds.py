"""Which appends go into one call? Group commit: those that wait at the same moment go together.

There is no thread for it. A caller who finds nobody at work leads a round: takes what waits, does
it in one call, hands the lead to the first of those who have come meanwhile, and wakes those whose
outcome is known. So a lone writer pays nothing, and nobody waits for a round to fill.
"""

from collections import deque
from collections.abc import Hashable, Iterable
from threading import Lock
from typing import Final, Generic, TypeVar

from record.errors import GateBusy

T = TypeVar("T")
A = TypeVar("A")

ROUND_COUNT: Final = 256
ROUND_BYTES: Final = 1 << 20
"""A round takes no more than this, so that the next one comes soon; what is longer goes alone."""
WAITING_COUNT: Final = 1_024
WAITING_BYTES: Final = 64 << 20
"""No more than this may wait: what the database cannot take is refused, not hoarded."""


class Waiter(Generic[T, A]):
    """One caller: what is asked, and what became of it."""

    __slots__ = ("asked", "is_leader", "keys", "outcome", "size", "turn")

    def __init__(self, asked: T, keys: Iterable[Hashable], size: int) -> None:
        self.asked = asked
        self.keys = frozenset(keys)
        """What may stand in a round only once."""
        self.size = size
        self.outcome: A | Exception | None = None
        self.is_leader = False
        self.turn = Lock()
        """Held from the beginning; whoever waits takes it again, once it has been released."""
        self.turn.acquire()


class Rounds(Generic[T, A]):
    """Those who wait, in the order they came, and whether somebody leads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[Waiter[T, A]] = deque()
        self._bytes = 0
        self._is_led = False

    def join(self, one: Waiter[T, A]) -> None:
        """Returns when the caller's outcome is known, or when it is hers to lead.

        Raises `GateBusy` where too much waits already.
        """
        if self.enter(one):
            return
        try:
            one.turn.acquire()
        except BaseException:  # Ctrl-C: the others go on
            self._leave(one)
            raise

    def enter(self, one: Waiter[T, A]) -> bool:
        """Takes a place without waiting; says whether it leads. Raises `GateBusy`."""
        with self._lock:
            if len(self._waiting) >= WAITING_COUNT or (
                self._waiting and self._bytes + one.size > WAITING_BYTES
            ):
                raise GateBusy
            self._waiting.append(one)
            self._bytes += one.size
            one.is_leader, self._is_led = not self._is_led, True
            return one.is_leader

    def take(self) -> list[Waiter[T, A]]:
        """What goes into the next call, at least the first of those who wait.

        Of two with a key in common the second stays for the next round, and so does whoever shares
        a key with her: nobody overtakes on the same stream.
        """
        taken, left = list[Waiter[T, A]](), list[Waiter[T, A]]()
        keys = set[Hashable]()
        size = 0
        with self._lock:
            while self._waiting and len(taken) < ROUND_COUNT:
                one = self._waiting[0]
                if taken and size + one.size > ROUND_BYTES:
                    break
                self._waiting.popleft()
                if keys.isdisjoint(one.keys):
                    taken.append(one)
                    size += one.size
                else:
                    left.append(one)
                keys |= one.keys
            self._waiting.extendleft(reversed(left))
            self._bytes -= size
        return taken

    def take_all(self) -> list[Waiter[T, A]]:
        """All who wait, for a leader who can do nothing for any of them."""
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
            self._bytes = 0
        return taken

    def hand_on(self, leader: Waiter[T, A]) -> None:
        """Lets the first of those who wait lead; without any, the next to come will."""
        with self._lock:
            self._hand_on(leader)

    @property
    def waiting(self) -> int:
        """How many wait for a round to take them."""
        return len(self._waiting)

    def _hand_on(self, leader: Waiter[T, A]) -> None:
        if self._waiting and self._waiting[0] is leader:  # she gave up before she took any
            self._remove(leader)
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].is_leader = True
            self._waiting[0].turn.release()

    def _leave(self, one: Waiter[T, A]) -> None:
        with self._lock:
            if one.is_leader:
                self._hand_on(one)
            elif one in self._waiting:  # else it is on its way, and nobody will ask how it went
                self._remove(one)

    def _remove(self, one: Waiter[T, A]) -> None:
        self._waiting.remove(one)
        self._bytes -= one.size

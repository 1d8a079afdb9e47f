"""What is kept in memory for a minute, so that a key that is destroyed is soon forgotten."""

from collections import OrderedDict
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

CACHE_SECONDS = 60
"""The longest time for which anything is kept."""


class Memory(Generic[K, V]):
    """A bounded number of values, each for a minute. Reading takes no lock: every event does it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        # A plain dictionary finds its oldest entry ever more slowly as the front is taken away.
        self._held: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        """The value, if it is kept and not too old."""
        held = self._held.get(key)
        return None if held is None or held[0] <= monotonic() else held[1]

    def put(self, key: K, value: V) -> None:
        """Keeps a value; the oldest ones, which stand first, make room."""
        now = monotonic()
        with self._lock:
            self._held.pop(key, None)
            while self._held:
                oldest = next(iter(self._held))
                if len(self._held) < self._limit and self._held[oldest][0] > now:
                    break
                self._held.popitem(last=False)
            self._held[key] = (now + CACHE_SECONDS, value)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._held.clear()

"""Who, outside the database, keeps the signed heads of our logs and refuses a contradiction?

Whoever holds the database and the sealing key can sign another history; he cannot take back the
heads that somebody else has. So a witness takes a head only if it is signed, not shorter than the
last one it took, and proven to begin with that one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


class WitnessUnavailable(Exception):
    """The witness does not answer; asking again later may help."""


class Stale(Exception):
    """The proof begins at another head than the one the witness holds, which is of this size."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Refused(Exception):
    """The witness will not take this head: an alarm. `reason` is a code, such as `forked`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Submission:
    """A signed head, and the proof that the log of that size begins with that of size `old`."""

    origin: str
    note: str
    old: int = 0
    proof: Sequence[bytes] = ()


class Witness(Protocol):
    """Takes heads. Each log is known by its origin, the first line of the note."""

    @property
    def name(self) -> str:
        """Tells the witnesses of one installation apart."""
        ...

    def add(self, submission: Submission) -> None:
        """Returns once the head is kept. Raises `Stale`, `Refused`, `WitnessUnavailable`."""
        ...


@runtime_checkable
class ReadableWitness(Witness, Protocol):
    """Keeps every head it took, for anybody to read again."""

    def count(self, origin: str) -> int:
        """How many heads of a log it keeps. Raises `WitnessUnavailable`."""
        ...

    def read(self, origin: str, number: int) -> str:
        """One of them, the oldest being 0. Raises `WitnessUnavailable`, `IndexError`."""
        ...


Rule = Callable[[Submission, str | None], None]
"""Judges a submission, given the note that is held. Raises `Stale` or `Refused`."""

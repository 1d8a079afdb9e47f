"""What can be wrong with a log, and where? The words in which a check of it ends."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the stored rows, or what was signed, contradict."""

    CHANGED = "changed"
    """A row is not the one its hash was taken of."""
    MISSING = "missing"
    """A row that was there is gone."""
    INSERTED = "inserted"
    """A row stands where there was none."""
    REORDERED = "reordered"
    """Rows stand in each other's places."""
    CUT = "cut"
    """The log ends earlier than it did."""
    REWRITTEN = "rewritten"
    """Rows and hashes agree with each other, and not with a head that was signed."""
    FORKED = "forked"
    """Two histories were signed, and this is only one of them."""
    FORGED = "forged"
    """A head that our key has not signed stands among the heads."""
    MISGROWN = "misgrown"
    """A stored node of the tree does not follow from the leaves below it."""
    MISCOUNTED = "miscounted"
    """A signed census does not count the entries of each client that there are."""
    UNWITNESSED = "unwitnessed"
    """A witness holds no head of a log that has been signed for a while."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a log, and the positions within which it lies."""

    log: str
    kind: Kind
    first: int
    last: int
    detail: str

    def __str__(self) -> str:
        one = f"position {self.first}"
        where = one if self.first == self.last else f"positions {self.first} to {self.last}"
        return f"{self.kind}: {where} of the {self.log} log: {self.detail}"


class Tampered(Exception):
    """A log is not what it was."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault

"""In which rows do two versions of a projection differ?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Rows = Iterator[tuple[UUID, bytes]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that a rebuild would not have made as it stands. Names it, and tells no content."""

    practice_id: UUID
    key: UUID
    what: Literal["missing", "surplus", "different"]
    """Where people read: a row is missing there, surplus there, or says something else."""


def differences(practice_id: UUID, live: Rows, rebuilt: Rows) -> Iterator[Difference]:
    """Walks both in the order of their keys."""
    old, new = next(live, None), next(rebuilt, None)
    while old is not None or new is not None:
        if old is not None and (new is None or old[0] < new[0]):
            yield Difference(practice_id, old[0], "surplus")
            old = next(live, None)
        elif new is not None and (old is None or new[0] < old[0]):
            yield Difference(practice_id, new[0], "missing")
            new = next(rebuilt, None)
        elif old is not None and new is not None:
            if old[1] != new[1]:
                yield Difference(practice_id, old[0], "different")
            old, new = next(live, None), next(rebuilt, None)

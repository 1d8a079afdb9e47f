"""How much does a run of the faults do, and what came of it? One line for each scenario."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.faults.checker import Objection
from tests.faults.history import History

LONG: Final = os.environ.get("PALIMPSEST_TEST_FAULTS") == "long"
"""`make faults`: the same scenarios with the counts that the figures are stated for."""


def times(short: int, long: int) -> int:
    """How often a scenario does its worst."""
    return long if LONG else short


@dataclass(frozen=True, slots=True)
class Figures:
    """What one scenario did and what came of it; all counts but `recovery`, in seconds."""

    scenario: str
    faults: int
    acknowledged: int
    unknown: int
    lost: int
    doubled: int
    objections: int
    recovery: float
    """The longest time from a fault to the next acknowledged operation."""


COLLECTED: list[Figures] = []


def conclude(
    scenario: str, history: History, found: list[Objection], faults: int, recovery: float = 0.0
) -> None:
    """Notes the scenario's figures; fails unless the checker had nothing to object to."""
    kinds = [one.kind for one in found]
    COLLECTED.append(
        Figures(
            scenario,
            faults,
            history.answered,
            history.unknown,
            kinds.count("lost"),
            kinds.count("doubled"),
            len(found),
            round(recovery, 1),
        )
    )
    assert found == [], "\n".join(str(one) for one in found[:20])


def table() -> list[str]:
    """The figures as lines of text."""
    names = list(Figures.__slots__)
    rows = [names, *([str(value) for value in asdict(one).values()] for one in COLLECTED)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]


def write(path: Path) -> None:
    """The figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in COLLECTED], indent=1) + "\n")

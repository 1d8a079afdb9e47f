"""Which words changed between two texts? A pure function; the templates draw it as ins and del."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\s+|\w+(?:[.,'\u2019/-]\w+)*%?|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")

# Comparing is quadratic in the worst case. Past this product of word counts the texts are first
# aligned by lines, and only the lines that differ are compared word by word.
_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text that was kept, added or removed."""

    op: Literal["same", "ins", "del"]
    text: str


def word_diff(before: str, after: str) -> tuple[Run, ...]:
    """Return the runs that lead from one text to the other.

    The ``same`` and ``del`` runs joined give ``before``; ``same`` and ``ins`` give ``after``.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    runs: list[Run] = []
    _add(runs, "same", old[:head])
    runs.extend(_middle("".join(middle_old), "".join(middle_new), middle_old, middle_new))
    _add(runs, "same", old[len(old) - tail :] if tail else [])
    return _tidy(runs)


def counts(runs: Sequence[Run]) -> tuple[int, int]:
    """Return how many words were added and how many were removed."""

    def words(op: str) -> int:
        return sum(len(run.text.split()) for run in runs if run.op == op)

    return words("ins"), words("del")


def _middle(before: str, after: str, old: list[str], new: list[str]) -> list[Run]:
    if len(old) * len(new) <= _LIMIT:
        return _compared(old, new)
    runs: list[Run] = []
    old_lines, new_lines = _LINES.findall(before), _LINES.findall(after)
    for op, a1, a2, b1, b2 in SequenceMatcher(
        None, old_lines, new_lines, autojunk=False
    ).get_opcodes():
        if op == "equal":
            _add(runs, "same", old_lines[a1:a2])
            continue
        gone, came = "".join(old_lines[a1:a2]), "".join(new_lines[b1:b2])
        gone_words, came_words = _WORDS.findall(gone), _WORDS.findall(came)
        if len(gone_words) * len(came_words) <= _LIMIT:
            runs.extend(_compared(gone_words, came_words))
        else:
            _add(runs, "del", [gone])
            _add(runs, "ins", [came])
    return runs


def _compared(old: list[str], new: list[str]) -> list[Run]:
    runs: list[Run] = []
    for op, a1, a2, b1, b2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            _add(runs, "same", old[a1:a2])
        else:
            _add(runs, "del", old[a1:a2])
            _add(runs, "ins", new[b1:b2])
    return runs


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for left, right in zip(old, new, strict=False):
        if left != right:
            break
        count += 1
    return count


def _add(runs: list[Run], op: Literal["same", "ins", "del"], words: Sequence[str]) -> None:
    if words:
        runs.append(Run(op, "".join(words)))


def _tidy(runs: list[Run]) -> tuple[Run, ...]:
    """Join neighbours, and let a lone space between two changes belong to both of them."""
    loose: list[Run] = []
    for place, run in enumerate(runs):
        is_inner = 0 < place < len(runs) - 1
        if run.op == "same" and run.text.isspace() and is_inner and "\n" not in run.text:
            loose += [Run("del", run.text), Run("ins", run.text)]
        else:
            loose.append(run)
    tidy: list[Run] = []
    pending: dict[str, str] = {"del": "", "ins": ""}

    def flush() -> None:
        tidy.extend(Run(op, pending[op]) for op in ("del", "ins") if pending[op])
        pending.update({"del": "", "ins": ""})

    for run in loose:
        if run.op == "same":
            flush()
            if tidy and tidy[-1].op == "same":
                tidy[-1] = Run("same", tidy[-1].text + run.text)
            else:
                tidy.append(run)
        else:
            pending[run.op] += run.text
    flush()
    return tuple(tidy)

"""How alike are two names, however they were typed? Pure text; knows no database."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

NEAR: Final = 0.15
"""Words that share fewer of their trigrams are not compared letter by letter."""
LIKE: Final = 0.6
"""Two words may be the same name if that share of the longer one is typed right."""

# Letters of their own right that people without them on the keyboard type so.
_TYPED = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
_PLAIN = re.compile("[a-z0-9]+")
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc\u02bb`\u00b4]")
_DATES: Final = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), (0, 1, 2)),
    (re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})"), (2, 0, 1)),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"), (2, 1, 0)),
)
_EXTENSION = re.compile(r"\s*(x|ext\.?)\s*\d*$", re.IGNORECASE)
_NATIONAL_DIGITS: Final = 10


def folded(text: str) -> str:
    """Words of plain lower-case letters and digits: no accents, apostrophes or hyphens."""
    text = _APOSTROPHES.sub("", text.casefold())
    if text.isascii():
        return " ".join(_PLAIN.findall(text))
    text = unicodedata.normalize("NFKD", text).casefold().translate(_TYPED)
    kinds = ((char, unicodedata.category(char)) for char in text)
    kept = (char if kind[0] in "LNM" else " " for char, kind in kinds if kind != "Mn")
    return " ".join("".join(kept).split())


def trigrams(words: Iterable[str]) -> frozenset[str]:
    """All runs of three characters; a word starts with two spaces and ends with one."""
    return frozenset[str]().union(*map(_threes, words))


@lru_cache(maxsize=10_000)
def _threes(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def likeness(word: str, other: str) -> float:
    """How well one typed word answers to a name: 1 if equal, 0 if it must be another name."""
    if word == other:
        return 1.0
    if other.startswith(word):
        return 0.9 + 0.09 * len(word) / len(other)
    mine, theirs = _threes(word), _threes(other)
    common = len(mine & theirs)
    if common < NEAR * (len(mine) + len(theirs) - common):
        return 0.0
    right = 1 - slips(word, other) / max(len(word), len(other))
    return 0.9 * right if right >= LIKE else 0.0


def slips(word: str, other: str) -> int:
    """The fewest slips that make one word of the other: a letter more, less, wrong, or swapped."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, char in enumerate(word, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            fewest = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (char != wanted))
            is_swapped = (
                row > 1
                and column > 1
                and (word[row - 2], char)
                == (
                    wanted,
                    other[column - 2],
                )
            )
            now.append(min(fewest, before[column - 2] + 1) if is_swapped else fewest)
        before, last = last, now
    return last[-1]


def match(asked: Sequence[str], names: Sequence[str]) -> float:
    """How well a person's names answer the words asked for, in any order; 0 if they do not.

    Each word must be found. Of three or more, one may be missing.
    """
    split = [name.split() for name in names]
    # Maryann is found as Mary Ann, and Delacruz as de la Cruz.
    parts = {part for words in split for part in (*words, "".join(words))}
    best = [max((likeness(word, part) for part in parts), default=0.0) for word in asked]
    found = [score for score in best if score > 0]
    if len(found) < len(asked) - (len(asked) > 2):  # noqa: PLR2004 - see the docstring
        return 0.0
    surplus = max(0, sum(map(len, split)) - len(asked))
    return sum(found) / max(1, len(asked)) - 0.01 * surplus


def phone_digits(text: str) -> str:
    """The digits without extension and without the +1 that some people write."""
    digits = "".join(re.findall("[0-9]", _EXTENSION.sub("", text)))
    has_country = text.lstrip().startswith("+1") or len(digits) == _NATIONAL_DIGITS + 1
    return digits[1:] if has_country and digits.startswith("1") else digits


def phone_grams(digits: str) -> frozenset[str]:
    """All runs of three digits, marked as such."""
    return frozenset(f"#{digits[start : start + 3]}" for start in range(len(digits) - 2))


def birth_date(text: str) -> date | None:
    """A day as people type it: 1990-02-28, 02/28/1990 or 28.02.1990."""
    for pattern, (year, month, day) in _DATES:
        written = pattern.fullmatch(text)
        if written:
            parts = [int(part) for part in written.groups()]
            try:
                return date(parts[year], parts[month], parts[day])
            except ValueError:
                return None
    return None

"""How alike are two names, however they were typed? Pure text; knows no database."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

LIKE: Final = 0.3
"""From this share of common trigrams on, two words may be the same name: Jonson and Johnson
share 0.5, Smiht and Smith 0.33."""

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
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).casefold().translate(_TYPED)
        text = "".join(char for char in text if unicodedata.category(char) != "Mn")
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in text)
    return " ".join("".join(kept).split())


def trigrams(words: Iterable[str]) -> frozenset[str]:
    """All runs of three characters; a word starts with two spaces and ends with one."""
    return frozenset(
        padded[start : start + 3]
        for padded in (f"  {word} " for word in words)
        for start in range(len(padded) - 2)
    )


def likeness(word: str, other: str) -> float:
    """From 0 to 1: equal, begun the same way, or else the share of common trigrams."""
    if word == other:
        return 1.0
    if other.startswith(word):
        return 0.9 + 0.09 * len(word) / len(other)
    mine, theirs = trigrams((word,)), trigrams((other,))
    common = len(mine & theirs)
    return 0.9 * common / (len(mine) + len(theirs) - common)


def match(asked: Sequence[str], names: Sequence[str]) -> float:
    """How well a person's names answer the words asked for, in any order; 0 if they do not.

    Each word must be found. Of three or more, one may be missing.
    """
    split = [name.split() for name in names]
    # Maryann is found as Mary Ann, and Delacruz as de la Cruz.
    parts = {part for words in split for part in (*words, "".join(words))}
    best = [max((likeness(word, part) for part in parts), default=0.0) for word in asked]
    found = [score for score in best if score >= LIKE]
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

"""What counts as acceptable text, dates and moments, when people enter them and when we read them.

Whoever enters something gets it checked and normalised. What is stored was checked when it was
entered and is read as it stands: a limit tightened later, or a newer Unicode table, must neither
hide a page of the record nor change a letter of it.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NAME_MAX = 200
"""Characters in a person's given or family name, or in any other single line."""
SECTION_MAX = 100_000
"""Characters in one section of a note."""
REASON_MAX = 2_000
"""Characters in the reason for an act."""
MARKS_MAX = 30
"""Combining marks in a row (the limit of Unicode's stream-safe format, UAX #15). No language comes
near it, and normalising takes time that grows with the square of the run."""
OFFSET_MAX = timedelta(hours=16)
"""PostgreSQL takes no larger offset from UTC; the largest in use is 14 hours."""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
"""Moments from the earliest, included, to the latest, excluded, are more than a typing error."""

# Line breaks and tabs are writing; every other control character is a mistake or an attack.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BREAK = re.compile("[\n\t\u2028\u2029]")
# Overrides and isolates turn the reading direction: a name with one is shown as another name.
_TURN = re.compile("[\u202a-\u202e\u2066-\u2069]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[Tt ].+")


class _AsItStands:
    """Chooses by how one validates: strictly, as stored events are read, the bare type will do."""

    def __get_pydantic_core_schema__(
        self, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.lax_or_strict_schema(
            lax_schema=handler(source), strict_schema=handler.generate_schema(source)
        )


_AS_IT_STANDS = _AsItStands()


def is_blank(text: str) -> bool:
    """True when nothing of the text would be seen: spaces, or characters without a shape."""
    return all(unicodedata.category(char)[0] in "ZC" for char in text)


def _clean(text: str) -> str:
    """Normalises line ends and Unicode (NFC); refuses control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise PydanticCustomError("control_characters", "Control characters are not allowed.")
    if text.isascii():
        return text
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > MARKS_MAX:
            raise PydanticCustomError("combining_marks", "Too many accents on one character.")
    return unicodedata.normalize("NFC", text)


def _section(value: object, accept: ValidatorFunctionWrapHandler) -> object:
    """Cleans before `accept` counts, so that what was accepted once is accepted again."""
    return accept(_clean(value) if isinstance(value, str) else value)


def _prose(value: object, accept: ValidatorFunctionWrapHandler) -> object:
    text = _section(value, accept)
    if is_blank(str(text)):
        raise PydanticCustomError("blank", "Write something that can be seen.")
    return text


def _line(value: object, accept: ValidatorFunctionWrapHandler) -> object:
    text = _prose(value, accept)
    if _BREAK.search(str(text)):
        raise PydanticCustomError(
            "control_characters", "Line breaks and tabs are not allowed here."
        )
    if _TURN.search(str(text)):
        raise PydanticCustomError(
            "control_characters", "Characters that turn the reading direction are not allowed here."
        )
    return text


def _address(value: object, accept: ValidatorFunctionWrapHandler) -> object:
    text = _line(value, accept)
    if any(unicodedata.category(char) == "Cf" for char in str(text)):
        raise PydanticCustomError(
            "control_characters", "Invisible characters are not allowed here."
        )
    return text


def _day(value: object) -> object:
    """Takes `2026-03-02`; a number, also in quotes, would silently be read as a Unix time."""
    written = isinstance(value, str) and _DAY.fullmatch(value)
    if written or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise PydanticCustomError("written_as_text", "Write the day as text: YYYY-MM-DD.")


def _moment(value: object) -> object:
    """Takes `2026-03-02T12:00:00-05:00`, and no number, for the same reason."""
    written = isinstance(value, str) and _MOMENT.fullmatch(value)
    if written or isinstance(value, datetime):
        return value
    raise PydanticCustomError(
        "written_as_text", "Write the moment as text, with date, time, offset."
    )


def _possible(moment: datetime) -> datetime:
    """Refuses what a database or a calendar could not give back as it was."""
    if abs(moment.utcoffset() or timedelta(0)) >= OFFSET_MAX:
        raise PydanticCustomError("impossible_moment", "No place is that far from UTC.")
    if not EARLIEST <= moment < LATEST:
        raise PydanticCustomError("impossible_moment", "The moment is too early or too late.")
    return moment


Section = Annotated[
    str,
    StringConstraints(strict=True, max_length=SECTION_MAX),
    WrapValidator(_section),
    _AS_IT_STANDS,
]
Prose = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=SECTION_MAX),
    WrapValidator(_prose),
    _AS_IT_STANDS,
]
Reason = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=REASON_MAX),
    WrapValidator(_prose),
    _AS_IT_STANDS,
]
Line = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=NAME_MAX),
    WrapValidator(_line),
    _AS_IT_STANDS,
]
Name = Line
Phone = Annotated[
    str,
    StringConstraints(
        strict=True,
        strip_whitespace=True,
        # As people write it, an extension included: +1 (212) 555-0100 x12
        pattern=r"^\+?\(?[0-9][0-9 ().\-/]{3,38}[0-9]( ?(x|ext\.?) ?[0-9]{1,6})?$",
    ),
    WrapValidator(_line),
    _AS_IT_STANDS,
]
Email = Annotated[
    str,
    StringConstraints(
        strict=True,
        strip_whitespace=True,
        max_length=254,
        pattern=r"^[^@\s<>,;]{1,64}@([^@\s<>,;.]+\.)+[^@\s<>,;.]{2,}$",
    ),
    WrapValidator(_address),
    _AS_IT_STANDS,
]
Day = Annotated[date, BeforeValidator(_day), _AS_IT_STANDS]
Moment = Annotated[
    AwareDatetime, BeforeValidator(_moment), AfterValidator(_possible), _AS_IT_STANDS
]

"""What counts as acceptable text, dates and moments in a command or an event."""

import unicodedata
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

NAME_MAX = 200
"""Characters in a person's given or family name."""
SECTION_MAX = 100_000
"""Characters in one section of a note."""
REASON_MAX = 2_000
"""Characters in the reason for an act."""

# Line breaks and tabs are writing; every other control character is a mistake or an attack.
_WRITING = frozenset("\n\t")


def _plain(text: str) -> str:
    """Normalises line ends and Unicode (NFC); refuses control characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if any(unicodedata.category(char) == "Cc" and char not in _WRITING for char in text):
        code, message = "control_characters", "Control characters are not allowed."
        raise PydanticCustomError(code, message)
    return text


def _one_line(text: str) -> str:
    if not _WRITING.isdisjoint(text):
        code, message = "control_characters", "Line breaks and tabs are not allowed here."
        raise PydanticCustomError(code, message)
    return text


def _written(value: object) -> object:
    """JSON has no dates: a number would silently be read as a Unix time."""
    if isinstance(value, str | date | datetime):
        return value
    code, message = "written_as_text", "Write it as text, in ISO 8601."
    raise PydanticCustomError(code, message)


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    AfterValidator(_plain),
    AfterValidator(_one_line),
]
Name = Annotated[Line, Field(max_length=NAME_MAX)]
Phone = Annotated[Line, StringConstraints(pattern=r"^\+?[0-9][0-9 ().\-/]{3,38}[0-9]$")]
Email = Annotated[
    Line,
    StringConstraints(pattern=r"^[^@\s<>,;]{1,64}@[^@\s<>,;]+\.[^@\s<>,;]{2,}$", max_length=254),
]
Section = Annotated[str, Field(max_length=SECTION_MAX), AfterValidator(_plain)]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SECTION_MAX),
    AfterValidator(_plain),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_MAX),
    AfterValidator(_plain),
]
Day = Annotated[date, BeforeValidator(_written)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written)]

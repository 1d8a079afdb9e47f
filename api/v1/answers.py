"""What the JSON routes have in common: the answer to a write, a page of a list, waiting."""

import re
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query, Response
from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from api.problems import WORDS, Problem
from domain.kernel.events import Frozen
from domain.kernel.text import Moment

Item = TypeVar("Item")

PAGE = 50
"""Items on a page of a list."""

# In an address an unescaped plus sign is a space: 14:05:00+01:00 arrives as 14:05:00 01:00.
_LOST_PLUS = re.compile(r"^(\S+T\S+) (\d\d:\d\d)$")


def _as_meant(text: object) -> object:
    """What a parameter of an address says; an empty one says nothing."""
    if not isinstance(text, str):
        return text
    return _LOST_PLUS.sub(r"\1+\2", text) or None


def _as_place(text: object, accept: ValidatorFunctionWrapHandler) -> object:
    """One refusal, not one for each thing that a place might have been."""
    try:
        return accept(text)
    except ValidationError as error:
        raise PydanticCustomError(
            "not_a_place", "{words}", {"words": WORDS["not_a_place"]}
        ) from error


Instant = Annotated[Moment | None, BeforeValidator(_as_meant)]
# One after the other: a union's own way of choosing would pass over what a moment is checked for.
Place = Annotated[
    Annotated[int | Moment, Field(union_mode="left_to_right")] | None,
    BeforeValidator(_as_meant),
    WrapValidator(_as_place),
]
After = Annotated[int | None, Query(ge=0, description="Wait until the read shows this position.")]


class WrittenOut(Frozen):
    """What a write did."""

    id: UUID
    version: int
    position: int


class Page(Frozen, Generic[Item]):
    """A page of a list; `next` leads to the following one."""

    items: list[Item]
    next: int | None = None


def written(response: Response, answer: object) -> WrittenOut:
    """The body and the position header of a write."""
    out = WrittenOut.model_validate(answer, from_attributes=True)
    response.headers["Palimpsest-Position"] = str(out.position)
    response.headers["ETag"] = f'"{out.version}"'
    return out


REFUSALS: dict[int | str, dict[str, object]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        400: "Malformed JSON",
        401: "Not signed in, or the session has ended",
        403: "The role does not allow it",
        404: "No such thing in this practice",
        409: "The record is not in a state that allows it",
        422: "A field needs another look",
        503: "The database or the access log does not answer",
    }.items()
}

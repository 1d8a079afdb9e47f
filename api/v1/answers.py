"""What the JSON routes have in common: the answer to a write, a page of a list, waiting."""

from time import monotonic, sleep
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query, Response

from api.asking import Asking
from api.problems import Problem, ProjectionBehind
from domain.kernel.events import Frozen

Item = TypeVar("Item")

PAGE = 50
"""Items on a page of a list."""
WAIT_SECONDS = 2.0
"""How long a read waits for a position it was asked to wait for."""

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


def wait_for(asking: Asking, after: int | None) -> None:
    """Waits until the search shows a position: the one asked for, else briefly the newest.

    Raises `ProjectionBehind` if the one asked for does not come.
    """
    search = asking.platform.client_search
    practice_id = asking.context.practice_id
    goal = asking.practice.position() if after is None else after
    deadline = monotonic() + (WAIT_SECONDS if after is not None else WAIT_SECONDS / 10)
    while search.position(practice_id) < goal:
        if monotonic() > deadline:
            if after is not None:
                raise ProjectionBehind
            return
        sleep(0.005)


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

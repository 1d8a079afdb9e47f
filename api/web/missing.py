"""What does an address say that names no page of ours?"""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.routing import Match
from starlette.types import Scope

from api.asking import Public
from api.web.page import PageRoute
from domain.kernel.errors import NotFound


class PageForPeople(PageRoute):
    """Matches whatever no other route took, except what programs ask for: they get JSON."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leaves the JSON contract alone."""
        if scope.get("path", "").startswith("/v1"):
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=PageForPeople, include_in_schema=False)


class NoSuchPage(NotFound):
    """The address names no page."""


@router.get("/{address:path}")
def missing(address: str, _: Annotated[None, Depends(Public())]) -> None:
    """404 as a page, with the way back to the clients."""
    del address
    raise NoSuchPage

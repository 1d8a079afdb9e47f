"""Where do browsers get styles, scripts, fonts and the mark?"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse

from api.asking import Public
from api.web.page import PageRoute
from api.web.rendering import STATIC
from domain.kernel.errors import NotFound

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Everybody = Annotated[None, Depends(Public())]

# A name under assets/ carries a digest of what is in it: it never means anything else.
_FOR_EVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


class NoSuchFile(NotFound):
    """The build made no such file."""


@router.get("/static/{path:path}")
def static(path: str, _: Everybody) -> FileResponse:
    """A file of the build. 404 for anything else, whatever the path tries."""
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC.resolve()) or not file.is_file():
        raise NoSuchFile
    is_hashed = path.startswith("assets/")
    media_type = "font/woff2" if file.suffix == ".woff2" else None
    headers = {"Cache-Control": _FOR_EVER if is_hashed else _AN_HOUR}
    return FileResponse(file, headers=headers, media_type=media_type)

"""Is the service alive, ready, and how is it doing?"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.asking import Public, platform_of

router = APIRouter(tags=["service"])
Everybody = Annotated[None, Depends(Public())]


@router.get("/healthz")
def healthz(_: Everybody) -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request, _: Everybody) -> dict[str, str]:
    """The database answers too. 503 `database_unavailable`."""
    platform_of(request).database.call("SELECT 1")
    return {"status": "ready"}


@router.get("/metrics", include_in_schema=False)
def metrics(_: Everybody) -> Response:
    """Prometheus metrics: counts and times, nothing about anybody."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

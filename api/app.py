"""The web application: routes, refusals, headers and what is measured of each request."""

import logging
from collections.abc import Mapping, Sequence
from time import perf_counter
from uuid import uuid4

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import Counter, Histogram
from psycopg import Error as DatabaseError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asking import undeclared
from api.platform import Platform
from api.problems import MEDIA_TYPE, WORDS, Problem, problem_of, request_id
from api.v1 import clients, health, notes
from api.v1 import log as log_routes
from domain.kernel.errors import DomainError
from gateways.kms import KmsUnavailable
from record.database import DatabaseUnavailable
from record.errors import Contradicted

log = structlog.get_logger(__name__)

REQUESTS = Counter("palimpsest_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("palimpsest_request_seconds", "Time to answer", ["route"])

BODY_MAX = 5 * 1024 * 1024
"""Bytes; four sections of 100,000 characters in any script fit, escaped as JSON may be."""

# Nothing but our own files; no page of ours in anybody's frame.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


REFUSED = (
    DomainError,
    RequestValidationError,
    DatabaseUnavailable,
    DatabaseError,
    KmsUnavailable,
    Contradicted,
)


class UndeclaredRoutes(Exception):
    """Start-up fails when a route declares neither a permission nor that it is public."""


def create_app(platform: Platform, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """Builds the application. Raises `UndeclaredRoutes`."""
    app = FastAPI(
        title="Palimpsest",
        summary="The record of a medical spa, in which nothing is ever overwritten.",
        version="1",
        docs_url=None,
        redoc_url=None,
    )
    app.state.platform = platform
    routers = [health.router, clients.router, notes.router, log_routes.router, *pages]
    missing = undeclared(routers)
    if missing:
        raise UndeclaredRoutes(", ".join(missing))
    for router in routers:
        app.include_router(router)
    for kind in REFUSED:
        app.add_exception_handler(kind, refuse)
    app.add_exception_handler(HTTPException, refuse_http)
    app.add_middleware(Envelope)
    return app


async def refuse(request: Request, error: Exception) -> Response:
    """Answers a refusal as a problem; what is ours to mend or the database's is logged."""
    problem = problem_of(error, request)
    if problem.status >= 500:  # noqa: PLR2004 - not the asker's doing
        is_alarm = problem.code in {"internal_error", "record_contradicted"}
        level = logging.ERROR if is_alarm else logging.WARNING
        log.log(
            level,
            "request_failed",
            code=problem.code,
            request_id=problem.request_id,
            exc_info=error,
        )
    return answer(problem)


async def refuse_http(request: Request, error: Exception) -> Response:
    """Answers what the framework itself refuses: addresses, methods, bodies it cannot read."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    is_json = "json" in request.headers.get("content-type", "")
    title, code = {
        400: ("Not valid", "malformed_json" if is_json else "invalid"),
        404: ("Not found", "not_found"),
        405: ("Not allowed", "method_not_allowed"),
        413: ("Too large", "too_large"),
    }.get(status, ("Not valid", "invalid"))
    problem = Problem(
        title=title,
        status=status,
        code=code,
        detail=WORDS[code],
        request_id=request_id(request),
    )
    return answer(problem, headers)


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The response that carries a problem."""
    headers = dict(headers or {})
    if problem.status == 401:  # noqa: PLR2004 - not signed in
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status == 503:  # noqa: PLR2004 - unavailable
        headers["Retry-After"] = "1"
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers, media_type=MEDIA_TYPE
    )


class Envelope:
    """Around every request: an id, a size limit, safe headers, a log line, a measurement."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; other kinds of traffic pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        scope.setdefault("state", {})["request_id"] = uuid4()
        status = 500
        answered = False
        received = 0

        async def receive_in() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_MAX:  # sent in pieces, without saying how much will come
                raise HTTPException(413)
            return message

        async def send_out(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Request-Id"] = str(scope["state"]["request_id"])
            await send(message)

        try:
            if _too_large(scope):
                refusal = await refuse_http(Request(scope), HTTPException(413))
                await refusal(scope, receive, send_out)
            else:
                await self.app(scope, receive_in, send_out)
        except Exception as error:  # noqa: BLE001 - the last net: nothing of it may leave
            refusal = await refuse(Request(scope), error)
            if not answered:
                await refusal(scope, receive, send_out)
        finally:
            _measure(scope, status, perf_counter() - started)


def _too_large(scope: Scope) -> bool:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return not length.isdigit() or int(length) > BODY_MAX


def _measure(scope: Scope, status: int, seconds: float) -> None:
    """Counts by the route's pattern: an address may name a client, its pattern never does."""
    route = getattr(scope.get("route"), "path", "unmatched")
    REQUESTS.labels(scope["method"], route, status).inc()
    SECONDS.labels(route).observe(seconds)
    log.info(
        "request",
        method=scope["method"],
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=str(scope["state"]["request_id"]),
    )

"""How does a person get in, and out again?"""

import hmac
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.background import BackgroundTask

from api.asking import COOKIES, BadCsrf, Public, ask, platform_of, secret_of
from api.platform import Platform
from api.security.identity import SESSION_LASTS, NotSignedIn, SessionExpired
from api.web.flashes import FLASH_COOKIE, IDLE
from api.web.page import SIGN_IN, Form, PageRoute, form_of
from api.web.rendering import render
from api.web.views.frame import Frame
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, CommandId, PracticeId
from record.database import DatabaseUnavailable
from record.errors import AccessNotLogged

log = structlog.get_logger(__name__)

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Everybody = Annotated[None, Depends(Public())]
Sent = Annotated[Form, Depends(form_of)]

WRONG = "That e-mail and password do not go together."
TOO_OFTEN = "Too many tries. Wait a minute and try again."

# Guessing is slow by argon2id and stops here: wrong tries per address and per e-mail address.
_PER_ADDRESS = RateLimitItemPerMinute(30)
_PER_EMAIL = RateLimitItemPerMinute(10)
_TRIES = MovingWindowRateLimiter(MemoryStorage())


@router.get("/")
def home(_: Everybody) -> Response:
    """The clients are where work begins."""
    return RedirectResponse("/clients", 303)


@router.get(SIGN_IN)
def sign_in_page(request: Request, _: Everybody, next: str = "/clients") -> Response:  # noqa: A002 - the address says next
    """The sign-in; it says so when the session ended by itself."""
    code = request.cookies.get(FLASH_COOKIE)
    minutes = round(platform_of(request).identity.idle.total_seconds() / 60)
    notice = IDLE.format(minutes=minutes) if code == "idle" else ""
    if code == "signed_out":
        notice = "You are signed out."
    response = _page(next_=_inside(next), notice=notice)
    response.delete_cookie(FLASH_COOKIE)
    return response


@router.post(SIGN_IN)
def sign_in(request: Request, _: Everybody, form: Sent) -> Response:
    """Starts a session. 401 for a wrong pair, 429 for too many tries; the same words for both."""
    _same_origin(request)
    email, next_ = form.get("email", "").strip()[:254], _inside(form.get("next", ""))
    address = request.client.host if request.client else ""
    tried = ((_PER_ADDRESS, address), (_PER_EMAIL, email.casefold()))
    if not all(_TRIES.test(limit, who) for limit, who in tried):
        log.warning("sign_in_too_often", request_id=str(request.state.request_id))
        return _page(429, email=email, next_=next_, error=TOO_OFTEN)
    platform = platform_of(request)
    found = platform.identity.who_has(email, form.get("password", "")[:1000])
    if not found:
        for limit, who in tried:
            _TRIES.hit(limit, who)
        log.warning("sign_in_refused", request_id=str(request.state.request_id))
        refused = _page(401, email=email, next_=next_, error=WRONG)
        # Only once the answer is out: the time it takes must not tell who has an account.
        refused.background = BackgroundTask(_note_refused, request, platform, email)
        return refused
    practice_id, member_id = found[0]
    now = platform.clock.now()
    secret = platform.identity.begin(practice_id, member_id, "session", at=now)
    _noted(request, platform, secret)
    before, is_cookie = secret_of(request)
    if before is not None and is_cookie:
        platform.identity.end(before, at=now)
    response = RedirectResponse(next_, 303)
    is_tls = request.url.scheme == "https"
    response.set_cookie(
        COOKIES[0] if is_tls else COOKIES[1],
        secret,
        max_age=int(SESSION_LASTS / timedelta(seconds=1)),
        httponly=True,
        secure=is_tls,
        samesite="lax",
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, _: Everybody, form: Sent) -> Response:
    """Ends the session. Nobody else's form can do it: 403 `csrf`."""
    platform = platform_of(request)
    response = RedirectResponse(SIGN_IN, 303)
    try:
        asking = ask(request)
    except (NotSignedIn, SessionExpired):
        return response
    if not hmac.compare_digest(form.get("csrf", "").encode(), asking.member.csrf.encode()):
        raise BadCsrf
    asking.note("sign_out", "session")
    platform.identity.end(asking.member.secret, at=asking.context.at)
    for name in COOKIES:
        response.delete_cookie(name, secure=name.startswith("__Host-"), httponly=True)
    response.set_cookie(FLASH_COOKIE, "signed_out", max_age=60, httponly=True, samesite="lax")
    return response


def _noted(request: Request, platform: Platform, secret: str) -> None:
    """Nobody is in before the access log says so. Raises `AccessNotLogged`."""
    member = platform.identity.member(secret, at=platform.clock.now())
    context = _context(request, member.practice_id, member.member_id, member.role)
    platform.accesses.note(context, "sign_in", "session", origin=_origin(request))


def _note_refused(request: Request, platform: Platform, email: str) -> None:
    """Somebody tried to be a member: her practice can see it. What was typed is kept nowhere."""
    try:
        for member in platform.identity.known_as(email):
            context = _context(request, *member)
            platform.accesses.note(
                context, "sign_in", "session", outcome="denied", origin=_origin(request)
            )
    except (AccessNotLogged, DatabaseUnavailable):
        log.exception("refused_sign_in_not_noted", request_id=str(request.state.request_id))


def _context(request: Request, practice_id: PracticeId, member_id: ActorId, role: str) -> Context:
    return Context(
        practice_id=practice_id,
        actor_id=member_id,
        role=role,
        at=platform_of(request).clock.now(),
        command_id=CommandId(uuid4()),
        correlation_id=request.state.request_id,
    )


def _origin(request: Request) -> str:
    address = request.client.host if request.client else ""
    return f"{address} {request.headers.get('user-agent', '')}".strip()


def _page(
    status: int = 200,
    *,
    email: str = "",
    next_: str = "/clients",
    error: str = "",
    notice: str = "",
) -> HTMLResponse:
    frame = Frame(practice="", csrf="", ticket="")
    return HTMLResponse(
        render("sign_in.html", frame=frame, email=email, next=next_, error=error, notice=notice),
        status,
    )


def _inside(next_: str) -> str:
    """Only a path of ours: a sign-in must not be the way to somebody else's page."""
    parts = urlsplit(next_)
    is_path = next_.startswith("/") and not next_.startswith(("//", "/\\")) and not parts.netloc
    return parts.path if is_path and parts.path != SIGN_IN else "/clients"


def _same_origin(request: Request) -> None:
    """Before a session there is no token; the browser itself says where a form comes from."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise BadCsrf
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise BadCsrf

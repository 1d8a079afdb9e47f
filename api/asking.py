"""Who asks for what: the dependency through which every route declares its permission."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, ParamSpec, TypeVar
from uuid import UUID, uuid4
from weakref import WeakSet

from fastapi import APIRouter, Depends, Header, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.platform import Platform
from api.security.identity import Member, NotSignedIn
from domain.kernel.errors import Forbidden, Invalid
from domain.kernel.events import Context
from domain.kernel.ids import CommandId, derived
from domain.kernel.permissions import Permission
from record.access import Action, Outcome
from record.practice import Practice

P = ParamSpec("P")
T = TypeVar("T")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIES = ("__Host-palimpsest", "palimpsest")
"""The session cookie over TLS, and on a local machine without it."""
VERSION_DIGITS = 9
"""A stream version is a PostgreSQL integer."""


class BadCsrf(Forbidden):
    """A browser's session must show that the request comes from our own page."""

    code = "csrf"


class BadIfMatch(Invalid):
    """If-Match takes a stream version, with or without quotes."""

    code = "invalid_if_match"
    field = "If-Match"


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: who asks, on which practice, in which circumstances."""

    platform: Platform
    member: Member
    context: Context
    practice: Practice
    origin: str

    def note(
        self,
        action: Action,
        what: str,
        clients: Sequence[UUID] = (),
        *,
        thing_id: UUID | None = None,
        outcome: Outcome = "allowed",
    ) -> None:
        """Writes the access entries of this request. Raises `AccessNotLogged`."""
        self.platform.accesses.note(
            self.context,
            action,
            what,
            clients=clients,
            thing_id=thing_id,
            outcome=outcome,
            origin=self.origin,
        )


def platform_of(request: Request) -> Platform:
    """What the application stands on."""
    platform: Platform = request.app.state.platform
    return platform


def secret_of(request: Request) -> tuple[str | None, bool]:
    """The secret that the request presents, and whether a browser sends it by itself."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), False
    return next((request.cookies[name] for name in COOKIES if name in request.cookies), None), True


async def digest_of(request: Request) -> bytes:
    """Tells two requests apart: method, path and body, whatever the layout of its JSON."""
    body = await request.body()
    with suppress(ValueError):  # a form, or malformed JSON: as it is
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).digest()


@dataclass(frozen=True, slots=True)
class Can:
    """Permits a route to those whose role holds the permission; anybody else's try is logged."""

    permission: Permission
    action: Action

    def __call__(
        self,
        request: Request,
        digest: Annotated[bytes, Depends(digest_of)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    ) -> Asking:
        """Raises `NotSignedIn`, `SessionExpired`, `Forbidden`, `BadCsrf`."""
        asking = ask(request, digest, idempotency_key)
        if not asking.member.may(self.permission):
            notes = _ids(request.path_params.get("note_id"))
            clients = _ids(request.path_params.get("client_id")) or _concerned(asking, notes)
            asking.note(
                self.action,
                self.permission.value,
                clients,
                thing_id=next(iter(notes), None),
                outcome="denied",
            )
            raise Forbidden
        return asking


def ask(request: Request, digest: bytes = b"", key: str | None = None) -> Asking:
    """Who is asking, whatever for. Raises `NotSignedIn`, `SessionExpired`, `BadCsrf`."""
    platform = platform_of(request)
    secret, is_cookie = secret_of(request)
    now = platform.clock.now()
    member = platform.identity.member(secret, at=now)
    if is_cookie and request.method not in SAFE:
        _check_csrf(request, member)
    command_id = (
        uuid4()
        if key is None
        else derived(member.practice_id, "command", str(member.member_id), key)
    )
    context = Context(
        practice_id=member.practice_id,
        actor_id=member.member_id,
        role=member.role,
        at=now,
        command_id=CommandId(command_id),
        correlation_id=request.state.request_id,
        purpose="audit" if member.role == "auditor" else "treatment",
        digest=digest,
    )
    address = request.client.host if request.client else ""
    origin = f"{address} {request.headers.get('user-agent', '')}".strip()
    practice = platform.practices[member.practice_id]
    return Asking(platform, member, context, practice, origin)


def _check_csrf(request: Request, member: Member) -> None:
    """A form's token travels in its body and is checked by the page route; JSON sends a header."""
    if request.scope.get("path", "").startswith("/v1/"):
        sent = request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(sent.encode(), member.csrf.encode()):
            raise BadCsrf


def _concerned(asking: Asking, notes: Sequence[UUID]) -> list[UUID]:
    """On whose charts the notes stand: she can be told of every try. Nobody, if there are none."""
    drafts, practice_id = asking.platform.drafts, asking.context.practice_id
    streams = asking.practice.streams(notes) if notes else {}
    found = [events[0].subject for events in streams.values() if events]
    if not found:
        found = [draft.client_id for one in notes if (draft := drafts.find(practice_id, one))]
    return [one for one in found if one is not None]


def _ids(text: object) -> list[UUID]:
    try:
        return [UUID(str(text))] if text is not None else []
    except ValueError:
        return []


def if_match(
    header: Annotated[str | None, Header(alias="If-Match", max_length=64)] = None,
) -> int | None:
    """The stream version that the asker saw, if she says. Raises `BadIfMatch`."""
    if header is None or header.strip() == "*":
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > VERSION_DIGITS:
        raise BadIfMatch
    return int(text)


IfMatch = Annotated[int | None, Depends(if_match)]


class Public:
    """Declares that a route is open to everybody, signed in or not."""

    def __call__(self) -> None:
        """Lets everybody through."""


_FORM_CHECKS = WeakSet[Callable[..., object]]()


def checks_form(dependency: Callable[P, T]) -> Callable[P, T]:
    """Declares that a dependency compares the token of the form with that of the session."""
    _FORM_CHECKS.add(dependency)
    return dependency


def undeclared(routers: Iterable[APIRouter]) -> list[str]:
    """The routes that are neither permitted nor public, or that take a form unchecked."""
    return [
        f"{route.methods} {route.path}"
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and not _declares(route)
    ]


def _declares(route: APIRoute) -> bool:
    calls = list(_calls(route.dependant))
    if any(isinstance(one, Public) for one in calls):
        return True
    is_form = not route.path.startswith("/v1/") and bool(set(route.methods or ()) - SAFE)
    is_checked = any(one in _FORM_CHECKS for one in calls if not isinstance(one, Can))
    return any(isinstance(one, Can) for one in calls) and (is_checked or not is_form)


def _calls(dependant: Dependant) -> Iterator[Callable[..., object]]:
    for dependency in dependant.dependencies:
        if dependency.call is not None:
            yield dependency.call
        yield from _calls(dependency)


__all__ = ["Asking", "Can", "IfMatch", "NotSignedIn", "Public", "ask", "checks_form", "undeclared"]

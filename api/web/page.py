"""What does every page stand on? Who asks, the form they sent, the frame, and refusals as HTML."""

import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, NewType, TypeVar
from urllib.parse import quote
from uuid import uuid4

import structlog
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from api.asking import SAFE, VERSION_DIGITS, Asking, BadCsrf, Can, ask, checks_form
from api.problems import problem_of
from api.security.identity import NotSignedIn, SessionExpired
from api.web.flashes import FLASH_COOKIE, flash_of
from api.web.rendering import render
from api.web.times import PracticeTime
from api.web.views.frame import Action as Link
from api.web.views.frame import Frame, Member, Place
from api.web.words import ADVICE, HEADLINES, field_words, problem_words
from domain.kernel.errors import DomainError
from domain.kernel.ids import CommandId, derived
from domain.kernel.permissions import Permission
from record.access import Action

log = structlog.get_logger(__name__)

Model = TypeVar("Model", bound=BaseModel)
Form = NewType("Form", dict[str, str])
SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Page:
    """One request for a page, permitted and, where it writes, shown to come from our own form."""

    request: Request
    asking: Asking
    form: Form

    @property
    def time(self) -> PracticeTime:
        """The practice's clock."""
        return PracticeTime(self.asking.member.zone)

    @property
    def is_part(self) -> bool:
        """True when a script asks for a part of the page, not a person for the page."""
        return self.request.headers.get("hx-request") == "true"

    def may(self, permission: Permission) -> bool:
        """True when the member's role holds the permission."""
        return self.asking.member.may(permission)

    def show(self, template: str, status: int = 200, **rows: object) -> Response:
        """The page, in its frame."""
        frame = frame_of(self.request, self.asking)
        response = HTMLResponse(render(template, frame=frame, **rows), status)
        if frame.flash and not self.is_part:
            response.delete_cookie(FLASH_COOKIE)
        return response

    def expected(self) -> int | None:
        """The stream version that the form was made from."""
        return whole(self.form.get("version", ""))

    def go(self, href: str, flash: str = "") -> Response:
        """After a form: on to a page, which says once what was done."""
        response = RedirectResponse(href, 303)
        if flash:
            response.set_cookie(FLASH_COOKIE, flash, max_age=60, httponly=True, samesite="lax")
        return response


def whole(text: str) -> int | None:
    """A version or revision from a form: at most a PostgreSQL integer; none for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS else None


async def form_of(request: Request) -> Form:
    """The text fields of the form that was sent; of a page merely opened, none."""
    if request.method in SAFE:
        return Form({})
    async with request.form(max_files=0, max_fields=50) as sent:
        return Form({name: value for name, value in sent.items() if isinstance(value, str)})


def page(permission: Permission, action: Action) -> Callable[..., Page]:
    """The dependency through which a page declares its permission."""

    @checks_form
    def permitted(
        request: Request,
        asking: Annotated[Asking, Depends(Can(permission, action))],
        form: Annotated[Form, Depends(form_of)],
    ) -> Page:
        if request.method in SAFE:
            return Page(request, asking, form)
        if not hmac.compare_digest(form.get("csrf", "").encode(), asking.member.csrf.encode()):
            raise BadCsrf
        return Page(request, _once(request, asking, form), form)

    return permitted


def _once(request: Request, asking: Asking, form: Form) -> Asking:
    """The same form sent twice is one command: its ticket names it, its fields tell it apart."""
    context = asking.context
    key = f"{form.get('ticket') or uuid4()} {request.url.path}"
    command_id = derived(context.practice_id, "command", str(context.actor_id), key)
    fields = repr(sorted(form.items())).encode()
    digest = hmac.digest(b"form", request.url.path.encode() + fields, "sha256")
    return replace(
        asking,
        context=context.model_copy(update={"command_id": CommandId(command_id), "digest": digest}),
    )


def typed(model: type[Model], fields: Mapping[str, Any]) -> tuple[Model | None, dict[str, str]]:
    """What was typed, checked; or what to say beside each field."""
    try:
        return model.model_validate(fields), {}
    except ValidationError as error:
        return None, {
            str(one["loc"][0]) if one["loc"] else "": field_words(one)
            for one in error.errors(include_input=False, include_url=False)
        }


def refusal(error: DomainError) -> dict[str, str]:
    """A refusal beside the field it is about; above the form, if it is about a header or none."""
    field = str(getattr(error, "field", ""))
    return {field if field.isidentifier() else "": problem_words(error.code)}


def frame_of(request: Request, asking: Asking) -> Frame:
    """The surroundings of a page for the person who asks."""
    member = asking.member
    path = request.url.path
    places = [
        Place(
            key="clients",
            label="Clients",
            href="/clients",
            is_here=path.startswith(("/clients", "/notes")),
        )
    ]
    if member.may(Permission.RECORD_REPLAY):
        is_here = path.startswith("/audit")
        places.append(Place(key="audit", label="Auditor’s desk", href="/audit", is_here=is_here))
    return Frame(
        practice=member.practice_name,
        csrf=member.csrf,
        ticket=str(uuid4()),
        member=Member(
            name=member.name,
            role=member.role_title,
            initials=initials(member.name),
        ),
        places=tuple(places),
        flash=flash_of(request),
        back="" if request.method in SAFE else "/clients",
        idle_minutes=round(asking.platform.identity.idle.total_seconds() / 60),
    )


def initials(name: str) -> str:
    """The first letters of the first and last name, whatever titles stand around them."""
    words = [one for one in name.partition(",")[0].split() if not one.endswith(".")]
    return "".join(one[0] for one in dict.fromkeys(words[:1] + words[-1:])).upper() or "?"


class PageRoute(APIRoute):
    """A route whose refusals are pages, and whose strangers are led to the sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with what it may raise turned into an answer for people."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except (NotSignedIn, SessionExpired) as error:
                return to_sign_in(request, ended=isinstance(error, SessionExpired))
            except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a page
                return problem_page(request, error)

        return handle


def to_sign_in(request: Request, *, ended: bool) -> Response:
    """Leads to the sign-in and from there back; a script is told to load that page whole."""
    back = request.url.path if request.method == "GET" else "/clients"
    href = f"{SIGN_IN}?next={quote(back)}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": href})
    response = RedirectResponse(href, 303)
    if ended:
        response.set_cookie(FLASH_COOKIE, "idle", max_age=60, httponly=True, samesite="lax")
    return response


def problem_page(request: Request, error: Exception) -> Response:
    """What went wrong and what to do about it, with the id that finds it in the log."""
    found = problem_of(error, request)
    if found.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("page_failed", code=found.code, request_id=found.request_id, exc_info=error)
    problem = {
        "status": found.status,
        "title": HEADLINES.get(found.status, "That did not work"),
        "text": found.detail,
        "advice": ADVICE.get(found.code) or ADVICE.get(str(found.status), ADVICE[""]),
        "request_id": found.request_id or "",
        "back": _back(request),
    }
    try:
        frame = frame_of(request, ask(request))
    except Exception:  # noqa: BLE001 - without a member, or without a database, the page is plainer
        frame = Frame(practice="", csrf="", ticket="")
    template = "error.html" if frame.member else "error_signed_out.html"
    headers = {"Retry-After": "1"} if found.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return HTMLResponse(render(template, frame=frame, problem=problem), found.status, headers)


def _back(request: Request) -> Link | None:
    client = request.path_params.get("client_id")
    if client is None or request.url.path == f"/clients/{client}":
        return None
    return Link(key="back", label="Back to the client", href=f"/clients/{client}")

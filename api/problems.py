"""What a refusal looks like from outside: RFC 9457 problem details with a stable `code`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from psycopg import Error as DatabaseError
from pydantic import BaseModel

from api.security.identity import NotSignedIn, SessionExpired
from domain.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from gateways.kms import KmsUnavailable
from record.database import DatabaseUnavailable
from record.errors import AccessNotLogged, Contradicted, ExportUnderWay, GateBusy, SealsBehind

MEDIA_TYPE = "application/problem+json"
BUSY = frozenset({"40001", "40P01", "53100", "55P03", "57014", "57P01", "57P03"})
"""SQLSTATEs of a database that could not do it now: lock, deadlock, disk, time, shutdown."""

FIELD_MAX = 200
"""Characters of a field's name that are repeated."""

# What to do about it, in words for people. A code without words is named by its code.
WORDS: dict[str, str] = {
    "not_found": "There is no such thing here.",
    "forbidden": "Your role does not allow this.",
    "not_signed_in": "Sign in first.",
    "session_expired": "The session has ended; sign in again.",
    "csrf": "The form is out of date; load the page again.",
    "invalid": "Some fields need another look.",
    "malformed_json": "The body is not valid JSON.",
    "method_not_allowed": "This address does not take that method.",
    "too_large": "A request may have 5 MiB.",
    "stale_version": "Somebody else wrote here meanwhile; load it again and look before you write.",
    "stale_draft": "The draft was saved elsewhere meanwhile; load it again and compare.",
    "draft_being_signed": "The text is being signed at this moment; load it again.",
    "not_your_draft": "A draft belongs to the person who writes it.",
    "idempotency_mismatch": "This Idempotency-Key was used before, for another request.",
    "gate_busy": "Too much is being written at this moment; nothing was done. Try again.",
    "access_log_unavailable": "The access could not be logged, so nothing is shown. Try again.",
    "not_sealed_yet": "No signed head reaches so far yet; one does a second after the commit.",
    "no_such_head": "No head of that size was signed; ask for /v1/log/checkpoint.",
    "beyond_head": "This lies above the size that it should lie within.",
    "database_unavailable": "The database does not answer. Try again.",
    "keys_unavailable": "The keeper of the keys does not answer. Try again.",
    "projection_behind": "The view has not caught up with that position yet. Try again.",
    "seals_behind": "The newest entries are not sealed yet, so no proof covers them. Try again.",
    "export_under_way": "A bundle of this practice is being made. Try again in a moment.",
    "record_contradicted": "What is stored contradicts what was signed, so nothing is handed out. "
    "Have `palimpsest verify` say where.",
    "internal_error": "Something went wrong on our side. The request id helps us to find it.",
    "client_already_registered": "This client is registered already.",
    "client_merged": "This record was merged into another one; read on there.",
    "clients_not_merged": "These two records are not merged.",
    "same_client": "A record cannot be merged with itself.",
    "no_details_given": "Name at least one detail and its new value.",
    "detail_required": "This cannot be left empty.",
    "nothing_changed": "The details are these already.",
    "birth_date_in_future": "The birth date lies in the future.",
    "birth_date_after_death": "A death before this day is on record.",
    "birth_date_too_early": "The birth date lies too far in the past.",
    "death_already_recorded": "The client's death is on record already.",
    "death_not_recorded": "No death is on record.",
    "death_date_impossible": "The date of death must lie between the birth and today.",
    "note_not_signed": "Only a signed note can be amended.",
    "note_already_signed": "The note is signed already.",
    "note_locked": "The note is locked: add an addendum or a correction instead.",
    "note_retracted": "The note was entered in error and takes nothing more.",
    "note_moved": "The note was moved to another chart; read on there.",
    "note_empty": "Write something in at least one section.",
    "nothing_corrected": "Name at least one section and its new wording.",
    "not_the_author": "Only the author corrects a note; add an addendum instead.",
    "same_chart": "The note is on that client's chart already.",
    "occurred_at_in_future": "The time of care lies in the future.",
    "as_of_in_future": "The moment lies in the future; nothing is known of it yet.",
    "not_a_moment": "This is not a date and time.",
    "not_a_place": "Give a position, or a moment as 2026-03-02T12:00:00-05:00.",
    "position_unknown": "The log has not come that far; take a position it has answered with.",
    "invalid_if_match": "If-Match takes the version last seen, as a number.",
    "second_person_needed": "You have asked for this yourself: another person must agree.",
    "under_legal_hold": "A legal hold lies on this record: nothing may be erased until it ends.",
    "under_retention": "The law asks for this to be kept for longer; see until when.",
    "legal_hold_unknown": "No such hold lies on this record.",
    "erasure_not_agreed": "Nobody has agreed to this erasure.",
    "erasure_not_requested": "Nobody asks for this erasure, or no more: ask for it first.",
    "erasure_already_requested": "Another has asked for this erasure: agree to it, or withdraw it.",
    "erasure_already_agreed": "This erasure is agreed to; it can be withdrawn no more.",
    "already_erased": "This was erased before, and nothing was written since.",
    "not_erasable": "What the practice did and who read the record cannot be erased.",
    "query_too_short": "Type at least three characters.",
}


class FieldError(BaseModel):
    """One field that needs another look."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """The body of every refusal; ids and versions that help stand beside these fields."""

    model_config = {"extra": "allow"}

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []
    request_id: str | None = None


class AsOfInFuture(Invalid):
    """Nothing is known of the future."""

    code = "as_of_in_future"
    field = "as_of"


class PositionUnknown(Invalid):
    """No such position has been given out yet: waiting for it would be in vain."""

    code = "position_unknown"
    field = "after"


class ProjectionBehind(DomainError):
    """The asked-for position has not reached the projection."""

    code = "projection_behind"


_STATUS: Sequence[tuple[type[Exception], int, str]] = (
    (NotSignedIn, 401, "Not signed in"),
    (SessionExpired, 401, "Not signed in"),
    (Forbidden, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (Conflict, 409, "Not now"),
    (Invalid, 422, "Not valid"),
    (GateBusy, 503, "Unavailable"),
    (AccessNotLogged, 503, "Unavailable"),
    (ProjectionBehind, 503, "Unavailable"),
    (SealsBehind, 503, "Unavailable"),
    (ExportUnderWay, 503, "Unavailable"),
)


def problem_of(error: Exception, request: Request | None = None) -> Problem:
    """The problem that an exception is, from outside. Never shows what it does not know."""
    status, title, code = 500, "Something went wrong", "internal_error"
    extra: dict[str, Any] = {}
    fields: list[FieldError] = []
    if isinstance(error, RequestValidationError):
        return _invalid_input(error, request)
    if isinstance(error, DomainError):
        status, title = next(
            ((status, title) for kind, status, title in _STATUS if isinstance(error, kind)),
            (500, title),
        )
        code, extra = error.code, {name: _plain(value) for name, value in error.details.items()}
        if isinstance(error, Invalid) and error.field:
            fields = [FieldError(field=error.field, code=code, message=WORDS.get(code, code))]
    elif isinstance(error, DatabaseUnavailable) or (
        isinstance(error, DatabaseError) and error.sqlstate in BUSY
    ):
        status, title, code = 503, "Unavailable", "database_unavailable"
    elif isinstance(error, KmsUnavailable):
        status, title, code = 503, "Unavailable", "keys_unavailable"
    elif isinstance(error, Contradicted):
        status, title, code = 503, "Unavailable", "record_contradicted"
    return Problem.model_validate(
        {
            **extra,
            "title": title,
            "status": status,
            "code": code,
            "detail": WORDS.get(code, code.replace("_", " ").capitalize() + "."),
            "errors": fields,
            "request_id": request_id(request),
        }
    )


def request_id(request: Request | None) -> str | None:
    """The id that the log and the answer share."""
    return None if request is None else str(getattr(request.state, "request_id", "")) or None


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _invalid_input(error: RequestValidationError, request: Request | None) -> Problem:
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        status, code = 400, "malformed_json"
    else:
        status, code = 422, "invalid"
    return Problem(
        title="Not valid",
        status=status,
        code=code,
        detail=WORDS[code],
        errors=[] if code == "malformed_json" else [_field_error(one) for one in found],
        request_id=request_id(request),
    )


def _field_error(one: Mapping[str, Any]) -> FieldError:
    """Names the field and what is wrong with it; the value itself is never repeated."""
    place = [str(part) for part in one["loc"] if part not in {"body", "query", "path", "header"}]
    name = ".".join(place)[:FIELD_MAX]  # a field that nobody knows may be called anything
    return FieldError(field=name or "body", code=one["type"], message=one["msg"])

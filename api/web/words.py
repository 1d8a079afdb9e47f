"""How is it said to people? Statuses, events, fields, refusals."""

from collections.abc import Mapping
from typing import Any, Final

from api.problems import WORDS
from api.security.roles import ROLES
from domain.kernel.events import Category

HEADLINES: Final = {
    403: "Your role does not open this",
    404: "There is nothing here",
    409: "That is not possible right now",
    413: "That is too much at once",
    422: "Something needs another look",
    500: "Something went wrong on our side",
    503: "Not available right now",
}

# Beside what happened, what to do. By code, else by status.
ADVICE: Final = {
    "": "Go back and try again. If it stays so, ask for help with the number below.",
    "403": "If you need it for your work, ask the owner of the practice. The try was recorded.",
    "404": "The address may be mistyped, or what it names belongs to another practice.",
    "409": "Load the page again, look at what has changed, and decide then.",
    "422": "Go back, look at the fields and try again. What you typed is still there.",
    "500": "Nothing was half done. Try again; if it stays so, ask for help with the number below.",
    "503": "Nothing was shown or changed. Wait a moment and try again.",
    "csrf": "Go back, load the page again and repeat what you did.",
    "idempotency_mismatch": "This form was sent before. Load the page again to send another one.",
}

STATUS: Final = {
    "draft": "Draft",
    "signed": "Signed",
    "amended": "Amended",
    "entered_in_error": "Entered in error",
    "moved": "Moved away",
    "erased": "Text erased",
}

VERSION: Final = {
    "signed": "Signed",
    "late_entry": "Signed as a late entry",
    "signature": "Signed",
    "addendum": "Addendum",
    "correction": "Corrected",
    "retraction": "Retracted: entered in error",
    "moved_away": "Moved to another client's chart",
    "moved_in": "Moved here from another client's chart",
}

EVENT: Final = {
    "client.registered.v1": "Client registered",
    "client.contact_details_changed.v1": "Contact details changed",
    "client.death_recorded.v1": "Death recorded",
    "client.death_withdrawn.v1": "Recorded death withdrawn",
    "client.absorbed.v1": "Another record merged in",
    "client.merged_away.v1": "Merged into another record",
    "client.released.v1": "Merge undone: the other record stands by itself",
    "client.restored.v1": "Merge undone: stands by itself again",
    "note.signed.v1": "Note signed",
    "note.locked.v1": "Note locked",
    "note.addendum_added.v1": "Addendum added",
    "note.corrected.v1": "Note corrected",
    "note.retracted.v1": "Note retracted: entered in error",
    "note.moved_away.v1": "Note moved to another client",
    "note.moved_in.v1": "Note moved here from another client",
    "legal_hold.placed.v1": "Legal hold placed",
    "legal_hold.release_requested.v1": "End of the legal hold requested",
    "legal_hold.released.v1": "Legal hold ended",
    "erasure.requested.v1": "Erasure requested",
    "erasure.withdrawn.v1": "Erasure request withdrawn",
    "erasure.agreed.v1": "Erasure agreed to",
    "erasure.carried_out.v1": "Erased",
}

CATEGORY: Final = {
    Category.CLINICAL: "Clinical text",
    Category.CONTACT: "Name and contact details",
    Category.PHOTO: "Photographs",
    Category.MARKETING: "Marketing data",
}

ACTION: Final = {
    "read": "Read",
    "search": "Searched",
    "replay": "Replayed",
    "draft": "Wrote a draft",
    "write": "Wrote",
    "export": "Exported",
    "sign_in": "Signed in",
    "sign_out": "Signed out",
}

WHAT: Final = {
    "client": "Identity and contact",
    "clients": "Found in a search",
    "chart": "Chart",
    "note": "Note",
    "events": "Every event",
    "accesses": "Who has looked",
    "evidence bundle": "Evidence bundle",
}

OUTCOME: Final = {
    "allowed": "Allowed",
    "denied": "Refused",
    "not_found": "Not found",
    "failed": "Failed",
}

_FIELD: Final = {
    "missing": "This is needed.",
    "blank": "This is needed.",
    "string_too_short": "This is needed.",
    "written_as_text": "This is not a date.",
    "date_from_datetime_parsing": "This is not a date.",
    "date_parsing": "This is not a date.",
    "datetime_from_date_parsing": "This is not a date and time.",
    "datetime_parsing": "This is not a date and time.",
    "timezone_aware": "This is not a date and time.",
    "uuid_parsing": "Choose a client.",
    "impossible_moment": "No such moment is possible here.",
}
_CODES: Final = {
    "idempotency_mismatch": "This form was sent before. Load the page again to send another one.",
    "stale_version": "Somebody else wrote here meanwhile. Look at what changed, then send again.",
}
_PATTERN: Final = {
    "phone": "This is not a phone number.",
    "email": "This is not an e-mail address.",
}


def field_words(one: Mapping[str, Any]) -> str:
    """What is wrong with a field, without repeating what was typed."""
    kind, field = one["type"], str(one["loc"][0]) if one["loc"] else ""
    if kind == "string_too_long":
        return f"At most {one['ctx']['max_length']:,} characters."
    if kind == "string_pattern_mismatch":
        return _PATTERN.get(field, "This is not written as it should be.")
    return _FIELD.get(kind) or str(one["msg"])


def problem_words(code: str) -> str:
    """A refusal in words."""
    return _CODES.get(code) or WORDS.get(code, code.replace("_", " ").capitalize() + ".")


def role_words(role: str) -> str:
    """A role's title as a new practice has it; a role made later is named as it is stored."""
    return ROLES[role][0] if role in ROLES else role.replace("_", " ").capitalize()

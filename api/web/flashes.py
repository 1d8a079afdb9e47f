"""What is said once after an act? A code travels in a cookie; the words stand here."""

from typing import Final

from fastapi import Request

from api.web.views.frame import Flash

FLASH_COOKIE: Final = "palimpsest-said"

IDLE: Final = "You were signed out after {minutes} minutes without activity."

_SAGE: Final = {
    "registered": "Client registered.",
    "details_changed": "Contact details changed; the earlier ones stay in the record.",
    "death_recorded": "Death recorded.",
    "death_withdrawn": "The recorded death was withdrawn.",
    "merged": "The two records are merged. Both stay legible.",
    "unmerged": "The merge was undone.",
    "draft_saved": "Draft saved.",
    "signed": "Note signed.",
    "signed_locked": "Note signed and locked.",
    "addendum_added": "Addendum added.",
    "corrected": "Note corrected; the earlier wording stays in the record.",
    "retracted": "Note retracted; its text stays in the record.",
    "moved": "Note moved to this chart.",
    "signed_out": "You are signed out.",
}


def flash_of(request: Request) -> Flash | None:
    """What the last act has to say, if it has; an unknown code says nothing."""
    text = _SAGE.get(request.cookies.get(FLASH_COOKIE, ""))
    return Flash(tone="sage", text=text) if text else None

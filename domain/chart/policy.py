"""When a note counts as a late entry."""

from datetime import datetime, timedelta

LATE_ENTRY_RULE = "late-entry/1"
"""Stored with each signature, so that a later rule does not re-label earlier notes."""
LATE_ENTRY_AFTER = timedelta(hours=24)
"""Documentation is due during the visit or as soon as practicable; after a day it is late."""


def is_late_entry(occurred_at: datetime, signed_at: datetime) -> bool:
    """True when the signature came more than a day after the care it describes."""
    return signed_at - occurred_at > LATE_ENTRY_AFTER

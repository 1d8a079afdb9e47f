"""New ids: random enough to guess nothing from, ordered in time so that indexes stay dense."""

from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

SYSTEM: Final = UUID(int=0)
"""The actor of what nobody in particular did."""


def new_id() -> UUID:
    """Returns a version 7 UUID."""
    return uuid7()

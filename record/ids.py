"""New ids: random enough to guess nothing from, ordered in time so that indexes stay dense."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Returns a version 7 UUID."""
    return uuid7()

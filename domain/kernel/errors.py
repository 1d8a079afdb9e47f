"""The kinds of refusal. Each refusal is a named class whose `code` never changes once released."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal people can act on. `details` are ids and versions, never clinical content."""

    code: ClassVar[str] = "refused"

    def __init__(self, **details: object) -> None:
        super().__init__(self.code)
        self.details = details


class Invalid(DomainError):
    """The request names an impossible value; `field` says which."""

    field: str = ""


class Conflict(DomainError):
    """The request is well formed, but the record is not in a state that allows it."""


class NotFound(DomainError):
    """There is no such thing, or the asker may not know that there is."""

    code = "not_found"


class Forbidden(DomainError):
    """The asker may not do this."""

    code = "forbidden"

"""What do the pages about the person show? Identity and contact, never clinical content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from api.web.views.frame import Action, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """One line of a search."""

    id: str
    name: str
    born: str
    age: int
    phone: str
    email: str
    is_merged: bool = False
    is_deceased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search and its answer; ``start`` and ``too_short`` carry no rows."""

    state: Literal["start", "too_short", "none", "found"]
    q: str = ""
    rows: tuple[ClientRow, ...] = ()
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientForm:
    """The fields of registering and of changing contact details, as last typed."""

    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    phone: str = ""
    email: str = ""
    version: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)
    possible_matches: tuple[ClientRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLink:
    """Another client, named and linked; ``undo`` leads to undoing the merge with them."""

    id: str
    name: str
    href: str
    undo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHead:
    """The top of every page about one client."""

    id: str
    name: str
    born: str
    age: int
    phone: str
    email: str
    href: str
    died_on: str | None = None
    withdraw_death: str = ""
    merged_into: ClientLink | None = None
    merged_at: Moment | None = None
    merged_from: tuple[ClientLink, ...] = ()
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureNotice:
    """What was erased of a client, by whom and why; ``reason`` is empty for who may not know it."""

    what: str
    at: Moment
    requested_by: str
    agreed_by: str
    legal_basis: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonForm:
    """A form that asks for a reason, and perhaps a date, as last typed."""

    reason: str = ""
    date: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

"""The routes of the contract: who may take each, what a good request is, and which ids it names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from api.security.roles import ROLES
from domain.kernel.permissions import Permission
from tests.support.api import Json, Member, Response
from tests.support.states import (
    SOAP,
    Noted,
    a_client,
    client_with_draft,
    client_with_signed_note,
    deceased_client,
    details,
    merged_clients,
    sealed_log,
)


class Operation(NamedTuple):
    """A method and a path with its parameters, as the published contract names them."""

    method: str
    path: str


@dataclass(frozen=True)
class Asked:
    """A request that is granted: the ids in its address, its body, and its parameters."""

    ids: dict[str, str] = field(default_factory=dict)
    body: Json | None = None
    params: Json = field(default_factory=dict)

    def swapped(self, name: str, other: str) -> "Asked":
        """The same with another id, wherever that id stands."""
        if name in self.ids:
            return Asked(self.ids | {name: other}, self.body)
        return Asked(self.ids, (self.body or {}) | {name: other})

    def by(self, member: Member, operation: Operation) -> Response:
        """Asks."""
        path = operation.path.format(**self.ids)
        return member.ask(operation.method, path, self.body, params=self.params)


@dataclass(frozen=True)
class Route:
    """`given` makes a fresh state, by somebody who may do everything, and asks something of it."""

    permission: Permission | None
    status: int
    given: Callable[[Member], Asked]
    kind: Literal["read", "write", "public"]
    body_ids: tuple[str, ...] = ()
    swapped_body_id: tuple[int, str] = (404, "not_found")

    @property
    def roles(self) -> set[str]:
        """The roles that may, by the data they are made from."""
        return {role for role, (_, may) in ROLES.items() if self.permission in may}


def _on_client(body: Json | None = None) -> Callable[[Member], Asked]:
    return lambda by: Asked({"client_id": a_client(by)}, body)


def _on_note(
    state: Callable[[Member], Noted], body: Json | None = None
) -> Callable[[Member], Asked]:
    return lambda by: Asked({"note_id": state(by).note}, body)


def _unmerge(by: Member) -> Asked:
    merged = merged_clients(by)
    return Asked({"client_id": merged.kept}, {"other_client_id": merged.away, "reason": "Twins."})


def _merge(by: Member) -> Asked:
    body = {"other_client_id": a_client(by), "reason": "The same person."}
    return Asked({"client_id": a_client(by)}, body)


def _reassign(by: Member) -> Asked:
    body = {"to_client_id": a_client(by), "reason": "Wrong chart."}
    return Asked({"note_id": client_with_signed_note(by).note}, body)


def _deceased(by: Member) -> Asked:
    return Asked({"client_id": deceased_client(by)}, {"reason": "Mistaken for her mother."})


def _sealed(parameter: str | None = None) -> Callable[[Member], Asked]:
    """Asks of a log whose newest event is under a signed head; `parameter` names its position."""

    def given(by: Member) -> Asked:
        a_client(by)
        size = sealed_log(by)
        return Asked(params={parameter: size} if parameter else {})

    return given


NOTE = "/v1/notes/{note_id}"
CLIENT = "/v1/clients/{client_id}"
_P = Permission

ROUTES: dict[Operation, Route] = {
    Operation("POST", "/v1/clients"): Route(
        _P.CLIENT_WRITE, 201, lambda _: Asked(body=details()), "write"
    ),
    Operation("POST", "/v1/clients/search"): Route(
        _P.CLIENT_SEARCH, 200, lambda _: Asked(body={"q": "nobody at all"}), "read"
    ),
    Operation("GET", CLIENT): Route(_P.CLIENT_READ, 200, _on_client(), "read"),
    Operation("POST", f"{CLIENT}/contact-details"): Route(
        _P.CLIENT_WRITE, 200, _on_client({"phone": None}), "write"
    ),
    Operation("POST", f"{CLIENT}/death"): Route(
        _P.CLIENT_WRITE, 200, _on_client({"died_on": "2026-01-05", "source": "Son."}), "write"
    ),
    Operation("POST", f"{CLIENT}/death-withdrawal"): Route(
        _P.CLIENT_WRITE, 200, _deceased, "write"
    ),
    Operation("POST", f"{CLIENT}/merge"): Route(
        _P.CLIENT_MERGE, 200, _merge, "write", ("other_client_id",)
    ),
    # Whether the other record is unknown or merely not merged is one and the same refusal.
    Operation("POST", f"{CLIENT}/unmerge"): Route(
        _P.CLIENT_MERGE,
        200,
        _unmerge,
        "write",
        ("other_client_id",),
        (409, "clients_not_merged"),
    ),
    Operation("GET", f"{CLIENT}/chart"): Route(_P.CHART_READ, 200, _on_client(), "read"),
    Operation("GET", f"{CLIENT}/events"): Route(_P.RECORD_REPLAY, 200, _on_client(), "read"),
    Operation("GET", f"{CLIENT}/accesses"): Route(_P.ACCESS_READ, 200, _on_client(), "read"),
    Operation("POST", f"{CLIENT}/evidence-bundle"): Route(
        _P.RECORD_EXPORT, 200, _on_client(), "read"
    ),
    Operation("POST", f"{CLIENT}/notes"): Route(
        _P.NOTE_WRITE, 201, _on_client(dict(SOAP)), "write"
    ),
    Operation("GET", NOTE): Route(_P.CHART_READ, 200, _on_note(client_with_signed_note), "read"),
    Operation("PUT", f"{NOTE}/draft"): Route(
        _P.NOTE_WRITE, 200, _on_note(client_with_draft, SOAP | {"plan": "Wait."}), "write"
    ),
    Operation("POST", f"{NOTE}/signature"): Route(
        _P.NOTE_SIGN, 200, _on_note(client_with_draft), "write"
    ),
    Operation("POST", f"{NOTE}/addenda"): Route(
        _P.NOTE_AMEND, 200, _on_note(client_with_signed_note, {"text": "Called: well."}), "write"
    ),
    Operation("POST", f"{NOTE}/corrections"): Route(
        _P.NOTE_AMEND,
        200,
        _on_note(client_with_signed_note, {"plan": "24 units.", "reason": "Miscounted."}),
        "write",
    ),
    Operation("POST", f"{NOTE}/retraction"): Route(
        _P.NOTE_AMEND, 200, _on_note(client_with_signed_note, {"reason": "Wrong visit."}), "write"
    ),
    Operation("POST", f"{NOTE}/reassignment"): Route(
        _P.NOTE_AMEND, 200, _reassign, "write", ("to_client_id",)
    ),
    Operation("GET", "/v1/log/checkpoint"): Route(_P.LOG_VERIFY, 200, _sealed(), "read"),
    Operation("GET", "/v1/log/proofs/inclusion"): Route(
        _P.LOG_VERIFY, 200, _sealed("position"), "read"
    ),
    Operation("GET", "/v1/log/proofs/consistency"): Route(
        _P.LOG_VERIFY, 200, _sealed("from"), "read"
    ),
    Operation("GET", "/healthz"): Route(None, 200, lambda _: Asked(), "public"),
    Operation("GET", "/readyz"): Route(None, 200, lambda _: Asked(), "public"),
}
GUARDED = {operation: route for operation, route in ROUTES.items() if route.permission}


def name(operation: Operation) -> str:
    """For a test's name."""
    return f"{operation.method} {operation.path}"

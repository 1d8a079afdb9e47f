"""Every route in this order: nobody, a bad token, the wrong role, another practice, then success.

The list is driven from the published contract: a new route fails here until it has its row.
"""

from typing import Any
from uuid import uuid4

import pytest

from api.security.roles import ROLES
from tests.api.contract import GUARDED, ROUTES, Asked, Operation, Route, name
from tests.support.api import Api, Response, Team, refusal

each_guarded = pytest.mark.parametrize("operation", GUARDED, ids=name)


def test_the_contract_is_what_was_agreed_upon(api: Api) -> None:
    schema: dict[str, Any] = api.http.get("/openapi.json").json()
    published = {
        Operation(method.upper(), path)
        for path, methods in schema["paths"].items()
        for method in methods
    }
    assert published == set(ROUTES), "a route came or went: tests/api/contract.py says what it does"


@each_guarded
def test_nobody_and_bad_tokens_are_turned_away(api: Api, demo: Team, operation: Operation) -> None:
    asked = GUARDED[operation].given(demo.clinician)
    before = api.positions(demo)
    path = operation.path.format(**asked.ids)
    good = demo.clinician.token
    tokens = [
        None,
        "Bearer nonsense",
        f"Bearer {good[:-4]}AAAA",
        f"Bearer pal_{uuid4().hex}_{good.rpartition('_')[2]}",
        f"Bearer pal_{api.harbor.practice_id.hex}_{good.split('_', 2)[2]}",
        f"Basic {good}",
        "Bearer",
    ]
    for token in tokens:
        headers = {} if token is None else {"Authorization": token}
        response = api.http.request(operation.method, path, json=asked.body, headers=headers)
        assert refusal(response, 401, "not_signed_in")["errors"] == []
        assert response.headers["www-authenticate"] == "Bearer"
    assert api.positions(demo) == before


@pytest.mark.parametrize(
    ("operation", "role"),
    [(one, role) for one, route in GUARDED.items() for role in sorted(ROLES.keys() - route.roles)],
    ids=lambda one: name(one) if isinstance(one, Operation) else str(one),
)
def test_a_role_without_the_permission_is_refused_and_noted(
    api: Api, demo: Team, operation: Operation, role: str
) -> None:
    route = GUARDED[operation]
    asked = route.given(demo.clinician)
    records, accesses = api.positions(demo)
    answer = refusal(asked.by(demo.of(role), operation), 403, "forbidden")
    assert api.positions(demo) == (records, accesses + 1)
    # Whether anything is there makes no difference to somebody who may not know.
    for slot in asked.ids:
        unknown = asked.swapped(slot, str(uuid4())).by(demo.of(role), operation)
        assert refusal(unknown, 403, "forbidden") == answer
    if "client_id" in asked.ids:
        latest = api.accesses(demo, asked.ids["client_id"])[0]
        assert route.permission is not None
        assert latest["outcome"] == "denied"
        assert latest["what"] == route.permission.value
        assert latest["actor_id"] == str(demo.of(role).member_id)
        assert latest["role"] == role


SWAPS = [
    (operation, slot)
    for operation, route in GUARDED.items()
    for slot in [
        *(part[1:-1] for part in operation.path.split("/") if part.startswith("{")),
        *route.body_ids,
    ]
]


@pytest.mark.parametrize("slot", SWAPS, ids=lambda slot: f"{name(slot[0])} {slot[1]}")
@pytest.mark.parametrize(("mine", "theirs"), [("demo", "harbor"), ("harbor", "demo")])
def test_an_id_of_the_other_practice_is_an_unknown_id(
    api: Api, slot: tuple[Operation, str], mine: str, theirs: str
) -> None:
    operation, swapped = slot
    ours: Team = getattr(api, mine)
    other: Team = getattr(api, theirs)
    route = GUARDED[operation]
    asked, foreign = route.given(ours.clinician), route.given(other.clinician)
    their_id = {**(foreign.body or {}), **foreign.ids}[swapped]
    status, code = route.swapped_body_id if swapped in route.body_ids else (404, "not_found")
    before, their_before = api.positions(ours)[0], api.positions(other)
    answer = refusal(asked.swapped(swapped, their_id).by(ours.clinician, operation), status, code)
    unknown = asked.swapped(swapped, str(uuid4())).by(ours.clinician, operation)
    assert refusal(unknown, status, code) == answer
    assert api.positions(ours)[0] == before
    assert api.positions(other) == their_before
    # The very request was good but for that id: it is the swap that was refused.
    assert asked.by(ours.clinician, operation).status_code == route.status


@pytest.mark.parametrize(
    ("operation", "role"),
    [(one, role) for one, route in GUARDED.items() for role in sorted(route.roles)],
    ids=lambda one: name(one) if isinstance(one, Operation) else str(one),
)
def test_who_may_is_answered_and_what_was_promised_happens(
    api: Api, demo: Team, operation: Operation, role: str
) -> None:
    route = GUARDED[operation]
    asked = route.given(demo.clinician)
    records, accesses = api.positions(demo)
    response = asked.by(demo.of(role), operation)
    assert response.status_code == route.status, response.text
    after = api.positions(demo)
    if route.kind == "read":
        assert after == (records, accesses + 1)
    else:
        _check_written(route, asked, response, (records, accesses), after)


def _check_written(
    route: Route,
    asked: Asked,
    response: Response,
    before: tuple[int, int],
    after: tuple[int, int],
) -> None:
    """Every write answers alike; a draft alone stays outside the record."""
    body = response.json()
    assert {"id", "version", "position"} <= body.keys()
    if "revision" in body:
        assert after == (before[0], before[1] + 1)
        return
    assert after[0] > before[0]
    assert after[1] == before[1]
    assert body["position"] == after[0]
    assert response.headers["palimpsest-position"] == str(after[0])
    assert response.headers["etag"] == f'"{body["version"]}"'
    if asked.ids:
        assert body["id"] in asked.ids.values()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_the_service_answers_everybody(api: Api, path: str) -> None:
    assert api.http.get(path).status_code == 200

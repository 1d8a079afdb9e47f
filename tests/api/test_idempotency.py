"""A request sent again is one request: the same answer, one effect, whatever happened meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.api.contract import GUARDED, Asked, Operation, name
from tests.support.api import Api, Json, Member, Response, Team, refusal
from tests.support.states import (
    SOAP,
    a_client,
    client_with_draft,
    client_with_signed_note,
    details,
    done,
    merge,
    merged_clients,
)

# A draft's PUT says the same twice by itself; a search and the reads have no effect.
WRITES = [one for one, route in GUARDED.items() if route.kind == "write" and one.method == "POST"]
each_write = pytest.mark.parametrize("operation", WRITES, ids=name)


def ask(by: Member, operation: Operation, asked: Asked, key: str) -> Response:
    return by.ask(operation.method, operation.path.format(**asked.ids), asked.body, key=key)


OTHER: dict[str, Json] = {
    "signature": {"lock": False},
    "contact-details": {"phone": "+1 212 555 0199"},
    "clients": details(),
    "notes": SOAP | {"plan": "Another plan."},
    "addenda": {"text": "Another thing."},
    "death": {"died_on": "2026-01-06", "source": "Her son."},
}


def other_body(operation: Operation, body: Json | None) -> Json:
    """Another good body for the same route."""
    with_reason = (body or {}) | {"reason": "Another reason."}
    return OTHER.get(operation.path.rpartition("/")[2], with_reason)


@each_write
def test_sent_again_it_is_answered_as_before(api: Api, demo: Team, operation: Operation) -> None:
    asked, key = GUARDED[operation].given(demo.clinician), str(uuid4())
    first = done(ask(demo.clinician, operation, asked, key))
    record = api.positions(demo)[0]
    assert done(ask(demo.clinician, operation, asked, key)) == first
    assert api.positions(demo)[0] == record


@each_write
def test_another_body_under_the_same_key_is_refused(
    api: Api, demo: Team, operation: Operation
) -> None:
    asked, key = GUARDED[operation].given(demo.clinician), str(uuid4())
    done(ask(demo.clinician, operation, asked, key))
    record = api.positions(demo)[0]
    other = Asked(asked.ids, other_body(operation, asked.body))
    refusal(ask(demo.clinician, operation, other, key), 422, "idempotency_mismatch")
    assert api.positions(demo)[0] == record


@each_write
def test_a_key_of_another_act_is_refused(api: Api, demo: Team, operation: Operation) -> None:
    key = str(uuid4())
    done(demo.clinician.post("/v1/clients", details(), key=key))
    asked = GUARDED[operation].given(demo.clinician)
    record = api.positions(demo)[0]
    answer = ask(demo.clinician, operation, asked, key)
    refusal(answer, 422, "idempotency_mismatch")
    assert api.positions(demo)[0] == record


@each_write
def test_the_layout_of_the_json_makes_no_difference(
    api: Api, demo: Team, operation: Operation
) -> None:
    asked, key = GUARDED[operation].given(demo.clinician), str(uuid4())
    first = done(ask(demo.clinician, operation, asked, key))
    if asked.body:
        turned = Asked(asked.ids, dict(reversed(asked.body.items())))
        assert done(ask(demo.clinician, operation, turned, key)) == first


def test_a_key_belongs_to_one_person(demo: Team, harbor: Team) -> None:
    key, body = str(uuid4()), details()
    answers = [
        done(by.post("/v1/clients", body, key=key))["id"]
        for by in (demo.clinician, demo.front_desk, demo.colleague, harbor.clinician)
    ]
    assert len(set(answers)) == 4


def test_registering_is_answered_alike_after_the_client_changed(demo: Team) -> None:
    key, body = str(uuid4()), details()
    first = done(demo.clinician.post("/v1/clients", body, key=key))
    path = f"/v1/clients/{first['id']}"
    done(demo.clinician.post(f"{path}/contact-details", {"phone": None}))
    merge(demo.clinician, a_client(demo.clinician), first["id"])
    assert done(demo.clinician.post("/v1/clients", body, key=key)) == first


def test_a_draft_is_found_again_after_it_was_rewritten_signed_and_its_client_merged(
    api: Api, demo: Team
) -> None:
    client, key = a_client(demo.clinician), str(uuid4())
    path = f"/v1/clients/{client}/notes"
    first = done(demo.clinician.post(path, SOAP, key=key))
    noted = f"/v1/notes/{first['id']}"
    done(demo.clinician.put(f"{noted}/draft", SOAP | {"plan": "Wait."}))
    assert done(demo.clinician.post(path, SOAP, key=key)) == first
    done(demo.clinician.post(f"{noted}/signature"))
    assert done(demo.clinician.post(path, SOAP, key=key)) == first
    merge(demo.clinician, a_client(demo.clinician), client)
    assert done(demo.clinician.post(path, SOAP, key=key)) == first
    chart = done(demo.clinician.get(noted))
    assert chart["versions"][0]["sections"]["plan"] == "Wait."


def test_a_signature_is_answered_alike_after_a_correction(demo: Team) -> None:
    noted, key = client_with_draft(demo.clinician), str(uuid4())
    first = done(demo.clinician.post(f"{noted.path}/signature", key=key))
    body = {"plan": "24 units.", "reason": "Miscounted."}
    done(demo.clinician.post(f"{noted.path}/corrections", body))
    assert done(demo.clinician.post(f"{noted.path}/signature", key=key)) == first


def test_a_correction_is_answered_alike_after_a_retraction(demo: Team) -> None:
    noted, key = client_with_signed_note(demo.clinician), str(uuid4())
    body = {"plan": "24 units.", "reason": "Miscounted."}
    first = done(demo.clinician.post(f"{noted.path}/corrections", body, key=key, if_match=1))
    done(demo.clinician.post(f"{noted.path}/retraction", {"reason": "Wrong visit."}))
    again = demo.clinician.post(f"{noted.path}/corrections", body, key=key, if_match=1)
    assert done(again) == first


def test_a_move_is_answered_alike_after_the_successor_was_retracted(demo: Team) -> None:
    noted, right, key = client_with_signed_note(demo.clinician), a_client(demo.clinician), "move"
    body = {"to_client_id": right, "reason": "Wrong chart."}
    first = done(demo.clinician.post(f"{noted.path}/reassignment", body, key=key))
    successor = f"/v1/notes/{first['to_note_id']}"
    done(demo.clinician.post(f"{successor}/retraction", {"reason": "Wrong visit."}))
    assert done(demo.clinician.post(f"{noted.path}/reassignment", body, key=key)) == first


def test_merging_and_unmerging_are_answered_alike_after_each_other(demo: Team) -> None:
    kept, away = a_client(demo.clinician), a_client(demo.clinician)
    path, body = f"/v1/clients/{kept}", {"other_client_id": away, "reason": "The same person."}
    merging, parting = str(uuid4()), str(uuid4())
    merged = done(demo.clinician.post(f"{path}/merge", body, key=merging))
    parted = done(demo.clinician.post(f"{path}/unmerge", key=parting))
    assert done(demo.clinician.post(f"{path}/merge", body, key=merging)) == merged
    assert done(demo.clinician.post(f"{path}/unmerge", key=parting)) == parted
    assert done(demo.clinician.get(f"/v1/clients/{away}"))["merged_into"] is None


def test_undoing_the_latest_merge_twice_by_one_key_undoes_one(demo: Team) -> None:
    merged, key = merged_clients(demo.clinician), str(uuid4())
    earlier = merged.away
    merge(demo.clinician, merged.kept, a_client(demo.clinician))
    for _ in range(2):
        done(demo.clinician.post(f"/v1/clients/{merged.kept}/unmerge", key=key))
    assert done(demo.clinician.get(f"/v1/clients/{merged.kept}"))["absorbed"] == [earlier]


@pytest.mark.parametrize("repeated", [1, 2])
def test_a_draft_saved_twice_is_saved_once(demo: Team, repeated: int) -> None:
    noted, key = client_with_draft(demo.clinician), str(uuid4())
    body = SOAP | {"plan": "Wait.", "revision": 1}
    answers = [
        done(demo.clinician.put(f"{noted.path}/draft", body, key=key))["revision"]
        for _ in range(repeated + 1)
    ]
    assert answers == [2] * (repeated + 1)


@each_write
def test_sixteen_at_once_are_one(api: Api, demo: Team, operation: Operation) -> None:
    asked, key = GUARDED[operation].given(demo.clinician), str(uuid4())
    given = api.positions(demo)[0]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ask(demo.clinician, operation, asked, key), range(16)))
    assert {one.status_code for one in answers} == {GUARDED[operation].status}
    assert len({one.text for one in answers}) == 1
    written = api.positions(demo)[0] - given
    twofold = operation.path.rpartition("/")[2] in {"merge", "unmerge", "reassignment"}
    expected = 0 if operation.path.endswith("/notes") else 2 if twofold else 1
    assert written == expected

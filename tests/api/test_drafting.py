"""From first word to signature: no acknowledged word is lost, and nobody signs another's words."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.support.api import Team, refusal
from tests.support.states import SOAP, a_client, client_with_draft, done, merge


@pytest.mark.parametrize("turn", range(8))
def test_a_save_that_races_the_signature_is_signed_kept_or_refused(demo: Team, turn: int) -> None:
    noted = client_with_draft(demo.clinician)
    later = SOAP | {"subjective": f"Said later, {turn}."}
    with ThreadPoolExecutor(2) as threads:
        saving = threads.submit(demo.clinician.put, f"{noted.path}/draft", later)
        signing = threads.submit(demo.clinician.post, f"{noted.path}/signature")
        saved, signed = saving.result(), signing.result()
    note = done(demo.clinician.get(noted.path))
    texts = [one["sections"]["subjective"] for one in note["versions"]]
    if note["draft"] is not None:
        texts.append(note["draft"]["sections"]["subjective"])
    if saved.is_success:
        assert later["subjective"] in texts
    else:
        assert saved.json()["code"] in {"draft_being_signed", "stale_draft", "note_locked"}
    if not signed.is_success:
        assert signed.json()["code"] == "stale_draft"


def test_a_draft_is_signed_by_its_author_only(demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    refusal(demo.colleague.post(f"{noted.path}/signature"), 403, "not_your_draft")
    assert done(demo.clinician.get(noted.path))["status"] == "draft"


def test_a_merge_strands_no_draft(demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    kept = a_client(demo.clinician)
    merge(demo.clinician, kept, noted.client)
    (shown,) = done(demo.clinician.get(f"/v1/clients/{kept}/chart"))["notes"]
    assert (shown["id"], shown["status"]) == (noted.note, "draft")
    done(demo.clinician.post(f"{noted.path}/signature"))
    (shown,) = done(demo.clinician.get(f"/v1/clients/{kept}/chart"))["notes"]
    assert (shown["id"], shown["status"]) == (noted.note, "signed")


def test_a_key_that_started_a_note_serves_no_other_request(demo: Team) -> None:
    client, key = a_client(demo.clinician), str(uuid4())
    first = done(demo.clinician.post(f"/v1/clients/{client}/notes", SOAP, key=key))
    signature = f"/v1/notes/{first['id']}/signature"
    refusal(demo.clinician.post(signature, key=key), 422, "idempotency_mismatch")
    other = {"given_name": "Eve", "family_name": "Else", "birth_date": "1991-01-01"}
    refusal(demo.clinician.post("/v1/clients", other, key=key), 422, "idempotency_mismatch")
    assert done(demo.clinician.post(f"/v1/clients/{client}/notes", SOAP, key=key)) == first


def test_addenda_written_at_the_same_time_all_stand(demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    done(demo.clinician.post(f"{noted.path}/signature"))
    texts = [f"Addendum {number}." for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(
            threads.map(
                lambda text: done(demo.clinician.post(f"{noted.path}/addenda", {"text": text})),
                texts,
            )
        )
    versions = done(demo.clinician.get(noted.path))["versions"]
    assert sorted(one["addendum"] for one in versions if one["addendum"]) == texts


def test_the_id_of_something_else_is_no_note(demo: Team) -> None:
    client = a_client(demo.clinician)
    for act, body in {
        "signature": None,
        "addenda": {"text": "x"},
        "retraction": {"reason": "x"},
    }.items():
        refusal(demo.clinician.post(f"/v1/notes/{client}/{act}", body), 404, "not_found")
    refusal(demo.clinician.put(f"/v1/notes/{client}/draft", SOAP), 404, "not_found")

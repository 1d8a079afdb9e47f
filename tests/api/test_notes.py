"""A note over HTTP: what it takes in each state, and the refusal for everything else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.api import Api, Json, Member, Team, refusal
from tests.support.states import (
    SECTIONS,
    SOAP,
    Noted,
    a_client,
    client_with_corrected_note,
    client_with_draft,
    client_with_moved_note,
    client_with_retracted_note,
    client_with_signed_note,
    client_with_unlocked_note,
    done,
)

AMENDMENTS: dict[str, Json] = {
    "addenda": {"text": "Called: well."},
    "corrections": {"plan": "28 units.", "reason": "Miscounted."},
    "retraction": {"reason": "Wrong visit."},
    "reassignment": {"to_client_id": "", "reason": "Wrong chart."},
}
each_amendment = pytest.mark.parametrize("act", AMENDMENTS)


def moved(by: Member) -> Noted:
    """The note that was left behind on the wrong chart."""
    return client_with_moved_note(by)[0]


def body_of(act: str, by: Member) -> Json:
    body = AMENDMENTS[act]
    return body | {"to_client_id": a_client(by)} if "to_client_id" in body else body


def test_a_note_from_draft_to_addendum(demo: Team) -> None:
    by, client = demo.clinician, a_client(demo.clinician)
    opened = by.post(f"/v1/clients/{client}/notes", SOAP)
    assert opened.status_code == 201
    note = done(opened)["id"]
    assert opened.headers["location"] == f"/v1/notes/{note}"
    noted = Noted(client, note)
    assert done(by.put(f"{noted.path}/draft", SOAP | {"plan": "Wait."}))["revision"] == 2
    draft = done(by.get(noted.path))
    assert (draft["status"], draft["version"], draft["versions"]) == ("draft", 0, [])
    assert draft["draft"]["sections"] == SOAP | {"plan": "Wait."}
    assert done(by.post(f"{noted.path}/signature", {"revision": 2}))["version"] == 1
    done(by.post(f"{noted.path}/corrections", AMENDMENTS["corrections"]))
    done(demo.colleague.post(f"{noted.path}/addenda", AMENDMENTS["addenda"]))
    read = by.get(noted.path)
    assert read.headers["etag"] == '"3"'
    whole = done(read)
    assert (whole["status"], whole["is_locked"], whole["draft"]) == ("amended", True, None)
    assert [(one["kind"], one["version"], one["author"]) for one in whole["versions"]] == [
        ("signed", 1, by.name),
        ("correction", 2, by.name),
        ("addendum", 3, demo.colleague.name),
    ]
    first, second, third = whole["versions"]
    assert first["sections"] == SOAP | {"plan": "Wait."}
    assert second["sections"] == third["sections"] == SOAP | {"plan": "28 units."}
    assert (second["changed"], second["reason"]) == (["plan"], "Miscounted.")
    assert third["addendum"] == "Called: well."
    assert done(by.get(noted.chart))["notes"] == [whole]


def test_a_late_entry_says_so(demo: Team) -> None:
    before = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    noted = client_with_signed_note(demo.clinician, occurred_at=before)
    (version,) = done(demo.clinician.get(noted.path))["versions"]
    assert version["kind"] == "late_entry"
    assert datetime.fromisoformat(version["occurred_at"]) == datetime.fromisoformat(before)
    recorded = datetime.fromisoformat(version["recorded_at"])
    assert recorded - datetime.fromisoformat(before) > timedelta(days=2)


def test_a_note_is_signed_once(api: Api, demo: Team) -> None:
    noted = client_with_signed_note(demo.clinician)
    with api.nothing_written(demo):
        refusal(demo.clinician.post(f"{noted.path}/signature"), 409, "note_already_signed")


def test_an_unlocked_note_is_drafted_and_signed_again_by_its_author(demo: Team) -> None:
    noted = client_with_unlocked_note(demo.clinician)
    again = demo.clinician.post(f"{noted.path}/signature", {"lock": False})
    refusal(again, 409, "note_already_signed")
    done(demo.clinician.put(f"{noted.path}/draft", SOAP | {"plan": "24 units."}))
    refusal(demo.colleague.post(f"{noted.path}/signature"), 403, "not_your_draft")
    done(demo.clinician.post(f"{noted.path}/signature"))
    read = done(demo.clinician.get(noted.path))
    assert [one["sections"]["plan"] for one in read["versions"]] == [SOAP["plan"], "24 units."]
    assert read["is_locked"] is True


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b"])
def test_an_empty_note_is_not_signed(api: Api, demo: Team, text: str) -> None:
    noted = client_with_draft(demo.clinician, **dict.fromkeys(SECTIONS, text))
    with api.nothing_written(demo):
        problem = refusal(demo.clinician.post(f"{noted.path}/signature"), 422, "note_empty")
        assert problem["errors"][0]["field"] == "sections"


@each_amendment
def test_an_unsigned_note_is_not_amended(api: Api, demo: Team, act: str) -> None:
    noted, body = client_with_draft(demo.clinician), body_of(act, demo.clinician)
    with api.nothing_written(demo):
        refusal(demo.clinician.post(f"{noted.path}/{act}", body), 409, "note_not_signed")


@pytest.mark.parametrize(
    ("state", "code"),
    [(client_with_retracted_note, "note_retracted"), (moved, "note_moved")],
)
@pytest.mark.parametrize("act", [*AMENDMENTS, "signature", "draft"])
def test_a_note_that_has_ended_takes_nothing(
    api: Api, demo: Team, state: Callable[[Member], Noted], code: str, act: str
) -> None:
    noted = state(demo.clinician)
    body = body_of(act, demo.clinician) if act in AMENDMENTS else {}
    with api.nothing_written(demo):
        method = "PUT" if act == "draft" else "POST"
        problem = refusal(demo.clinician.ask(method, f"{noted.path}/{act}", body), 409, code)
    if code == "note_moved":
        assert problem["moved_to"] != noted.client
    # It stays legible.
    assert done(demo.clinician.get(noted.path))["versions"][0]["sections"] == SOAP


def test_a_locked_note_takes_no_draft(api: Api, demo: Team) -> None:
    noted = client_with_signed_note(demo.clinician)
    with api.nothing_written(demo):
        refusal(demo.clinician.put(f"{noted.path}/draft", SOAP), 409, "note_locked")


@pytest.mark.parametrize(
    "sections", [{}, {"plan": SOAP["plan"]}, {"subjective": None}, dict(SOAP)], ids=str
)
def test_a_correction_names_a_section_and_changes_it(api: Api, demo: Team, sections: Json) -> None:
    noted = client_with_signed_note(demo.clinician)
    with api.nothing_written(demo):
        body = {"reason": "Miscounted."} | sections
        problem = refusal(
            demo.clinician.post(f"{noted.path}/corrections", body), 422, "nothing_corrected"
        )
        assert problem["errors"][0]["field"] == "sections"


def test_a_correction_does_not_empty_the_note(api: Api, demo: Team) -> None:
    noted = client_with_signed_note(demo.clinician)
    body = {"reason": "Wrong visit."} | dict.fromkeys(SECTIONS, "")
    with api.nothing_written(demo):
        refusal(demo.clinician.post(f"{noted.path}/corrections", body), 422, "note_empty")


def test_only_the_author_corrects_and_drafts(api: Api, demo: Team) -> None:
    signed, draft = client_with_signed_note(demo.clinician), client_with_draft(demo.clinician)
    with api.nothing_written(demo):
        answer = demo.colleague.post(f"{signed.path}/corrections", AMENDMENTS["corrections"])
        refusal(answer, 403, "not_the_author")
        answer = demo.colleague.put(f"{draft.path}/draft", SOAP | {"plan": "Mine."})
        refusal(answer, 403, "not_your_draft")
        answer = demo.colleague.put(f"{draft.path}/draft", SOAP)
        refusal(answer, 403, "not_your_draft")
    assert done(demo.clinician.get(draft.path))["draft"]["sections"] == SOAP


def test_a_draft_saved_elsewhere_meanwhile_is_not_overwritten_nor_signed_unseen(
    api: Api, demo: Team
) -> None:
    noted = client_with_draft(demo.clinician)
    done(demo.clinician.put(f"{noted.path}/draft", SOAP | {"plan": "Wait.", "revision": 1}))
    with api.nothing_written(demo):
        body = SOAP | {"plan": "From another window.", "revision": 1}
        answer = demo.clinician.put(f"{noted.path}/draft", body)
        assert refusal(answer, 409, "stale_draft")["current_revision"] == 2
        answer = demo.clinician.post(f"{noted.path}/signature", {"revision": 1})
        assert refusal(answer, 409, "stale_draft")["current_revision"] == 2
    done(demo.clinician.post(f"{noted.path}/signature", {"revision": 2}))


@pytest.mark.parametrize("act", [*AMENDMENTS, "signature"])
@pytest.mark.parametrize("seen", [0, 1, 3])
def test_who_saw_another_version_looks_again(api: Api, demo: Team, act: str, seen: int) -> None:
    noted = client_with_corrected_note(demo.clinician)
    body = body_of(act, demo.clinician) if act in AMENDMENTS else None
    with api.nothing_written(demo):
        answer = demo.clinician.post(f"{noted.path}/{act}", body, if_match=seen)
        assert refusal(answer, 409, "stale_version")["current_version"] == 2
    if act != "signature":
        done(demo.clinician.post(f"{noted.path}/{act}", body, if_match=2))


def test_a_draft_of_another_version_is_not_saved(api: Api, demo: Team) -> None:
    noted = client_with_unlocked_note(demo.clinician)
    with api.nothing_written(demo):
        body = SOAP | {"plan": "24 units."}
        answer = demo.clinician.put(f"{noted.path}/draft", body, if_match=0)
        assert refusal(answer, 409, "stale_version")["current_version"] == 1
    done(demo.clinician.put(f"{noted.path}/draft", body, if_match=1))


def test_a_note_is_not_moved_to_where_it_is(api: Api, demo: Team) -> None:
    noted = client_with_signed_note(demo.clinician)
    with api.nothing_written(demo):
        body = {"to_client_id": noted.client, "reason": "Wrong chart."}
        answer = demo.clinician.post(f"{noted.path}/reassignment", body)
        assert refusal(answer, 422, "same_chart")["errors"][0]["field"] == "to_client_id"


def test_a_moved_note_reads_on_at_its_successor(demo: Team) -> None:
    wrong, right = client_with_moved_note(demo.clinician)
    left = done(demo.clinician.get(wrong.path))
    assert (left["status"], left["client_id"]) == ("moved", wrong.client)
    last = left["versions"][-1]
    assert (last["kind"], last["linked_note_id"]) == ("moved_away", right.note)
    assert last["linked_client_id"] == right.client
    arrived = done(demo.clinician.get(right.path))
    assert (arrived["client_id"], arrived["is_locked"]) == (right.client, True)
    (version,) = arrived["versions"]
    assert (version["kind"], version["linked_note_id"]) == ("moved_in", wrong.note)
    assert version["sections"] == SOAP
    assert version["author"] == demo.clinician.name


def test_what_the_signer_had_on_screen_is_kept(demo: Team) -> None:
    by = demo.clinician
    earlier = client_with_signed_note(by)
    position = done(by.get(earlier.chart))["position"]
    noted = client_with_draft(by, earlier.client)
    done(by.post(f"{noted.path}/signature", {"seen_position": position}))
    events = done(by.get(f"/v1/clients/{earlier.client}/events"))["items"]
    receipt = events[-1]["body"]["receipt"]
    assert receipt["position"] == position
    assert receipt["shown"] == [earlier.note]

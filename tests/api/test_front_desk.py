"""Clinical text never reaches who may not read it: not in a body, a header, an error, a search."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.api.contract import GUARDED, Operation, name
from tests.support.api import Api, Member, Response, Team, refusal
from tests.support.states import SECTIONS, Noted, a_client, client_with_draft, details, done


def canaries(kind: str) -> dict[str, str]:
    """Words for each section that stand nowhere else."""
    return {section: f"canary {kind} {section} {uuid4().hex}" for section in SECTIONS}


@pytest.fixture(scope="module")
def charted(api: Api) -> tuple[str, list[Noted], str]:
    """A client with canaries in every place where clinical text may stand; and her name."""
    by = api.demo.clinician
    family = str(details()["family_name"])
    client, other = a_client(by, family_name=family), a_client(by)
    notes = [client_with_draft(by, client, **canaries("signed")) for _ in range(3)]
    for noted in notes:
        done(by.post(f"{noted.path}/signature"))
    corrected, retracted, moved = notes
    body = canaries("corrected") | {"reason": f"canary reason {uuid4().hex}"}
    done(by.post(f"{corrected.path}/corrections", body))
    done(by.post(f"{corrected.path}/addenda", {"text": f"canary addendum {uuid4().hex}"}))
    done(by.post(f"{retracted.path}/retraction", {"reason": f"canary retraction {uuid4().hex}"}))
    body = {"to_client_id": other, "reason": f"canary move {uuid4().hex}"}
    done(by.post(f"{moved.path}/reassignment", body))
    draft = client_with_draft(by, client, **canaries("draft"))
    return client, [*notes, draft], family


def everything(by: Member, client: str, notes: list[Noted], family: str) -> Iterator[Response]:
    """Every route there is, as often as there are notes, with bodies that would be taken."""
    for operation, route in GUARDED.items():
        asked = route.given(by) if not operation.path.count("{") else None
        for noted in notes:
            path = operation.path.format(client_id=client, note_id=noted.note)
            body = asked.body if asked else BODIES.get(operation, {})
            if path.endswith("/search"):
                body = {"q": family}
            yield by.ask(operation.method, path, body)
    yield by.get(f"/v1/clients/{client}/chart", as_of="2026-01-01T00:00:00Z", view="true")


BODIES = {
    Operation("POST", "/v1/clients/{client_id}/contact-details"): {"phone": "+1 212 555 0177"},
    Operation("POST", "/v1/notes/{note_id}/addenda"): {"text": "More."},
    Operation("POST", "/v1/notes/{note_id}/corrections"): {"plan": "x", "reason": "y"},
    Operation("POST", "/v1/notes/{note_id}/retraction"): {"reason": "y"},
    Operation("POST", "/v1/clients/{client_id}/death"): {"died_on": "1980-01-01", "source": "z"},
}


@pytest.mark.parametrize("role", ["front_desk", "owner"])
def test_no_answer_holds_a_clinical_word(
    demo: Team, charted: tuple[str, list[Noted], str], role: str
) -> None:
    client, notes, family = charted
    answers = list(everything(demo.of(role), client, notes, family))
    assert len(answers) > 60
    for answer in answers:
        assert "canary" not in answer.text.lower()
        assert "canary" not in str(answer.headers).lower()
    # What she may see is there: identity and contact.
    assert sum(family in answer.text for answer in answers) >= 4


def test_the_canaries_are_there_for_who_may_read(
    demo: Team, charted: tuple[str, list[Noted], str]
) -> None:
    client, notes, _ = charted
    chart = demo.auditor.get(f"/v1/clients/{client}/chart").text
    events = demo.auditor.get(f"/v1/clients/{client}/events").text
    assert chart.count("canary draft") == 4
    assert chart.count("canary signed") >= 12
    for word in ("reason", "addendum", "retraction", "move"):
        assert f"canary {word}" in events
    assert all("canary" in demo.clinician.get(noted.path).text for noted in notes)


@pytest.mark.parametrize(
    "operation",
    [one for one, route in GUARDED.items() if "front_desk" not in route.roles],
    ids=name,
)
def test_a_refusal_is_the_same_whether_or_not_anything_is_there(
    demo: Team, charted: tuple[str, list[Noted], str], operation: Operation
) -> None:
    client, notes, _ = charted
    bare = a_client(demo.clinician)
    answers = []
    for one, note in [
        (client, notes[0].note),
        (client, notes[3].note),
        (bare, str(uuid4())),
        (str(uuid4()), str(uuid4())),
        ("not-an-id", "not-an-id"),
    ]:
        path = operation.path.format(client_id=one, note_id=note)
        answer = demo.front_desk.ask(operation.method, path, {"nonsense": "in the body"})
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        answers.append((refusal(answer, 403, "forbidden"), headers))
    assert all(answer == answers[0] for answer in answers)


def test_the_front_desk_reads_who_and_how_to_reach_her_and_nothing_else(demo: Team) -> None:
    client = a_client(demo.clinician)
    read = done(demo.front_desk.get(f"/v1/clients/{client}"))
    assert read.keys() == {
        "id",
        "given_name",
        "family_name",
        "birth_date",
        "phone",
        "email",
        "died_on",
        "merged_into",
        "absorbed",
        "erasures",
        "version",
    }
    answer = demo.front_desk.post("/v1/clients/search", {"q": read["family_name"]})
    for found in done(answer)["items"]:
        assert found.keys() == {
            "id",
            "given_name",
            "family_name",
            "birth_date",
            "phone",
            "email",
            "merged_into",
            "is_deceased",
        }

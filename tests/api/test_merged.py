"""A client merged away: every route answers with where she went, and un-merging brings her back."""

import pytest

from tests.api.contract import ROUTES, Asked, Operation, name
from tests.support.api import Api, Team, refusal
from tests.support.states import (
    SOAP,
    Noted,
    a_client,
    client_with_signed_note,
    details,
    done,
    merge,
    merged_clients,
)

# Of a record merged away, what was written and who read it stay legible where they were.
STAYS = {"events", "accesses", "evidence-bundle", "unmerge"}
ON_CLIENT = [one for one in ROUTES if one.path.startswith("/v1/clients/{client_id}")]
MOVED_ON = [one for one in ON_CLIENT if one.path.rpartition("/")[2] not in STAYS]


@pytest.mark.parametrize("operation", MOVED_ON, ids=name)
def test_each_read_and_write_says_where_she_went(
    api: Api, demo: Team, operation: Operation
) -> None:
    asked = ROUTES[operation].given(demo.clinician)
    merged = merged_clients(demo.clinician)
    record = api.positions(demo)[0]
    answer = Asked({"client_id": merged.away}, asked.body).by(demo.clinician, operation)
    assert refusal(answer, 409, "client_merged")["merged_into"] == merged.kept
    assert api.positions(demo)[0] == record


def test_a_chart_of_the_past_is_that_of_the_past(demo: Team) -> None:
    merged = merged_clients(demo.clinician)
    path = f"/v1/clients/{merged.away}"
    (registered, gone) = done(demo.auditor.get(f"{path}/events"))["items"]
    assert gone["type"] == "client.merged_away.v1"
    chart = done(demo.auditor.get(f"{path}/chart", as_of=registered["recorded_at"]))
    assert chart["client"]["merged_into"] is None
    answer = demo.auditor.get(f"{path}/chart", as_of=gone["recorded_at"])
    assert refusal(answer, 409, "client_merged")["merged_into"] == merged.kept


@pytest.mark.parametrize("asked_of", ["kept", "away"])
def test_unmerging_brings_her_back(demo: Team, asked_of: str) -> None:
    merged = merged_clients(demo.clinician)
    path = f"/v1/clients/{getattr(merged, asked_of)}"
    done(demo.clinician.post(f"{path}/unmerge", {"reason": "Twins."}))
    for client in (merged.kept, merged.away):
        read = done(demo.clinician.get(f"/v1/clients/{client}"))
        assert read["merged_into"] is None
        assert read["absorbed"] == []
        done(demo.clinician.post(f"/v1/clients/{client}/notes", SOAP))
    refusal(demo.clinician.post(f"{path}/unmerge"), 409, "clients_not_merged")


def test_the_kept_chart_shows_both_and_amends_either(demo: Team) -> None:
    mine, theirs = client_with_signed_note(demo.clinician), client_with_signed_note(demo.clinician)
    merge(demo.clinician, mine.client, theirs.client)
    chart = done(demo.clinician.get(mine.chart))
    assert {(one["id"], one["client_id"]) for one in chart["notes"]} == {
        (mine.note, mine.client),
        (theirs.note, theirs.client),
    }
    assert chart["client"]["absorbed"] == [theirs.client]
    done(demo.clinician.post(f"{theirs.path}/addenda", {"text": "Called: well."}))
    chart = done(demo.clinician.get(mine.chart))
    assert [one["status"] for one in chart["notes"] if one["id"] == theirs.note] == ["amended"]


def test_no_note_is_moved_to_a_record_that_went_away(api: Api, demo: Team) -> None:
    noted, merged = client_with_signed_note(demo.clinician), merged_clients(demo.clinician)
    record = api.positions(demo)[0]
    body = {"to_client_id": merged.away, "reason": "Wrong chart."}
    answer = demo.clinician.post(f"{noted.path}/reassignment", body)
    assert refusal(answer, 409, "client_merged")["merged_into"] == merged.kept
    assert api.positions(demo)[0] == record


def test_merging_refuses(api: Api, demo: Team) -> None:
    merged, other = merged_clients(demo.clinician), a_client(demo.clinician)
    record = api.positions(demo)[0]

    def ask(kept: str, away: str, code: str, status: int = 409) -> None:
        body = {"other_client_id": away, "reason": "The same person."}
        refusal(demo.clinician.post(f"/v1/clients/{kept}/merge", body), status, code)

    ask(other, other, "same_client", 422)
    ask(merged.kept, merged.away, "client_merged")
    ask(other, merged.away, "client_merged")
    ask(merged.away, other, "client_merged")
    body = {"other_client_id": other}
    answer = demo.clinician.post(f"/v1/clients/{merged.kept}/unmerge", body)
    refusal(answer, 409, "clients_not_merged")
    assert api.positions(demo)[0] == record


def test_a_search_finds_both_and_says_which_is_read_on(demo: Team) -> None:
    family = str(details()["family_name"])
    kept = a_client(demo.clinician, family_name=family)
    away = a_client(demo.clinician, family_name=family)
    position = merge(demo.clinician, kept, away)["position"]
    answer = demo.clinician.ask(
        "POST", "/v1/clients/search", {"q": family}, params={"after": position}
    )
    found = [(one["id"], one["merged_into"]) for one in done(answer)["items"]]
    assert found == [(kept, None), (away, kept)]


def test_generations_of_merges_are_one_chart_and_each_is_noted(api: Api, demo: Team) -> None:
    eldest, middle, youngest = (client_with_signed_note(demo.clinician) for _ in range(3))
    merge(demo.clinician, middle.client, eldest.client)
    merge(demo.clinician, youngest.client, middle.client)
    events = done(demo.auditor.get(f"/v1/clients/{youngest.client}/events"))["items"]
    for query in ({}, {"as_of": events[-1]["recorded_at"]}):
        chart = done(demo.auditor.get(youngest.chart, **query))
        shown = {one["id"] for one in chart["notes"]}
        assert shown == {eldest.note, middle.note, youngest.note}
        for one in (eldest, middle, youngest):
            assert _chart_reads(api, demo, one) == (2 if query else 1)


def _chart_reads(api: Api, demo: Team, noted: Noted) -> int:
    return sum(one["what"] == "chart" for one in api.accesses(demo, noted.client))

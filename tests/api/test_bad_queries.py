"""Moments, positions, versions, ids and keys that cannot be; nothing is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.support.api import Api, Member, Response, Team, refusal, wrong_fields
from tests.support.states import (
    a_client,
    client_with_draft,
    client_with_signed_note,
    details,
    done,
)

BAD_MOMENTS = [
    "yesterday",
    "2026-03-02",
    "2026-03-02T12:00:00",
    "1767225600",
    "2026-13-02T12:00:00Z",
    "2026-03-02T12:00:00+23:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-03-02T12:00:00 1:00",
]


@pytest.mark.parametrize("moment", BAD_MOMENTS)
def test_a_moment_has_date_time_and_offset(api: Api, demo: Team, moment: str) -> None:
    noted = client_with_draft(demo.clinician)
    with api.nothing_written(demo):
        replay = f"/v1/clients/{noted.client}/events"
        assert list(wrong_fields(demo.clinician.get(noted.chart, as_of=moment))) == ["as_of"]
        body = {"subjective": "Late.", "occurred_at": moment}
        assert list(wrong_fields(demo.clinician.put(f"{noted.path}/draft", body))) == [
            "occurred_at"
        ]
        answer = demo.clinician.post(f"/v1/clients/{noted.client}/notes", body)
        assert list(wrong_fields(answer)) == ["occurred_at"]
        if not moment.isdigit():  # a position
            found = wrong_fields(demo.clinician.get(replay, **{"from": moment}))
            assert found == {"from": "not_a_place"}


def test_an_empty_parameter_says_nothing_and_a_lost_plus_sign_is_found(demo: Team) -> None:
    client = a_client(demo.clinician)
    path = f"/v1/clients/{client}"
    assert done(demo.clinician.get(f"{path}/chart", as_of=""))["as_of"] is None
    events = done(demo.clinician.get(f"{path}/events", **{"from": "", "to": ""}))
    assert len(events["items"]) == 1
    east = datetime.now(timezone(timedelta(hours=1))).isoformat()
    lost = demo.clinician.http.get(
        f"{path}/chart?as_of={east}", headers={"Authorization": f"Bearer {demo.clinician.token}"}
    )
    assert "+" in str(lost.request.url)
    assert datetime.fromisoformat(done(lost)["as_of"]) == datetime.fromisoformat(east)


def test_the_future_is_not_known_yet(api: Api, demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    with api.nothing_written(demo):
        ahead = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        problem = refusal(demo.clinician.get(noted.chart, as_of=ahead), 422, "as_of_in_future")
        assert problem["errors"][0]["field"] == "as_of"
        body = {"subjective": "Tomorrow.", "occurred_at": ahead}
        for answer in (
            demo.clinician.put(f"{noted.path}/draft", body),
            demo.clinician.post(f"/v1/clients/{noted.client}/notes", body),
        ):
            problem = refusal(answer, 422, "occurred_at_in_future")
            assert problem["errors"][0]["field"] == "occurred_at"


def test_a_clock_a_little_ahead_is_shown_what_is_known_now(api: Api, demo: Team) -> None:
    noted = client_with_signed_note(demo.clinician)
    ahead = datetime.now(UTC) + timedelta(seconds=4)
    chart = done(demo.clinician.get(noted.chart, as_of=ahead.isoformat()))
    assert datetime.fromisoformat(chart["as_of"]) <= api.clock.now() < ahead
    assert len(chart["notes"]) == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("chart", {"view": "guessed"}),
        ("chart", {"after": -1}),
        ("chart", {"after": "soon"}),
        ("accesses", {"before": 0}),
        ("events", {"from": "soon"}),
        ("events", {"to": "1.5"}),
    ],
)
def test_a_query_is_checked_too(
    api: Api, demo: Team, path: str, query: dict[str, str | int]
) -> None:
    client = a_client(demo.clinician)
    with api.nothing_written(demo):
        found = wrong_fields(demo.clinician.get(f"/v1/clients/{client}/{path}", **query))
        assert set(found) == set(query)


@pytest.mark.parametrize("value", ["seven", "-1", "1.0", '"', "\u0661", "9" * 10, "W/x", ""])
def test_a_bad_if_match(api: Api, demo: Team, value: str) -> None:
    noted = client_with_signed_note(demo.clinician)
    with api.nothing_written(demo):
        answer = demo.clinician.http.post(
            f"{noted.path}/addenda",
            json={"text": "More."},
            headers=[
                (b"Authorization", f"Bearer {demo.clinician.token}".encode()),
                (b"If-Match", value.encode()),
            ],
        )
        problem = refusal(answer, 422, "invalid_if_match")
        assert problem["errors"][0]["field"] == "If-Match"


@pytest.mark.parametrize("value", ["2", '"2"', 'W/"2"', "*", "0002"])
def test_a_good_if_match(demo: Team, value: str) -> None:
    noted = client_with_signed_note(demo.clinician)
    demo.clinician.post(f"{noted.path}/addenda", {"text": "More."})
    assert demo.clinician.post(
        f"{noted.path}/addenda", {"text": "And more."}, if_match=value
    ).is_success


def test_a_position_beyond_all_positions_leads_to_an_empty_page(demo: Team) -> None:
    client = a_client(demo.clinician)
    page = demo.clinician.get(f"/v1/clients/{client}/events", **{"from": 10**30})
    assert page.json() == {"items": [], "next": None}
    everything = demo.clinician.get(f"/v1/clients/{client}/accesses", before=10**30)
    assert len(everything.json()["items"]) == 2


def test_an_id_that_is_none(api: Api, demo: Team) -> None:
    with api.nothing_written(demo):
        assert wrong_fields(demo.clinician.get("/v1/clients/7")) == {"client_id": "uuid_parsing"}
        assert wrong_fields(demo.clinician.get("/v1/notes/7")) == {"note_id": "uuid_parsing"}


def search(by: Member, q: str) -> Response:
    return by.post("/v1/clients/search", {"q": q})


@pytest.mark.parametrize("q", ["an", "a", "  an  "])
def test_a_search_takes_three_characters(api: Api, demo: Team, q: str) -> None:
    with api.nothing_written(demo):
        problem = refusal(search(demo.clinician, q), 422, "query_too_short")
        assert problem["errors"][0]["field"] == "q"


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_has_one_to_255_characters(api: Api, demo: Team, key: str) -> None:
    with api.nothing_written(demo):
        answer = demo.clinician.post("/v1/clients", details(), key=key)
        assert list(wrong_fields(answer)) == ["idempotency-key"]

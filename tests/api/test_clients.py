"""A client over HTTP: registered, changed, found; and each refusal on the way."""

from time import perf_counter

import pytest

from api import waiting
from projections.client_search.reader import ClientSearch
from tests.support.api import Api, Json, Team, refusal, wrong_fields
from tests.support.states import a_client, deceased_client, details, done, merged_clients


def test_a_client_is_read_as_she_was_registered(demo: Team) -> None:
    body = details()
    answer = demo.front_desk.post("/v1/clients", body)
    assert answer.status_code == 201
    written = done(answer)
    assert answer.headers["location"] == f"/v1/clients/{written['id']}"
    assert written["version"] == 1
    read = demo.front_desk.get(answer.headers["location"])
    assert read.headers["etag"] == '"1"'
    client = done(read)
    assert {name: client[name] for name in body} == body
    assert client["merged_into"] is None


def test_phone_and_email_may_be_missing(demo: Team) -> None:
    body = {"given_name": "Ana", "family_name": "Bell", "birth_date": "1990-02-28"}
    client = done(demo.clinician.post("/v1/clients", body))["id"]
    read = done(demo.clinician.get(f"/v1/clients/{client}"))
    assert (read["phone"], read["email"]) == (None, None)


def test_names_are_kept_as_people_write_them(demo: Team) -> None:
    names = {"given_name": "Zoë-Ọlá", "family_name": "O'Brien 王"}
    client = a_client(demo.clinician, **names)
    read = done(demo.clinician.get(f"/v1/clients/{client}"))
    assert {name: read[name] for name in names} == names


def test_changes_leave_what_is_not_named(demo: Team) -> None:
    client = a_client(demo.clinician)
    path = f"/v1/clients/{client}"
    before = done(demo.clinician.get(path))
    answer = demo.clinician.post(f"{path}/contact-details", {"phone": None}, if_match=1)
    assert done(answer)["version"] == 2
    after = done(demo.clinician.get(path))
    assert after == before | {"phone": None, "version": 2}


@pytest.mark.parametrize("field", ["given_name", "family_name", "birth_date"])
def test_who_she_is_cannot_be_taken_away(api: Api, demo: Team, field: str) -> None:
    client = a_client(demo.clinician)
    with api.nothing_written(demo):
        answer = demo.clinician.post(f"/v1/clients/{client}/contact-details", {field: None})
        problem = refusal(answer, 422, "detail_required")
        assert problem["errors"][0]["field"] == field


def test_a_change_changes_something(api: Api, demo: Team) -> None:
    client = a_client(demo.clinician)
    path = f"/v1/clients/{client}/contact-details"
    with api.nothing_written(demo):
        assert list(wrong_fields(demo.clinician.post(path, {}))) == ["body"]
        refusal(demo.clinician.post(path, {"given_name": "Ana"}), 409, "nothing_changed")


@pytest.mark.parametrize("act", ["contact-details", "merge", "unmerge"])
def test_who_saw_another_version_looks_again(api: Api, demo: Team, act: str) -> None:
    merged, other = merged_clients(demo.clinician), a_client(demo.clinician)
    bodies: dict[str, Json] = {
        "contact-details": {"phone": None},
        "merge": {"other_client_id": other, "reason": "The same person."},
        "unmerge": {"reason": "Twins."},
    }
    path = f"/v1/clients/{merged.kept}/{act}"
    with api.nothing_written(demo):
        for seen in (1, 3):
            answer = demo.clinician.post(path, bodies[act], if_match=seen)
            assert refusal(answer, 409, "stale_version")["current_version"] == 2
    done(demo.clinician.post(path, bodies[act], if_match=2))


def test_a_death_is_recorded_once_and_can_be_withdrawn(api: Api, demo: Team) -> None:
    client = deceased_client(demo.clinician)
    path, again = f"/v1/clients/{client}", {"died_on": "2026-01-06", "source": "Her son."}
    assert done(demo.clinician.get(path))["died_on"] == "2026-01-05"
    with api.nothing_written(demo):
        refusal(demo.clinician.post(f"{path}/death", again), 409, "death_already_recorded")
        born = {"birth_date": "2026-02-01"}
        answer = demo.clinician.post(f"{path}/contact-details", born)
        assert refusal(answer, 422, "birth_date_after_death")["errors"][0]["field"] == "birth_date"
    done(demo.clinician.post(f"{path}/death-withdrawal", {"reason": "Her mother."}))
    assert done(demo.clinician.get(path))["died_on"] is None
    with api.nothing_written(demo):
        answer = demo.clinician.post(f"{path}/death-withdrawal", {"reason": "Her mother."})
        refusal(answer, 409, "death_not_recorded")


@pytest.mark.parametrize("day", ["1990-02-27", "2990-01-01"])
def test_a_death_lies_between_birth_and_today(api: Api, demo: Team, day: str) -> None:
    client = a_client(demo.clinician)
    with api.nothing_written(demo):
        body = {"died_on": day, "source": "Her son."}
        answer = demo.clinician.post(f"/v1/clients/{client}/death", body)
        problem = refusal(answer, 422, "death_date_impossible")
        assert problem["errors"][0]["field"] == "died_on"


def test_today_is_a_day_in_the_practice(api: Api, demo: Team, harbor: Team) -> None:
    """At six in London it is one in New York, and yesterday still in Los Angeles."""
    now = api.clock.now()
    night = now.replace(hour=6)
    with api.clock.later(night - now):
        born = night.date().isoformat()
        assert demo.clinician.post("/v1/clients", details(birth_date=born)).status_code == 201
        answer = harbor.clinician.post("/v1/clients", details(birth_date=born))
        refusal(answer, 422, "birth_date_in_future")


def test_one_reads_what_one_wrote(demo: Team) -> None:
    # The search forgives typing errors: a random name may resemble another test's.
    body = details(family_name="Zwiebelfisch", email="zwiebelfisch@example.com")
    written = done(demo.clinician.post("/v1/clients", body))
    for q in (str(body["family_name"]), str(body["email"])):
        answer = demo.front_desk.ask(
            "POST", "/v1/clients/search", {"q": q}, params={"after": written["position"]}
        )
        assert [one["id"] for one in done(answer)["items"]] == [written["id"]]


def test_a_position_that_does_not_come_is_no_empty_list(
    api: Api, demo: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = api.positions(demo)[0]
    monkeypatch.setattr(ClientSearch, "position", lambda *_: head - 1)
    monkeypatch.setattr(waiting, "WAIT_SECONDS", 0.1)
    with api.nothing_written(demo):
        answer = demo.clinician.ask(
            "POST", "/v1/clients/search", {"q": "Ana"}, params={"after": head}
        )
        refusal(answer, 503, "projection_behind")
        assert answer.headers["retry-after"] == "1"


def test_nobody_waits_for_a_position_that_was_never_given_out(api: Api, demo: Team) -> None:
    started = perf_counter()
    with api.nothing_written(demo):
        for after in (api.positions(demo)[0] + 1, 10**30):
            answer = demo.clinician.ask(
                "POST", "/v1/clients/search", {"q": "Ana"}, params={"after": after}
            )
            (wrong,) = refusal(answer, 422, "position_unknown")["errors"]
            assert wrong["field"] == "after"
    assert perf_counter() - started < waiting.WAIT_SECONDS


def test_a_search_shows_twenty_at_most_and_nobody_of_another_practice(
    demo: Team, harbor: Team
) -> None:
    family = f"Twentyfold{details()['family_name']}"
    body = [details(family_name=family) for _ in range(21)]
    position = max(done(demo.clinician.post("/v1/clients", one))["position"] for one in body)
    theirs = a_client(harbor.clinician, family_name=family)
    answer = demo.clinician.ask(
        "POST", "/v1/clients/search", {"q": family}, params={"after": position}
    )
    found = [one["id"] for one in done(answer)["items"]]
    assert len(found) == 20
    assert theirs not in found

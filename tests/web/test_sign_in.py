"""Who gets in, how is guessing stopped, and where does a session end?"""

from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import cast
from uuid import UUID

import pytest

from api.asking import COOKIES
from api.security.identity import Identity, NotSignedIn, SessionExpired
from domain.kernel.events import Recorded
from record.access import Accessed
from record.recorder import PracticeRecorder
from tests.web.forms import Client, SignIn
from tests.web.house import PASSWORD, House


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_somebody_else(house: House, away: str) -> None:
    with Client(base_url=house.address) as client:
        form = {"email": "olga@example.com", "password": PASSWORD, "next": away}
        assert client.post("/sign-in", data=form).headers["location"] == "/clients"


def test_signing_in_from_somebody_elses_page_is_refused(house: House) -> None:
    with Client(base_url=house.address) as client:
        form = {"email": "olga@example.com", "password": PASSWORD}
        answer = client.post("/sign-in", data=form, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_guessing_a_password_is_stopped(house: House) -> None:
    form = {"email": "guessed@example.com", "password": "wrong"}
    with Client(base_url=house.address) as client:
        statuses = [client.post("/sign-in", data=form).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_a_session_that_ended_is_said_so_once(house: House, sign_in: SignIn) -> None:
    with Client(base_url=house.address) as client:
        form = {"email": "olga@example.com", "password": PASSWORD}
        client.post("/sign-in", data=form)
        with house.platform.database.practice(house.practice_id) as connection:
            connection.execute(
                "UPDATE identity.session SET last_seen_at = last_seen_at - interval '16 minutes'"
                " WHERE ended_at IS NULL AND member_id = ("
                "   SELECT member_id FROM identity.member WHERE email = 'olga@example.com')"
            )
        answer = client.get("/clients", follow_redirects=True)
        assert "You were signed out after 15 minutes without activity." in answer.text
        assert "15 minutes" not in client.get("/sign-in").text


def test_a_script_of_an_ended_session_is_told_to_load_the_sign_in(house: House) -> None:
    with Client(base_url=house.address) as client:
        answer = client.get("/clients", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"].startswith("/sign-in")


def olga(house: House) -> UUID:
    with house.platform.database.practice(house.practice_id) as connection:
        row = connection.execute(
            "SELECT member_id FROM identity.member WHERE email = 'olga@example.com'"
        ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def test_who_works_is_not_idle_however_short_idle_is(house: House) -> None:
    identity = Identity(house.platform.database, idle=timedelta(minutes=1))
    began = datetime.now(UTC)
    ((practice_id, member_id),) = identity.who_has("olga@example.com", PASSWORD)
    secret = identity.begin(practice_id, member_id, "session", at=began)
    for seconds in range(20, 301, 20):
        identity.member(secret, at=began + timedelta(seconds=seconds))
    with pytest.raises(SessionExpired):
        identity.member(secret, at=began + timedelta(seconds=361))


def test_signing_in_again_ends_the_session_before(house: House) -> None:
    form = {"email": "olga@example.com", "password": PASSWORD}
    identity, now = house.platform.identity, house.platform.clock.now()
    with Client(base_url=house.address) as client, Client(base_url=house.address) as elsewhere:
        secrets = []
        for browser in (elsewhere, client, client):
            browser.post("/sign-in", data=form)
            secrets.append(browser.cookies[COOKIES[1]])
        other, first, second = secrets
        with pytest.raises(NotSignedIn):
            identity.member(first, at=now)
        for alive in (other, second):
            assert identity.member(alive, at=now).member_id == olga(house)
        client.post("/sign-in", data=form | {"password": "wrong"})  # ends nothing
        assert client.get("/clients").status_code == 200


def test_a_wrong_password_is_noted_where_she_works(house: House, sign_in: SignIn) -> None:
    practice = house.platform.accesses._practices[house.practice_id]
    theirs = house.platform.accesses._practices[house.other_practice_id]
    before, before_theirs = practice.position(), theirs.position()
    began = datetime.now(UTC)
    with Client(base_url=house.address) as client:
        for email in ("nobody@example.com", " Olga@example.com "):
            answer = client.post("/sign-in", data={"email": email, "password": "wrong"})
            assert answer.status_code == 401

    def noted_since() -> list[Recorded]:
        """What her practice noted of now; entries of earlier tests may still be on their way."""
        rows = cast("PracticeRecorder", practice.recorder).select_entries(before + 1, 100)
        return [one for one in map(practice.open, rows) if one.occurred_at >= began]

    deadline = monotonic() + 20
    while not noted_since() and monotonic() < deadline:  # it follows the answer
        sleep(0.01)
    (noted,) = noted_since()
    assert isinstance(noted.event, Accessed)
    assert theirs.position() == before_theirs
    assert (noted.actor, noted.role, noted.subject) == (olga(house), "owner", None)
    assert (noted.event.action, noted.event.outcome) == ("sign_in", "denied")
    assert "olga" not in noted.event.model_dump_json().lower()


@pytest.mark.parametrize("csrf", ["", "0" * 64, "naïve"])
def test_nobody_elses_form_signs_out(house: House, csrf: str) -> None:
    with Client(base_url=house.address) as client:
        client.post("/sign-in", data={"email": "olga@example.com", "password": PASSWORD})
        assert client.post("/sign-out", data={"csrf": csrf}).status_code == 403
        assert client.get("/clients").status_code == 200

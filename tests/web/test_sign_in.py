"""Who gets in, how is guessing stopped, and where does a session end?"""

import pytest

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

"""Who is signed in, how long, and what a browser must show besides its cookie."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from api.asking import COOKIES
from api.security.identity import SESSION_LASTS
from deploy.founding import NewMember, add_member
from domain.kernel.ids import ActorId
from tests.support.api import PASSWORD, Api, Member, Response, Team, refusal
from tests.support.states import a_client, details

IDLE = timedelta(minutes=15)


@pytest.fixture
def session(api: Api, demo: Team) -> str:
    """The clinician's session, just begun."""
    return api.sign_in(demo.clinician)


def read(api: Api, secret: str, client: str, cookie: str = COOKIES[0]) -> Response:
    return api.http.get(f"/v1/clients/{client}", headers={"Cookie": f"{cookie}={secret}"})


def write(api: Api, secret: str, csrf: str | None) -> Response:
    headers = [(b"Cookie", f"{COOKIES[0]}={secret}".encode())]
    if csrf is not None:
        headers.append((b"X-CSRF-Token", csrf.encode()))
    return api.http.post("/v1/clients", json=details(), headers=headers)


def csrf_of(api: Api, secret: str) -> str:
    return api.platform.identity.member(secret, at=api.clock.now()).csrf


@pytest.mark.parametrize("cookie", COOKIES)
def test_a_session_reads_by_its_cookie(api: Api, demo: Team, session: str, cookie: str) -> None:
    assert read(api, session, a_client(demo.clinician), cookie).status_code == 200


def test_a_cookie_alone_writes_nothing(api: Api, demo: Team, session: str) -> None:
    other = csrf_of(api, api.sign_in(demo.clinician))
    before = api.positions(demo)
    for wrong in (None, "", other, "naïve", "0" * 64):
        refusal(write(api, session, wrong), 403, "csrf")
    assert api.positions(demo) == before
    assert write(api, session, csrf_of(api, session)).status_code == 201


def test_every_unsafe_route_asks_for_the_token(api: Api, demo: Team, session: str) -> None:
    headers = {"Cookie": f"{COOKIES[0]}={session}"}
    unsafe = [
        (method.upper(), path)
        for path, methods in api.app.openapi()["paths"].items()
        for method in methods
        if method != "get"
    ]
    assert len(unsafe) >= 14
    before = api.positions(demo)
    for method, path in unsafe:
        address = path.format(client_id=uuid4(), note_id=uuid4())
        answer = api.http.request(method, address, json={}, headers=headers)
        refusal(answer, 403, "csrf")
    assert api.positions(demo) == before


def test_a_bearer_token_outweighs_a_cookie(api: Api, demo: Team, harbor: Team) -> None:
    """A request with a token is made by a program: no page of anybody else's can make it."""
    headers = {
        "Authorization": f"Bearer {harbor.clinician.token}",
        "Cookie": f"{COOKIES[0]}={api.sign_in(demo.clinician)}",
    }
    before = api.positions(demo)
    assert api.http.post("/v1/clients", json=details(), headers=headers).status_code == 201
    assert api.positions(demo) == before


def test_a_session_that_lies_idle_ends(api: Api, demo: Team, session: str) -> None:
    client = a_client(demo.clinician)
    with api.clock.later(IDLE - timedelta(seconds=5)):
        assert read(api, session, client).status_code == 200
    # That was a use: the time runs from then.
    with api.clock.later(2 * IDLE - timedelta(seconds=10)):
        assert read(api, session, client).status_code == 200
    with api.clock.later(3 * IDLE):
        refusal(read(api, session, client), 401, "session_expired")
        answer = write(api, session, "any")
        refusal(answer, 401, "session_expired")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_in_use_ends_too(api: Api, demo: Team, session: str) -> None:
    client = a_client(demo.clinician)
    used = timedelta(0)
    while used < SESSION_LASTS - IDLE:
        used += IDLE - timedelta(seconds=61)
        with api.clock.later(used):
            assert read(api, session, client).status_code == 200
    with api.clock.later(SESSION_LASTS - timedelta(seconds=30)):
        assert read(api, session, client).status_code == 200
    with api.clock.later(SESSION_LASTS + timedelta(seconds=1)):
        refusal(read(api, session, client), 401, "session_expired")


def test_a_token_may_lie_idle_but_ends(api: Api, demo: Team) -> None:
    token, client = api.sign_in(demo.clinician, "token"), a_client(demo.clinician)

    def ask() -> Response:
        headers = {"Authorization": f"Bearer {token}"}
        return api.http.get(f"/v1/clients/{client}", headers=headers)

    with api.clock.later(SESSION_LASTS - timedelta(minutes=1)):
        assert ask().status_code == 200
    with api.clock.later(SESSION_LASTS + timedelta(minutes=1)):
        refusal(ask(), 401, "session_expired")


def test_a_session_that_was_ended_is_none(api: Api, demo: Team, session: str) -> None:
    client = a_client(demo.clinician)
    assert read(api, session, client).status_code == 200
    api.platform.identity.end(session, at=api.clock.now())
    refusal(read(api, session, client), 401, "not_signed_in")
    refusal(write(api, session, "any"), 401, "not_signed_in")


@contextmanager
def disabled(api: Api, member: Member) -> Iterator[None]:
    """For a while she works here no longer."""
    statement = "UPDATE identity.member SET disabled_at = {} WHERE member_id = %s"
    api.admin(statement.format("now()"), (member.member_id,))
    try:
        yield
    finally:
        api.admin(statement.format("NULL"), (member.member_id,))


@contextmanager
def changed_role(api: Api, member: Member, role: str) -> Iterator[None]:
    """For a while she has another role."""
    statement = "UPDATE identity.member SET role = %s WHERE member_id = %s"
    api.admin(statement, (role, member.member_id))
    try:
        yield
    finally:
        api.admin(statement, (member.role, member.member_id))


def test_who_was_disabled_is_out_at_once(api: Api, demo: Team) -> None:
    client, session = a_client(demo.clinician), api.sign_in(demo.colleague)
    assert read(api, session, client).status_code == 200
    before = api.positions(demo)
    with disabled(api, demo.colleague):
        refusal(read(api, session, client), 401, "not_signed_in")
        refusal(demo.colleague.get(f"/v1/clients/{client}"), 401, "not_signed_in")
        refusal(demo.colleague.post("/v1/clients", details()), 401, "not_signed_in")
        assert api.positions(demo) == before
    assert demo.colleague.get(f"/v1/clients/{client}").status_code == 200


def test_another_role_holds_from_the_next_request_on(api: Api, demo: Team) -> None:
    client = a_client(demo.clinician)
    chart = f"/v1/clients/{client}/chart"
    assert demo.colleague.get(chart).status_code == 200
    with changed_role(api, demo.colleague, "front_desk"):
        refusal(demo.colleague.get(chart), 403, "forbidden")
    assert demo.colleague.get(chart).status_code == 200


def test_a_role_is_what_its_row_says(api: Api, demo: Team, harbor: Team) -> None:
    """Roles are bundles of permissions, of one practice: taking one out takes effect at once."""
    change = """UPDATE identity.role SET permissions = {}(permissions, 'chart.read')
        WHERE practice_id = %s AND role = 'auditor'"""
    mine, theirs = a_client(demo.clinician), a_client(harbor.clinician)
    api.admin(change.format("array_remove"), (demo.practice_id,))
    try:
        refusal(demo.auditor.get(f"/v1/clients/{mine}/chart"), 403, "forbidden")
        assert harbor.auditor.get(f"/v1/clients/{theirs}/chart").status_code == 200
    finally:
        api.admin(change.format("array_append"), (demo.practice_id,))
    assert demo.auditor.get(f"/v1/clients/{mine}/chart").status_code == 200


def test_somebody_new_is_called_by_her_name_at_once(api: Api, demo: Team) -> None:
    client = a_client(demo.clinician)
    path = f"/v1/clients/{client}/accesses"
    assert demo.auditor.get(path).status_code == 200
    with psycopg.connect(api.ready.admin_url, autocommit=True) as admin:
        new = NewMember("new@demo.example", "Newcomer", "auditor")
        member_id = ActorId(add_member(admin, demo.practice_id, new, PASSWORD))
    newcomer = replace(demo.auditor, member_id=member_id)
    newcomer = replace(newcomer, token=api.sign_in(newcomer, "token"))
    assert newcomer.get(path).json()["items"][0]["actor"] == "Newcomer"


def test_only_the_hash_of_a_secret_is_kept(api: Api, demo: Team, session: str) -> None:
    secret = session.split("_", 2)[2]  # which may have an underscore of its own
    rows = api.admin("SELECT s::text FROM identity.session AS s")
    assert rows
    assert not any(secret in row[0] or secret.encode().hex() in row[0] for row in rows)

"""Who may open which page, and what happens to forms that are wrong, old, sent twice or forged?"""

import re
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

import httpx2
import pytest
from fastapi.routing import APIRoute

from api.web import ROUTERS
from tests.web.house import NEIGHBOUR, PASSWORD, House

NUMBERS = count(1)
CANARY = "Canary glabella QX7731"
PUBLIC = {"/", "/sign-in", "/sign-out", "/static/{path:path}"}
ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.path not in PUBLIC
    for method in sorted(route.methods or ())
]
NOT_FOR_THE_FRONT_DESK = re.compile(r"/notes|/audit|/merge|/unmerge|/accesses")

Client = httpx2.Client
SignIn = Callable[[str], Client]


@pytest.fixture(scope="module")
def sign_in(house: House) -> Iterator[SignIn]:
    """Signs somebody in, once per module."""
    signed_in: dict[str, Client] = {}

    def enter(email: str) -> Client:
        if email not in signed_in:
            client = Client(base_url=house.address)
            answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
            assert answer.status_code == 303
            signed_in[email] = client
        return signed_in[email]

    yield enter
    for client in signed_in.values():
        client.close()


@pytest.fixture
def noor(sign_in: SignIn) -> Client:
    return sign_in("noor@example.com")


@pytest.fixture
def rae(sign_in: SignIn) -> Client:
    return sign_in("rae@example.com")


def hidden(html: str) -> dict[str, str]:
    """What a page's form carries along."""
    return {
        name: (re.search(f'name="{name}" value="([^"]*)"', html) or [""] * 2)[1]
        for name in ("csrf", "ticket")
    }


def new_client(client: Client, **more: str) -> str:
    """Registers somebody and returns the path of her page."""
    fields = {
        "given_name": "Test",
        "family_name": f"Person{next(NUMBERS)}",
        "birth_date": "1984-05-14",
        "anyway": "yes",
        **more,
    }
    form = hidden(client.get("/clients/new").text)
    answer = client.post("/clients", data=form | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def new_note(client: Client, path: str, text: str = CANARY) -> str:
    """Writes and signs a note and returns its path."""
    form = hidden(client.get(path).text)
    edit = client.post(f"{path}/notes", data=form).headers["location"]
    note = edit.removesuffix("/edit")
    page = client.get(edit).text
    fields = {"revision": "1", "plan": text, "lock": "yes", "occurred_at": "2026-11-03T14:02"}
    answer = client.post(f"{note}/signature", data=hidden(page) | fields)
    assert answer.headers["location"] == note, answer.text
    return note


def concrete(path: str) -> str:
    """A route's path with ids that name nothing."""
    return re.sub(r"\{\w+_id\}", lambda _: str(uuid4()), path)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_is_led_to_the_sign_in(house: House, method: str, path: str) -> None:
    with Client(base_url=house.address) as stranger:
        answer = stranger.request(method, concrete(path))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize(
    ("method", "path"), [one for one in ROUTES if NOT_FOR_THE_FRONT_DESK.search(one[1])]
)
def test_the_front_desk_is_refused_what_is_clinical(rae: Client, method: str, path: str) -> None:
    answer = rae.request(method, concrete(path), data=hidden(rae.get("/clients").text))
    assert answer.status_code == 403
    assert "Your role does not open this" in answer.text


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one[0] == "POST"])
def test_a_form_without_our_token_does_nothing(noor: Client, method: str, path: str) -> None:
    form = hidden(noor.get("/clients").text) | {"csrf": "forged"}
    answer = noor.request(method, concrete(path), data=form)
    assert answer.status_code == 403
    assert "load the page again" in answer.text


@pytest.mark.parametrize(
    ("method", "path"), [one for one in ROUTES if "_id}" in one[1] and "search" not in one[1]]
)
def test_an_id_of_another_practice_is_as_unknown_as_any_other(
    house: House, sign_in: SignIn, noor: Client, method: str, path: str
) -> None:
    ned = sign_in(NEIGHBOUR.email)
    client = new_client(ned)
    note = new_note(ned, client)
    theirs = re.sub(
        r"\{(\w+)_id\}",
        lambda found: (note if found[1] == "note" else client).rsplit("/", 1)[1],
        path,
    )
    mine = hidden(noor.get("/clients").text)
    fields = {
        "reason": "because",
        "text": "more",
        "plan": "else",
        "died_on": "2026-01-01",
        "given_name": "A",
        "family_name": "B",
        "birth_date": "1990-01-01",
        "other_client_id": client.rsplit("/", 1)[1],
        "to_client_id": client.rsplit("/", 1)[1],
    }
    swapped = noor.request(method, theirs, data=mine | fields if method == "POST" else None)
    assert swapped.status_code == 404
    missing = noor.request(method, concrete(path), data=mine | fields if method == "POST" else None)
    assert _plain(swapped.text) == _plain(missing.text)
    assert CANARY not in swapped.text


def _plain(html: str) -> str:
    """A page without what is new at each rendering, and without the ids it was asked for."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", html)


def test_a_form_sent_twice_is_one_client(noor: Client) -> None:
    form = hidden(noor.get("/clients/new").text) | {
        "given_name": "Twice",
        "family_name": f"Sent{next(NUMBERS)}",
        "birth_date": "1984-05-14",
        "anyway": "yes",
    }
    first, second = (noor.post("/clients", data=form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]


def test_the_same_form_with_other_fields_is_refused(noor: Client) -> None:
    form = hidden(noor.get("/clients/new").text)
    fields = {"given_name": "One", "family_name": "Form", "birth_date": "1984-05-14"}
    noor.post("/clients", data=form | fields | {"anyway": "yes"})
    again = noor.post("/clients", data=form | fields | {"anyway": "yes", "given_name": "Two"})
    assert again.status_code == 422
    assert "This form was sent before." in again.text


def test_no_word_of_the_chart_reaches_the_front_desk(noor: Client, rae: Client) -> None:
    client = new_client(noor)
    note = new_note(noor, client)
    form = hidden(rae.get("/clients").text)
    seen = [
        rae.get(path)
        for path in (
            client,
            f"{client}?as_of=2026-11-04&view=true",
            f"{client}/contact-details",
            f"{client}/accesses",
            note,
            f"{note}/edit",
            f"/audit{client}",
        )
    ]
    seen += [
        rae.post(path, data=form | {"q": "Person", "reason": "x", "text": "x"})
        for path in ("/clients/search", f"{note}/addenda", f"{note}/retraction", f"{client}/notes")
    ]
    for answer in seen:
        for word in ("Canary", "QX7731", "glabella", "1 version", "3 November 2026"):
            assert word not in answer.text, answer.url


def test_a_refused_look_is_in_the_access_log(noor: Client, rae: Client, sign_in: SignIn) -> None:
    client = new_client(noor)
    assert rae.get(f"{client}/accesses").status_code == 403
    assert rae.get(client).status_code == 200
    iris = sign_in("iris@example.com")
    refused = iris.get(f"/audit{client}/accesses?outcome=denied").text
    assert refused.count("<tr>") == 2
    assert "Rae Kim" in refused
    assert "Refused" in refused
    allowed = iris.get(f"/audit{client}/accesses?outcome=allowed").text
    assert allowed.count(">Rae Kim</span>") == 1


@pytest.mark.parametrize(
    "query", ["as_of=2999-01-01T00:00", "as_of=yesterday", "as_of=2026-02-30", "as_of=0001-01-01"]
)
def test_an_impossible_moment_is_told_beside_the_field(noor: Client, query: str) -> None:
    answer = noor.get(f"{new_client(noor)}?{query}")
    assert answer.status_code == 422
    assert 'id="as_of-help"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/clients/not-an-id",
        "/notes/0",
        "/audit/clients/x",
        "/clients/new/extra/x",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/assets/none.js",
    ],
)
def test_an_address_that_names_nothing_is_refused_without_a_trace_of_code(
    noor: Client, path: str
) -> None:
    answer = noor.get(path)
    assert answer.status_code in {404, 422}
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"given_name": ""}, "This is needed."),
        ({"given_name": "x" * 201}, "At most 200 characters."),
        ({"family_name": "a\x07b"}, "Control characters are not allowed."),
        ({"birth_date": "31.12.1990"}, "This is not a date."),
        ({"birth_date": "2090-01-01"}, "The birth date lies in the future."),
        ({"phone": "call me"}, "This is not a phone number."),
        ({"email": "nobody"}, "This is not an e-mail address."),
    ],
)
def test_a_wrong_field_is_told_and_what_was_typed_is_kept(
    noor: Client, fields: dict[str, str], said: str
) -> None:
    good = {"given_name": "Ann", "family_name": "Lee", "birth_date": "1990-02-03"}
    form = hidden(noor.get("/clients/new").text)
    answer = noor.post("/clients", data=form | good | fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    kept = next(name for name in good if name not in fields)
    assert f'value="{good[kept]}"' in answer.text


def test_a_section_that_is_too_long_is_refused_and_kept(noor: Client) -> None:
    client = new_client(noor)
    form = hidden(noor.get(client).text)
    edit = noor.post(f"{client}/notes", data=form).headers["location"]
    note = edit.removesuffix("/edit")
    fields = hidden(noor.get(edit).text) | {"revision": "1", "plan": "é" * 100_001}
    answer = noor.post(f"{note}/draft", data=fields)
    assert answer.status_code == 422
    assert "At most 100,000 characters." in answer.text
    assert "é" * 100_001 in answer.text
    fields["plan"] = "é" * 100_000
    assert noor.post(f"{note}/draft", data=fields).status_code == 303


def test_an_act_on_an_old_version_keeps_what_was_typed(noor: Client) -> None:
    note = new_note(noor, new_client(noor))
    form = hidden(noor.get(note).text)
    assert noor.post(f"{note}/addenda", data=form | {"text": "One."}).status_code == 303
    stale = hidden(noor.get(note).text) | {"version": "1", "text": "Two, from an old page."}
    answer = noor.post(f"{note}/addenda", data=stale)
    assert answer.status_code == 409
    assert "Somebody else wrote here meanwhile." in answer.text
    assert "Two, from an old page." in answer.text


def test_somebody_else_cannot_correct_nor_write_on(noor: Client, sign_in: SignIn) -> None:
    ava = sign_in("ava@example.com")
    client = new_client(noor)
    note = new_note(noor, client)
    form = hidden(ava.get(note).text) | {"reason": "better", "plan": "Other words."}
    answer = ava.post(f"{note}/corrections", data=form)
    assert answer.status_code == 403
    assert "Only the author corrects a note" in answer.text
    draft = noor.post(f"{client}/notes", data=hidden(noor.get(client).text)).headers["location"]
    assert ava.get(draft).status_code == 403
    assert "Continue writing" in noor.get(client).text
    assert "Continue writing" not in ava.get(client).text


def test_pages_are_never_stored_and_assets_always(noor: Client) -> None:
    page = noor.get("/clients")
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    script = re.search(r'src="(/static/assets/[^"]+)"', page.text)
    assert script
    asset = noor.get(script[1])
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"].startswith("text/javascript")


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

"""Who may open which page, and what does nobody learn from a refusal?"""

import re
from datetime import UTC, datetime

import pytest

from tests.web.forms import (
    CANARY,
    NOT_FOR_THE_FRONT_DESK,
    ROUTES,
    Client,
    SignIn,
    concrete,
    hidden,
    new_client,
    new_note,
)
from tests.web.house import NEIGHBOUR, House


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


def test_a_part_of_the_replay_shows_the_whole_chart_and_what_became_of_it(
    noor: Client, sign_in: SignIn
) -> None:
    client = new_client(noor)
    note = new_note(noor, client)
    before = datetime.now(UTC).isoformat()
    form = hidden(noor.get(note).text) | {"reason": "Wrong visit."}
    assert noor.post(f"{note}/retraction", data=form).status_code == 303
    iris = sign_in("iris@example.com")
    part = iris.get(f"/audit{client}", params={"from": before}).text
    assert "note.retracted.v1" in part
    assert "note.signed.v1" not in part
    assert CANARY in part  # the chart stands on what came before, too
    both = {"left": before, "right": datetime.now(UTC).isoformat()}
    compared = iris.get(f"/audit{client}/compare", params=both).text
    assert 'tag-rose ml-auto">Entered in error<' in compared


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

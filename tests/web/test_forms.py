"""What happens to forms that are wrong, old or sent twice, and to impossible addresses?"""

from uuid import uuid4

import pytest

from tests.web.forms import Client, hidden, new_client, new_note


def test_a_form_sent_twice_is_one_client(noor: Client) -> None:
    form = hidden(noor.get("/clients/new").text) | {
        "given_name": "Twice",
        "family_name": f"Sent{uuid4().hex[:8]}",
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
        "/clients/search",
        "/favicon.ico",
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
    assert answer.text.count("<h1>") == 1


def test_an_unknown_address_of_the_json_contract_is_answered_in_json(noor: Client) -> None:
    for path in ("/v1/nothing", "/v1/clients"):
        answer = noor.get(path)
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


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

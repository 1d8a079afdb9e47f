"""Bad input, each with its answer: the field is named, and nothing is written."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from api.app import BODY_MAX
from domain.chart.events import SECTIONS
from domain.kernel.text import SECTION_MAX
from tests.api.contract import ROUTES, Operation, name
from tests.support.api import Api, Json, Team, refusal, wrong_fields
from tests.support.states import (
    a_client,
    client_with_draft,
    details,
    done,
)

WITH_BODY = [one for one in ROUTES if one.method != "GET"]
LONG = {
    "given_name": 200,
    "family_name": 200,
    "q": 200,
    "reason": 2_000,
    "source": 2_000,
    "text": 100_000,
    "subjective": 100_000,
    "objective": 100_000,
    "assessment": 100_000,
    "plan": 100_000,
}


def schema_of(api: Api, operation: Operation) -> tuple[dict[str, Any], list[str]]:
    """The properties of a route's body as published, and which of them are required."""
    document = api.app.openapi()
    content = document["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]
    schema = content["application/json"]["schema"]
    reference = schema.get("$ref") or schema["anyOf"][0]["$ref"]
    model = document["components"]["schemas"][reference.rpartition("/")[2]]
    return model["properties"], model.get("required", [])


MALFORMED = {
    "bare": b"{bad",
    "cut off": b'{"given_name": "Ana"',
    "other quotes": b"{'q': 1}",
    "no text": b"\xff\xfe\x00",
    "no UTF-8": b'{"q": "\xff"}',
    "deep": b"[" * 100_000,
    "a huge number": b'{"q": ' + b"1" * 5_000 + b"}",
}


@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_malformed_json(api: Api, demo: Team, operation: Operation) -> None:
    path = operation.path.format(**ROUTES[operation].given(demo.clinician).ids)
    with api.nothing_written(demo):
        for kind, content in MALFORMED.items():
            answer = demo.clinician.ask(operation.method, path, content=content)
            assert refusal(answer, 400, "malformed_json")["errors"] == [], kind


@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_every_published_field_is_held_to_its_kind(
    api: Api, demo: Team, operation: Operation
) -> None:
    """Unknown, missing, of another type, too long, with control characters or half characters."""
    asked = ROUTES[operation].given(demo.clinician)
    with api.nothing_written(demo):
        properties, required = schema_of(api, operation)
        good = asked.body or {}

        def answer(body: object) -> dict[str, str]:
            path = operation.path.format(**asked.ids)
            content = json.dumps(body).encode()
            return wrong_fields(demo.clinician.ask(operation.method, path, content=content))

        assert answer(good | {"nurse": "Joy"}) == {"nurse": "extra_forbidden"}
        assert answer(good | {"half \udfff": 1})["body"] == "string_unicode"
        assert [len(field) for field in answer(good | {"f" * 9_999: 1})] == [200]
        for body in ([], "text", 7, [good]):
            assert answer(body)
        for field in required:
            assert answer({k: v for k, v in good.items() if k != field}) == {field: "missing"}
        for field, published in properties.items():
            for value in wrong_values(field, published):
                assert list(answer(good | {field: value})) == [field], (
                    f"{field}: {str(value)[:40]!r}"
                )


def wrong_values(field: str, published: dict[str, Any]) -> list[object]:
    """What a field of that kind cannot be."""
    kinds = {one.get("type") for one in published.get("anyOf", [published])}
    wrong: list[object] = [[], {}, ["text"], {"text": 1}, 1.5]
    if "string" in kinds:
        wrong += [7, 0, -1, True, "\ud800", "half \udfff", "bell\u0007", "nul\u0000", "nel\u0085"]
    if "integer" in kinds:
        wrong += ["5", True, -1, "many"]
    if "boolean" in kinds:
        wrong += ["yes", 1, 0, "true"]
    if field in LONG:
        wrong.append("x" * (LONG[field] + 1))
    if field.endswith("_id"):
        wrong += ["", "7", "not-an-id"]
    if "null" not in kinds:
        wrong.append(None)
    return wrong


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("birth_date", "2026-02-30", "date_from_datetime_parsing"),
        ("birth_date", "1990-13-01", "date_from_datetime_parsing"),
        ("birth_date", "02/03/1990", "written_as_text"),
        ("birth_date", "1990-02-03T00:00:00Z", "written_as_text"),
        ("birth_date", 631152000, "written_as_text"),
        ("birth_date", "631152000", "written_as_text"),
        ("birth_date", "1990-2-3", "written_as_text"),
        ("phone", "call me", "string_pattern_mismatch"),
        ("email", "ana at example.com", "string_pattern_mismatch"),
        ("email", "a\u202eb@example.com", "control_characters"),
        ("given_name", "", "string_too_short"),
        ("given_name", "\u200b\u200b", "blank"),
        ("given_name", "Ana\nBell", "control_characters"),
        ("given_name", "a" + "\u0301" * 31, "combining_marks"),
    ],
)
def test_details_that_cannot_be(api: Api, demo: Team, field: str, value: object, code: str) -> None:
    with api.nothing_written(demo):
        answer = demo.clinician.post("/v1/clients", details(**{field: value}))
        assert wrong_fields(answer) == {field: code}


@pytest.mark.parametrize(
    ("born", "code"),
    [("2990-01-01", "birth_date_in_future"), ("1880-01-01", "birth_date_too_early")],
)
def test_nobody_is_born_tomorrow_or_two_hundred_years_ago(
    api: Api, demo: Team, born: str, code: str
) -> None:
    client = a_client(demo.clinician)
    with api.nothing_written(demo):
        for path, body in [
            ("/v1/clients", details(birth_date=born)),
            (f"/v1/clients/{client}/contact-details", {"birth_date": born}),
        ]:
            problem = refusal(demo.clinician.post(path, body), 422, code)
            assert problem["errors"][0]["field"] == "birth_date"


def test_what_is_just_short_enough_is_taken(demo: Team) -> None:
    client = a_client(demo.clinician, given_name="x" * 200)
    noted = client_with_draft(demo.clinician, client, plan="\U0001f9ea" * 100_000)
    read = demo.clinician.get(noted.path).json()
    assert len(read["draft"]["sections"]["plan"]) == 100_000


def test_four_full_sections_fit_however_they_are_written(demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    text = dict.fromkeys(SECTIONS, "\U0001f9ea" * SECTION_MAX)
    assert len(json.dumps(text)) > 4_800_000
    done(demo.clinician.ask("PUT", f"{noted.path}/draft", content=json.dumps(text).encode()))
    assert done(demo.clinician.get(noted.path))["draft"]["sections"] == text


def test_a_body_too_large(api: Api, demo: Team) -> None:
    with api.nothing_written(demo):
        body = json.dumps(details(given_name="x" * BODY_MAX)).encode()
        refusal(demo.clinician.ask("POST", "/v1/clients", content=body), 413, "too_large")
        headers = {
            "Authorization": f"Bearer {demo.clinician.token}",
            "Content-Type": "application/json",
        }

        def pieces() -> Iterator[bytes]:
            yield from (body[start : start + 65536] for start in range(0, len(body), 65536))

        answer = api.http.post("/v1/clients", content=pieces(), headers=headers)
        assert "content-length" not in answer.request.headers
        refusal(answer, 413, "too_large")


def test_another_content_type_is_no_json(api: Api, demo: Team) -> None:
    with api.nothing_written(demo):
        headers = {"Authorization": f"Bearer {demo.clinician.token}", "Content-Type": "text/plain"}
        answer = api.http.post("/v1/clients", content=json.dumps(details()), headers=headers)
        assert wrong_fields(answer)


def test_a_refusal_never_repeats_what_was_sent(demo: Team) -> None:
    canary = "canary-" + uuid4().hex
    bodies: list[Json] = [
        details(birth_date=canary),
        details(given_name=canary * 20),
        details(phone=canary),
        details(email=canary),
        {"given_name": [canary]},
    ]
    for body in bodies:
        assert canary not in demo.clinician.post("/v1/clients", body).text
    assert canary not in demo.clinician.get(f"/v1/clients/{canary}").text
    client = a_client(demo.clinician)
    assert canary not in demo.clinician.get(f"/v1/clients/{client}/chart", as_of=canary).text
    assert canary not in demo.clinician.get(f"/v1/clients/{client}/chart", view=canary).text

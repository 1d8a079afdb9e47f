"""What the server's own log says of a request: its pattern and its outcome, nobody's words."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Annotated
from uuid import uuid4

import pytest
import structlog
from fastapi import APIRouter, Depends, Request
from starlette.testclient import TestClient

from api.app import create_app
from api.asking import Public, platform_of
from deploy.logs import configure_logging
from tests.support.api import Api, Json, Team, refusal
from tests.support.states import SOAP, Noted, client_with_draft, details, done

CANARY = "canary Jane Roe has a rash"

router = APIRouter()
Everybody = Annotated[None, Depends(Public())]


@router.get("/v1/broken/{number}")
def broken(number: int, request: Request, _: Everybody) -> dict[str, str]:
    """Fails, with what a client said in the message, in the ways that programs fail."""
    match number:
        case 1:
            raise RuntimeError(CANARY)
        case 2:
            platform_of(request).database.call("SELECT %s::text::int", (CANARY,))
        case 3:
            platform_of(request).database.call('SELECT 1/0 AS "canary" -- canary Jane Roe')
        case 4:
            try:
                json.loads(CANARY)
            except ValueError as error:
                raise KeyError(CANARY) from error
        case _:
            raise ExceptionGroup(CANARY, [ValueError(CANARY)])
    return {}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Log as the program does, and put everything back."""
    root = logging.getLogger()
    handlers, level, before = root.handlers, root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logging("debug", stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.configure(**before)


def lines(written: io.StringIO) -> list[Json]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("number", range(1, 6))
def test_an_error_of_ours_shows_nobodys_words(api: Api, written: io.StringIO, number: int) -> None:
    with TestClient(create_app(api.platform, [router])) as http:
        answer = http.get(f"/v1/broken/{number}", params={"q": CANARY})
    body = answer.json()
    refusal(answer, 500, "internal_error")
    assert "canary" not in answer.text.lower()
    assert "canary" not in written.getvalue().lower()
    assert "jane" not in written.getvalue().lower()
    logged = lines(written)
    failed = [one for one in logged if one["event"] == "request_failed"]
    request = [one for one in logged if one["event"] == "request"]
    # A refusal of the database is answered by its handler; either way the two share an id.
    assert [one["request_id"] for one in request] == [body["request_id"]]
    assert [one["request_id"] for one in failed] == [body["request_id"]]
    assert failed[0]["exception"]
    assert any("broken" in place for place in failed[0]["at"])


def test_a_request_is_named_by_its_pattern(api: Api, demo: Team, written: io.StringIO) -> None:
    by = demo.clinician
    body = details(given_name="Canary")
    client = done(by.post("/v1/clients", body))["id"]
    noted = Noted(client, client_with_draft(by, client, plan=CANARY).note)
    done(by.post(f"{noted.path}/signature"))
    done(by.get(noted.chart, as_of="2026-01-01T00:00:00Z"))
    done(by.post("/v1/clients/search", {"q": str(body["family_name"])}))
    by.get(f"/v1/clients/{uuid4()}")
    by.get(f"/v1/{CANARY}")
    by.post("/v1/clients", {"given_name": CANARY, CANARY: 1})
    demo.front_desk.get(noted.path)
    by.ask("POST", "/v1/clients", content=CANARY.encode())
    by.put(f"{noted.path}/draft", SOAP | {"plan": CANARY})
    logged = [one for one in lines(written) if one["event"] == "request"]
    assert [(one["method"], one["route"], one["status"]) for one in logged] == [
        ("POST", "/v1/clients", 201),
        ("POST", "/v1/clients/{client_id}/notes", 201),
        ("POST", "/v1/notes/{note_id}/signature", 200),
        ("GET", "/v1/clients/{client_id}/chart", 200),
        ("POST", "/v1/clients/search", 200),
        ("GET", "/v1/clients/{client_id}", 404),
        ("GET", "unmatched", 404),
        ("POST", "/v1/clients", 422),
        ("GET", "/v1/notes/{note_id}", 403),
        ("POST", "/v1/clients", 400),
        ("PUT", "/v1/notes/{note_id}/draft", 409),
    ]
    text = written.getvalue().lower()
    for word in ("canary", "bell-", client, noted.note, "as_of", by.token, by.name.lower()):
        assert str(word) not in text
    for one in logged:
        assert one.keys() == {
            "event",
            "method",
            "route",
            "status",
            "ms",
            "request_id",
            "level",
            "logger",
            "timestamp",
        }


def test_what_is_measured_names_nobody(api: Api, demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    demo.clinician.get(f"{noted.chart}", as_of="2026-01-01T00:00:00Z")
    text = api.http.get("/metrics").text
    assert 'route="/v1/clients/{client_id}/chart"' in text
    for word in (noted.client, noted.note, demo.clinician.name, "as_of"):
        assert word not in text

"""Requests nobody thought of, made from the published contract: whatever comes, never a 500."""

import os
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from tests.api.contract import GUARDED, Operation
from tests.support.api import Api, refusal
from tests.support.states import Noted, client_with_draft, client_with_signed_note

EXAMPLES = 15 if os.environ.get("CI") == "true" else 8


def test_no_request_makes_the_server_fail(api: Api) -> None:
    by = api.demo.clinician
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app)
    statuses: set[int] = set()
    fuzzed: set[Operation] = set()
    signed, draft = client_with_signed_note(by), client_with_draft(by)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        fuzzed.add(Operation(operation.method.upper(), operation.path))

        @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(), noted=st.sampled_from([signed, draft, None]))
        def ask(case: Any, noted: Noted | None) -> None:
            if noted is not None:  # behind a real id lies more than behind a made-up one
                real = {"client_id": noted.client, "note_id": noted.note}
                case.path_parameters = {name: real[name] for name in case.path_parameters}
            (case.query or {}).pop("after", None)  # waits for a position that does not come
            answer = case.call(headers={"Authorization": f"Bearer {by.token}"})
            statuses.add(answer.status_code)
            assert answer.status_code < 500, answer.text

        ask()
    assert GUARDED.keys() <= fuzzed
    assert {200, 201, 404, 422} <= statuses


def test_no_header_makes_the_server_fail(api: Api) -> None:
    @settings(max_examples=EXAMPLES)
    @given(text=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=300))
    def ask(text: str) -> None:
        named = ("idempotency-key", "if-match", "user-agent", "x-csrf-token", "cookie")
        headers = [
            (b"authorization", f"Bearer {api.demo.clinician.token}".encode()),
            *((name.encode(), text.encode("latin-1")) for name in named),
        ]
        answer = api.http.post("/v1/clients/search", json={"q": "Ana"}, headers=headers)
        assert answer.status_code in {200, 422}

    ask()


def test_no_token_makes_the_server_fail(api: Api) -> None:
    @settings(max_examples=EXAMPLES)
    @given(token=st.binary(max_size=200).map(lambda raw: raw.translate(None, bytes(range(33)))))
    def ask(token: bytes) -> None:
        for value in (b"Bearer " + token, b"Bearer pal_" + token, token):
            headers = [(b"authorization", value), (b"cookie", b"palimpsest=" + token)]
            refusal(api.http.get("/v1/clients/7", headers=headers), 401, "not_signed_in")

    ask()

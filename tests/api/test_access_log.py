"""No read without a trace: what each read leaves, and that without it nothing is handed out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from deploy.postgres import Cluster
from record.access import AccessLog
from record.database import Database, DatabaseUnavailable
from record.practice import Practices
from tests.api.contract import ROUTES, Operation, name
from tests.support import postgres
from tests.support.api import Api, Member, Response, Team, api_on, refusal
from tests.support.states import (
    Noted,
    a_client,
    client_with_draft,
    client_with_signed_note,
    details,
    done,
)

READS: dict[str, tuple[str, str]] = {
    "/v1/clients/{client}": ("read", "client"),
    "/v1/clients/{client}/chart": ("read", "chart"),
    "/v1/clients/{client}/chart?as_of=2026-01-01T00:00:00Z": ("read", "chart"),
    "/v1/clients/{client}/events": ("replay", "events"),
    "/v1/clients/{client}/accesses": ("read", "accesses"),
    "/v1/notes/{note}": ("read", "note"),
}
each_read = pytest.mark.parametrize("path", READS)


def path_to(path: str, noted: Noted) -> str:
    return path.format(client=noted.client, note=noted.note)


@each_read
@pytest.mark.parametrize(("role", "purpose"), [("clinician", "treatment"), ("auditor", "audit")])
def test_a_read_leaves_who_what_and_why(
    api: Api, demo: Team, path: str, role: str, purpose: str
) -> None:
    noted, member = client_with_signed_note(demo.clinician), demo.of(role)
    action, what = READS[path]
    before = len(api.accesses(demo, noted.client))
    answer = member.http.get(
        path_to(path, noted),
        headers={"Authorization": f"Bearer {member.token}", "User-Agent": "a test/1"},
    )
    assert answer.status_code == 200
    entries = api.accesses(demo, noted.client)
    assert len(entries) == before + 1
    latest = entries[0]
    assert latest["client_id"] == noted.client
    assert (latest["action"], latest["what"], latest["outcome"]) == (action, what, "allowed")
    assert latest["actor_id"] == str(member.member_id)
    assert (latest["role"], latest["purpose"]) == (role, purpose)
    assert latest["thing_id"] == (noted.note if what == "note" else None)
    assert latest["origin"] == "testclient a test/1"


@pytest.mark.parametrize("path", [path for path, (_, what) in READS.items() if what != "client"])
def test_a_refused_read_leaves_that_it_was_refused(api: Api, demo: Team, path: str) -> None:
    noted, member = client_with_signed_note(demo.clinician), demo.front_desk
    refusal(member.get(path_to(path, noted)), 403, "forbidden")
    latest = api.latest_access(demo)
    assert latest["outcome"] == "denied"
    assert latest["actor_id"] == str(member.member_id)
    assert latest["role"] == "front_desk"
    assert latest["client_id"] == noted.client
    assert latest["thing_id"] == (noted.note if "{note}" in path else None)


def test_a_refused_look_at_a_draft_is_on_its_clients_list(api: Api, demo: Team) -> None:
    noted = client_with_draft(demo.clinician)
    refusal(demo.front_desk.get(noted.path), 403, "forbidden")
    latest = api.accesses(demo, noted.client)[0]
    assert (latest["thing_id"], latest["outcome"]) == (noted.note, "denied")


@pytest.mark.parametrize("what", ["events", "accesses"])
def test_the_id_of_a_note_is_no_client(demo: Team, what: str) -> None:
    noted, member = client_with_signed_note(demo.clinician), demo.auditor
    answer = refusal(member.get(f"/v1/clients/{noted.note}/{what}"), 404, "not_found")
    missing = refusal(member.get(f"/v1/clients/{uuid4()}/{what}"), 404, "not_found")
    assert answer == missing


@each_read
def test_a_read_of_what_is_not_there_leaves_that_too(api: Api, demo: Team, path: str) -> None:
    nowhere = Noted(str(uuid4()), str(uuid4()))
    refusal(demo.clinician.get(path_to(path, nowhere)), 404, "not_found")
    latest = api.latest_access(demo)
    assert latest["outcome"] == "not_found"
    assert (latest["action"], latest["what"]) == READS[path]
    assert nowhere.client == latest["client_id"] or nowhere.note == latest["thing_id"]


def test_a_search_leaves_an_entry_for_each_client_shown_and_no_word_of_the_query(
    api: Api, demo: Team
) -> None:
    family = f"Quillfeather-{uuid4().hex[:6]}"
    shown = [a_client(demo.clinician, family_name=family) for _ in range(3)]
    hidden = a_client(demo.clinician)
    access = api.positions(demo)[1]
    answer = demo.front_desk.ask(
        "POST",
        "/v1/clients/search",
        {"q": family},
        params={"after": api.positions(demo)[0]},
    )
    assert {one["id"] for one in done(answer)["items"]} == set(shown)
    assert api.positions(demo)[1] == access + 3
    for client in shown:
        latest = api.accesses(demo, client)[0]
        assert (latest["action"], latest["what"]) == ("search", "clients")
        assert latest["actor_id"] == str(demo.front_desk.member_id)
        assert "Quillfeather" not in str(latest)
    assert not any(one["action"] == "search" for one in api.accesses(demo, hidden))


def test_a_search_that_finds_nobody_leaves_an_entry_too(api: Api, demo: Team) -> None:
    access = api.positions(demo)[1]
    assert done(demo.clinician.post("/v1/clients/search", {"q": "Zzyzx Qwfp"}))["items"] == []
    assert api.positions(demo)[1] == access + 1
    latest = api.latest_access(demo)
    assert latest["client_id"] is None
    assert "zzyzx" not in str(latest).lower()


def test_who_looked_is_shown_newest_first_and_in_pages(api: Api, demo: Team) -> None:
    client = a_client(demo.clinician)
    for _ in range(60):
        demo.front_desk.get(f"/v1/clients/{client}")
    demo.front_desk.get(f"/v1/clients/{client}/chart")
    path = f"/v1/clients/{client}/accesses"
    first = done(demo.auditor.get(path))
    second = done(demo.auditor.get(path, before=first["next"]))
    assert len(first["items"]) == 50
    assert second["next"] is None
    items = first["items"] + second["items"]
    positions = [one["position"] for one in items]
    assert positions == sorted(set(positions), reverse=True)
    # Besides the sixty: the refused chart, and the two looks at this very list.
    kinds = [(one["actor"], one["what"], one["outcome"]) for one in items]
    assert kinds.count((demo.front_desk.name, "client", "allowed")) == 60
    assert kinds.count((demo.front_desk.name, "chart.read", "denied")) == 1
    assert kinds.count((demo.auditor.name, "accesses", "allowed")) == 1
    assert len(items) == 62
    for one in items:
        assert {"position", "at", "actor", "role", "action", "what", "purpose", "outcome"} <= set(
            one
        )


class BrokenPractices(Practices):
    """Access logs that cannot be written, each in its own way."""

    def __init__(self, database: Database, error: Exception) -> None:
        self._error = error
        self.database = database

    def __getitem__(self, practice_id: object) -> object:  # type: ignore[override]  # never returns
        raise self._error


@pytest.mark.parametrize("operation", [o for o, r in ROUTES.items() if r.kind == "read"], ids=name)
@pytest.mark.parametrize("role", ["clinician", "front_desk"])
def test_if_the_access_cannot_be_noted_nothing_is_shown(
    api: Api, demo: Team, operation: Operation, role: str
) -> None:
    asked = ROUTES[operation].given(demo.clinician)
    broken = BrokenPractices(api.platform.database, DatabaseUnavailable())
    platform = replace(api.platform, accesses=AccessLog(broken))
    with TestClient(create_app(platform)) as http:
        answer = asked.by(replace(demo.of(role), http=http), operation)
    problem = refusal(answer, 503, "access_log_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert problem.keys() == {"type", "title", "status", "code", "detail", "errors"}
    assert "Bell" not in answer.text


@pytest.fixture
def own(cluster: Cluster) -> Iterator[Api]:
    """An application whose database a test may break."""
    with postgres.new_database(cluster) as ready, api_on(ready) as made:
        yield made


@contextmanager
def no_appending(own: Api) -> Iterator[None]:
    """The gate is shut: nothing can be appended to any log."""
    own.admin("REVOKE EXECUTE ON FUNCTION record.append FROM palimpsest_app")
    yield
    own.admin("GRANT EXECUTE ON FUNCTION record.append TO palimpsest_app")


def test_with_the_gate_shut_reads_are_unavailable_until_it_opens(own: Api) -> None:
    by = own.demo.clinician
    noted, draft = client_with_signed_note(by), client_with_draft(by)
    asks: list[Callable[[Member], Response]] = [
        lambda one: one.get(f"/v1/clients/{noted.client}"),
        lambda one: one.get(noted.chart),
        lambda one: one.get(noted.path),
        lambda one: one.get(draft.path),
        lambda one: one.get(f"/v1/clients/{noted.client}/events"),
        lambda one: one.get(f"/v1/clients/{noted.client}/accesses"),
        lambda one: one.post("/v1/clients/search", {"q": "Ana Bell"}),
    ]
    with no_appending(own):
        for ask in asks:
            answer = ask(by)
            refusal(answer, 503, "access_log_unavailable")
            assert not any(word in answer.text for word in ("Ana", "Frown", "20 units"))
        # A write says nothing of what it was about either, and writes nothing.
        answer = by.post("/v1/clients", details(given_name="Canary"))
        refusal(answer, 500, "internal_error")
        assert "Canary" not in answer.text
        refusal(own.demo.front_desk.get(noted.chart), 503, "access_log_unavailable")
    for ask in asks:
        assert ask(by).status_code == 200

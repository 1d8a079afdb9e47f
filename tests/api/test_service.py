"""The service itself: is it alive, is it ready, what does it say when the database is away?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import pytest
from fastapi import APIRouter, Depends
from psycopg.conninfo import conninfo_to_dict

from api.app import BODY_MAX, HEADERS, UndeclaredRoutes, create_app
from api.asking import Asking, Can
from api.web.page import Page, page
from deploy.postgres import Cluster
from domain.kernel.permissions import Permission
from record import rounds
from tests.support import postgres
from tests.support.api import Api, Response, Team, api_on, refusal
from tests.support.states import client_with_signed_note, details, done

NEVER_WRITTEN = "Nemo"


@pytest.fixture(scope="module")
def own(cluster: Cluster) -> Iterator[Api]:
    """An application whose database a test may take away."""
    with postgres.new_database(cluster) as ready, api_on(ready) as made:
        yield made


@contextmanager
def database_away(own: Api, cluster: Cluster) -> Iterator[None]:
    """The database takes no connections, and those that were are cut."""
    pool = own.platform.database.pool
    name = conninfo_to_dict(own.ready.app_url)["dbname"]
    wait, pool.timeout = pool.timeout, 0.2
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as admin:
        # The name was made here; a setting of a database takes no parameters.
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
            pool.timeout = wait


def test_alive_and_ready(api: Api) -> None:
    assert api.http.get("/healthz").json() == {"status": "ok"}
    assert api.http.get("/readyz").json() == {"status": "ready"}


def test_without_its_database_it_is_alive_and_not_ready(own: Api, cluster: Cluster) -> None:
    noted = client_with_signed_note(own.demo.clinician)
    with database_away(own, cluster):
        assert own.http.get("/healthz").status_code == 200
        answers = [
            own.http.get("/readyz"),
            own.demo.clinician.get(noted.chart),
            own.demo.clinician.get(noted.path),
            own.demo.clinician.post("/v1/clients", details(given_name=NEVER_WRITTEN)),
            own.demo.clinician.post("/v1/clients/search", {"q": "Ana"}),
        ]
        for answer in answers:
            refusal(answer, 503, "database_unavailable")
            assert answer.headers["retry-after"] == "1"
            assert "Ana" not in answer.text
    assert own.http.get("/readyz").status_code == 200
    assert done(own.demo.clinician.get(noted.chart))["notes"]


def test_what_the_database_cannot_take_is_refused_and_may_come_again(
    own: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crowded:
        crowded.setattr(rounds, "WAITING_COUNT", 0)
        answer = own.demo.clinician.post("/v1/clients", details(given_name=NEVER_WRITTEN))
        refusal(answer, 503, "gate_busy")
        assert answer.headers["retry-after"] == "1"
    done(own.demo.clinician.post("/v1/clients", details()))


def sampled(api: Api, demo: Team) -> list[Response]:
    """An answer of every kind."""
    return [
        api.http.get("/healthz"),
        api.http.get("/metrics"),
        api.http.get("/openapi.json"),
        api.http.get("/nowhere"),
        api.http.request("DELETE", "/v1/clients"),
        api.http.get("/v1/clients/7"),
        demo.clinician.get("/v1/clients/7"),
        demo.front_desk.get("/v1/notes/7"),
        demo.clinician.post("/v1/clients", details()),
        demo.clinician.ask("POST", "/v1/clients", content=b"{bad"),
        demo.clinician.ask("POST", "/v1/clients", content=b" " * (BODY_MAX + 1)),
        demo.clinician.post("/v1/clients/search", {"q": "an"}),
    ]


def test_every_answer_carries_the_safe_headers(api: Api, demo: Team) -> None:
    answers = sampled(api, demo)
    statuses = [200, 200, 200, 404, 405, 401, 422, 403, 201, 400, 413, 422]
    assert [one.status_code for one in answers] == statuses
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_every_refusal_is_a_problem(api: Api, demo: Team) -> None:
    for answer in sampled(api, demo):
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["request_id"] == answer.headers["x-request-id"]
            assert problem["code"].replace("_", "").isalpha()


def test_an_unknown_method_is_told_which_are_known(api: Api) -> None:
    answer = api.http.request("DELETE", "/v1/clients")
    refusal(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_nothing_is_deleted_or_patched(api: Api) -> None:
    methods = {one for path in api.app.openapi()["paths"].values() for one in path}
    assert methods == {"get", "post", "put"}


def test_a_route_without_a_permission_keeps_the_application_from_starting(api: Api) -> None:
    router = APIRouter()

    @router.get("/v1/secrets")
    def secrets() -> str:
        return "open to everybody"

    with pytest.raises(UndeclaredRoutes, match="/v1/secrets"):
        create_app(api.platform, [router])


def test_a_form_whose_token_nobody_checks_keeps_the_application_from_starting(api: Api) -> None:
    permitted = Can(Permission.CLIENT_WRITE, "write")

    def unsafe(asking: Annotated[Asking, Depends(permitted)]) -> str:
        return asking.member.name

    def safe(asked: Annotated[Page, Depends(page(Permission.CLIENT_WRITE, "write"))]) -> str:
        return asked.asking.member.name

    forms, reads, checked = APIRouter(), APIRouter(), APIRouter()
    forms.post("/forms")(unsafe)
    reads.get("/forms")(unsafe)
    checked.post("/forms")(safe)
    create_app(api.platform, [reads, checked])
    with pytest.raises(UndeclaredRoutes, match="/forms"):
        create_app(api.platform, [forms])

"""How does a test ask the API: as whom, of which practice, at what time?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.platform import Platform
from api.security.identity import Kind
from deploy.database import Database
from deploy.founding import NewMember, add_member, found
from deploy.wiring import Parts, open_parts
from domain.kernel.events import Recorded
from domain.kernel.ids import ActorId, PracticeId
from record.provision import NewPractice

Response = httpx2.Response
Json = dict[str, Any]

SLUGS = {"demo": "America/New_York", "harbor": "America/Los_Angeles"}
ROLES = ("owner", "clinician", "front_desk", "auditor")
PASSWORD = "correct horse battery"


def wrong_fields(response: Response) -> dict[str, str]:
    """Which fields need another look, and what is wrong with each."""
    return {one["field"]: one["code"] for one in refusal(response, 422, "invalid")["errors"]}


def refusal(response: Response, status: int, code: str) -> Json:
    """The problem that a refusal is, without what differs from request to request."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    UUID(problem.pop("request_id"))
    return problem


class MovableClock:
    """Real time, moved by as much as a test likes: the log's own times come from PostgreSQL."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """Returns the moment it is for the application."""
        return datetime.now(UTC) + self.ahead

    @contextmanager
    def later(self, by: timedelta) -> Iterator[None]:
        """For a while it is later than it is."""
        self.ahead += by
        try:
            yield
        finally:
            self.ahead -= by


@dataclass(frozen=True)
class Member:
    """Somebody of a practice, with a bearer token, and how she asks."""

    http: TestClient
    practice_id: PracticeId
    member_id: ActorId
    role: str
    name: str
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        if_match: int | str | None = None,
        content: bytes | None = None,
    ) -> Response:
        """One request; each has an Idempotency-Key of its own unless the test names one."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid4()) if key is None else key
        if if_match is not None:
            headers["If-Match"] = str(if_match)
        if content is not None:
            headers["Content-Type"] = "application/json"
            return self.http.request(method, path, content=content, params=params, headers=headers)
        return self.http.request(method, path, json=body, params=params, headers=headers)

    def get(self, path: str, **params: str | int) -> Response:
        """Reads."""
        return self.ask("GET", path, params=params)

    def post(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        if_match: int | str | None = None,
    ) -> Response:
        """Acts."""
        return self.ask("POST", path, body, key=key, if_match=if_match)

    def put(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        if_match: int | str | None = None,
    ) -> Response:
        """Saves a draft."""
        return self.ask("PUT", path, body, key=key, if_match=if_match)


@dataclass(frozen=True)
class Team:
    """A practice with one member of each role, and a second clinician."""

    slug: str
    practice_id: PracticeId
    owner: Member
    clinician: Member
    front_desk: Member
    auditor: Member
    colleague: Member

    def of(self, role: str) -> Member:
        """The member with that role."""
        member: Member = getattr(self, role)
        return member


@dataclass(frozen=True)
class Api:
    """The application over a database of its own, with two practices."""

    ready: Database
    parts: Parts
    app: FastAPI
    http: TestClient
    clock: MovableClock
    demo: Team
    harbor: Team

    @property
    def platform(self) -> Platform:
        """What the routes stand on."""
        return self.parts.platform

    def positions(self, team: Team) -> tuple[int, int]:
        """How far the practice's record and its access log have come."""
        rows = self.admin(
            "SELECT log, position FROM record.head WHERE practice_id = %s", (team.practice_id,)
        )
        at = dict(rows)
        return at["record"], at["access"]

    @contextmanager
    def nothing_written(self, team: Team) -> Iterator[None]:
        """Whatever is asked meanwhile leaves both logs of the practice as they are."""
        before = self.positions(team)
        yield
        assert self.positions(team) == before

    def accesses(self, team: Team, client_id: str) -> list[Json]:
        """Who saw a client, newest first; asking leaves no entry."""
        log = self.platform.accesses.of_client(
            team.practice_id, UUID(client_id), before=None, limit=1000
        )
        return [_access(one) for one in log]

    def accesses_since(self, team: Team, position: int) -> list[Json]:
        """What a practice's access log holds after a position, about whomever."""
        rows = self.admin(
            """SELECT stream_id FROM record.event
            WHERE practice_id = %s AND log = 'access' AND position > %s ORDER BY position""",
            (team.practice_id, position),
        )
        log = self.platform.accesses._practices[team.practice_id]
        return [_access(one) for (one,) in log.streams([row[0] for row in rows]).values()]

    def latest_access(self, team: Team) -> Json:
        """The newest entry of a practice's access log."""
        return self.accesses_since(team, self.positions(team)[1] - 1)[0]

    def sign_in(self, member: Member, kind: Kind = "session") -> str:
        """Begins a session (or token) and returns its secret."""
        return self.platform.identity.begin(
            member.practice_id, member.member_id, kind, at=self.clock.now()
        )

    def admin(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Runs a statement as the administrator, whom no policy holds back."""
        with psycopg.connect(self.ready.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []


def _access(one: Recorded) -> Json:
    return {
        "position": one.position,
        "actor_id": str(one.actor),
        "role": one.role,
        "purpose": one.purpose,
        **one.event.model_dump(mode="json"),
    }


@contextmanager
def api_on(ready: Database, *, pool_size: int = 10) -> Iterator[Api]:
    """Founds the two practices on an empty database and opens the application over it."""
    clock = MovableClock()
    with (
        open_parts(ready.app_url, ready.kms, pool_size=pool_size, clock=clock) as parts,
        parts.projector,
    ):
        app = create_app(parts.platform)
        with TestClient(app) as http:
            teams = [_team(ready, parts, http, slug) for slug in SLUGS]
            yield Api(ready, parts, app, http, clock, *teams)


def _team(ready: Database, parts: Parts, http: TestClient, slug: str) -> Team:
    members: dict[str, Member] = {}
    with psycopg.connect(ready.admin_url, autocommit=True) as admin:
        practice_id = found(admin, ready.kms, NewPractice(slug, slug.title(), SLUGS[slug]))
        for called in (*ROLES, "colleague"):
            role = "clinician" if called == "colleague" else called
            name = f"{called.replace('_', ' ').title()} of {slug.title()}"
            new = NewMember(f"{called}@{slug}.example", name, role)
            member_id = ActorId(add_member(admin, practice_id, new, PASSWORD))
            token = parts.platform.identity.begin(
                practice_id, member_id, "token", at=datetime.now(UTC), lasts=timedelta(days=365)
            )
            members[called] = Member(http, practice_id, member_id, role, name, token)
    return Team(slug, practice_id, **members)

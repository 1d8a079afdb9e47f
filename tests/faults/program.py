"""The program as people run it, and browsers' requests to it that are sent until answered."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg

from api.security.identity import Identity
from deploy.database import Database
from deploy.founding import NewMember, add_member, found
from deploy.migrate import app_url
from deploy.root_key import read_root_key
from domain.kernel.ids import ActorId, PracticeId, derived
from gateways.kms.local import LocalKms
from record.database import Database as Pool
from record.provision import NewPractice
from tests.faults.history import History, Operation
from tests.faults.server import Server, folder_for_a_server
from tests.support.states import SOAP, details

PALIMPSEST = Path(sys.executable).with_name("palimpsest")


class Program:
    """`palimpsest serve` on data of its own, as a person starts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self._log = folder / "log"
        self._process: subprocess.Popen[str] | None = None
        self.server = Server(folder)
        self.address = ""

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "PALIMPSEST_DATA_DIR": str(self._folder),
            "PALIMPSEST_PORT": "0",
            "PALIMPSEST_DEMO": "false",
        }

    def database(self) -> Database:
        """Its database, as another program on the same data finds it."""
        kms = LocalKms(read_root_key(self._folder / "root.key"))
        url = self.server.cluster.url()
        return Database(url, app_url(url, kms), kms)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with self._log.open("a") as errors:
            self._process = subprocess.Popen(
                [PALIMPSEST, "serve"],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("Palimpsest is ready at "), self._log.read_text()[-2000:]
        self.address = line.split()[-1]

    def kill(self) -> None:
        """Sends kill -9: it gets to finish nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def a_program() -> Iterator[Program]:
    """The program, running, with an empty record; killed at the end, and its server stopped."""
    with folder_for_a_server() as folder:
        made = Program(folder)
        try:
            made.start()
            yield made
        finally:
            made.kill()
            made.server.cluster.stop()


@dataclass(frozen=True)
class Clinician:
    """Somebody who may write notes, and what shows that it is she."""

    practice_id: PracticeId
    member_id: ActorId
    token: str


def employ(ready: Database) -> Clinician:
    """A new practice with one clinician."""
    with psycopg.connect(ready.admin_url, autocommit=True) as admin:
        new = NewPractice(f"practice-{uuid4()}", "Linden & Oak", "Europe/Paris")
        practice_id = found(admin, ready.kms, new)
        name = NewMember("ava@demo.example", "Ava Lindqvist", "clinician")
        member_id = ActorId(add_member(admin, practice_id, name, "correct horse battery"))
    with Pool(ready.app_url, size=1) as pool:
        identity = Identity(pool, idle=timedelta(minutes=15))
        now, lasts = datetime.now(UTC), timedelta(days=1)
        token = identity.begin(practice_id, member_id, "token", at=now, lasts=lasts)
    return Clinician(practice_id, member_id, token)


@dataclass
class Desk:
    """Registers clients, writes and signs a note for each, and looks at what was written."""

    program: Program
    who: Clinician
    history: History
    stop: Event
    seed: int
    clients: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Works until told to stop; what has no answer by then is given up as unknown."""
        self.dice = random.Random(self.seed)
        with httpx2.Client(timeout=10) as http:
            self.http = http
            while not self.stop.is_set():
                if client := self.act("/v1/clients", details()):
                    self.chart_of(client)

    def chart_of(self, client: dict[str, Any]) -> None:
        """Writes a note, signs it, and opens the chart, as far as she is answered."""
        self.clients.append(client["id"])
        if note := self.act(f"/v1/clients/{client['id']}/notes", SOAP, events=0):
            # A lock goes with the signature: how many events that is, the rules say.
            self.act(f"/v1/notes/{note['id']}/signature", events=None)
        self.look(f"/v1/clients/{client['id']}/chart", UUID(client["id"]))

    def act(
        self, path: str, body: object = None, *, events: int | None = 1
    ) -> dict[str, Any] | None:
        """One act under one key, as often as it takes; none if it was given up."""
        key = str(uuid4())
        command_id = derived(self.who.practice_id, "command", str(self.who.member_id), key)
        operation = self.history.invoke(self.who.practice_id, command_id, events=events)
        while True:
            answer = self.ask("POST", path, body, key=key)
            if answer is not None and answer.is_success:
                found: dict[str, Any] = answer.json()
                self.acknowledged(operation, found)
                return found
            assert answer is None or answer.status_code == 503, answer.text
            self.history.unanswered(operation)
            # Whether it was done stays unknown.
            if self.stop.is_set() or self.dice.random() < 0.02:
                return None
            sleep(0.05)

    def acknowledged(self, operation: Operation, answer: dict[str, Any]) -> None:
        """An answer names the thing and its place; the start of a draft has none in the log."""
        if operation.events != 0:
            operation.stream_id = UUID(answer["id"])
        self.history.acknowledged(operation, answer.get("position", 0))

    def look(self, path: str, client: UUID) -> None:
        """One read; if it is answered, it has been noted."""
        answer = self.ask("GET", path)
        if answer is not None and answer.is_success:
            assert str(client) in answer.text
            request_id = UUID(answer.headers["X-Request-Id"])
            self.history.read(self.who.practice_id, client, request_id)
        else:
            assert answer is None or answer.status_code == 503, answer.text

    def ask(
        self, method: str, path: str, body: object = None, key: str = ""
    ) -> httpx2.Response | None:
        """One request; none if the connection broke."""
        headers = {"Authorization": f"Bearer {self.who.token}"}
        if key:
            headers["Idempotency-Key"] = key
        with suppress(httpx2.TransportError):
            url = f"{self.program.address}{path}"
            return self.http.request(method, url, json=body, headers=headers)
        return None

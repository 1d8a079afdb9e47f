"""Is anything acknowledged lost, or done twice, when the program is killed while people write?"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg
import pytest

from deploy.postgres import Cluster
from deploy.refusal import Refusal
from tests.support.states import SOAP, details

pytestmark = pytest.mark.serial

PALIMPSEST = Path(sys.executable).with_name("palimpsest")
KILLS = 3
WRITERS = 4
ENOUGH = 8
"""Clients acknowledged to each writer between two kills."""


@dataclass
class Program:
    """`palimpsest serve` on data of its own, as a person starts it."""

    folder: Path
    process: subprocess.Popen[str] | None = None
    address: str = ""
    token: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Its settings."""
        return os.environ | {
            "PALIMPSEST_DATA_DIR": str(self.folder),
            "PALIMPSEST_PORT": "0",
            "PALIMPSEST_TESTING": "true",
            "PALIMPSEST_DEMO": "false",
        }

    def run(self, *arguments: str) -> str:
        """Runs a command beside the server, and returns what it prints."""
        ended = subprocess.run(
            [PALIMPSEST, *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return ended.stdout.strip()

    def start(self) -> None:
        """Starts it and waits until it answers."""
        log = self.folder.with_name("log")
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [PALIMPSEST, "serve"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Palimpsest is ready at "), log.read_text()[-2000:]
        self.address = line.split()[-1]

    def kill(self) -> None:
        """Sends kill -9: it gets to finish nothing."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def program() -> Iterator[Program]:
    """The program with one practice and one clinician, running."""
    # Not pytest's tmp_path: run by root, the server is another user and could not walk there.
    parent = Path(tempfile.mkdtemp(prefix="palimpsest-api-kill-"))
    parent.chmod(0o711)
    made = Program(parent / "data")
    try:
        made.start()
        made.run("practice", "create", "demo", "Linden & Oak")
        made.run("user", "create", "ava@demo.example", "Ava Lindqvist", "clinician")
        made.token = made.run("token", "--role", "clinician")
        yield made
    finally:
        made.kill()
        if made.folder.exists():
            with suppress(Refusal):
                Cluster(made.folder, testing=True).stop()
        shutil.rmtree(parent)


@dataclass
class Writer:
    """Registers clients, and writes and signs a note for each; asks again until answered."""

    program: Program
    stop: Event
    clients: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    again: int = 0

    def run(self) -> None:
        """Works until told to stop; whatever was begun is finished."""
        with httpx2.Client(timeout=10) as http:
            while not self.stop.is_set():
                client = self.ask(http, "/v1/clients", details())
                self.clients[client["id"]] = client["position"]
                note = self.ask(http, f"/v1/clients/{client['id']}/notes", SOAP)
                signed = self.ask(http, f"/v1/notes/{note['id']}/signature")
                self.notes[signed["id"]] = signed["position"]

    def ask(self, http: httpx2.Client, path: str, body: object = None) -> dict[str, Any]:
        """One act under one key, as often as it takes."""
        headers = {
            "Authorization": f"Bearer {self.program.token}",
            "Idempotency-Key": str(uuid4()),
        }
        while True:
            with suppress(httpx2.TransportError):
                answer = http.post(f"{self.program.address}{path}", json=body, headers=headers)
                if answer.is_success:
                    found: dict[str, Any] = answer.json()
                    return found
                assert answer.status_code == 503, answer.text
            self.again += 1
            sleep(0.05)


def wait_until_written(writers: list[Writer], more: int) -> None:
    """Until each writer has had so many clients acknowledged."""
    while any(len(writer.clients) < more for writer in writers):
        sleep(0.01)


def stored(program: Program, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(Cluster(program.folder, testing=True).url()) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_what_was_acknowledged_stands_once_and_without_a_hole(program: Program) -> None:
    stop = Event()
    writers = [Writer(program, stop) for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as threads:
        running = [threads.submit(writer.run) for writer in writers]
        try:
            for kill in range(1, KILLS + 1):
                wait_until_written(writers, kill * ENOUGH)
                program.kill()
                program.start()
            wait_until_written(writers, (KILLS + 1) * ENOUGH)
        finally:
            stop.set()
        for each in running:
            each.result(timeout=60)
    assert sum(writer.again for writer in writers) > 0, "no kill hit anybody"
    clients = {UUID(one): at for writer in writers for one, at in writer.clients.items()}
    notes = {UUID(one): at for writer in writers for one, at in writer.notes.items()}
    assert len(clients) == len(notes) >= WRITERS * ENOUGH * (KILLS + 1)
    events = stored(
        program,
        "SELECT stream_id, position FROM record.event WHERE log = 'record' ORDER BY position",
    )
    # Each act was asked under one key, maybe often: it stands once, where the answer said.
    assert dict(events) == clients | notes
    assert [position for _, position in events] == list(range(1, len(events) + 1))
    drafts = {row[0] for row in stored(program, "SELECT stream_id FROM record.draft")}
    assert drafts == notes.keys()
    accesses = stored(
        program, "SELECT position FROM record.event WHERE log = 'access' ORDER BY position"
    )
    assert [position for (position,) in accesses] == list(range(1, len(accesses) + 1))
    with httpx2.Client(base_url=program.address) as http:
        headers = {"Authorization": f"Bearer {program.token}"}
        for client in list(clients)[:: len(clients) // 8]:
            chart = http.get(f"/v1/clients/{client}/chart", headers=headers).json()
            assert [note["status"] for note in chart["notes"]] == ["signed"]

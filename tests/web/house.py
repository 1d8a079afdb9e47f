"""How do browser tests get the real thing? The whole application on a port, with people in it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from time import monotonic, sleep

import psycopg
import uvicorn

from api.app import create_app
from api.platform import Platform
from api.web import ROUTERS
from deploy.database import Database
from deploy.founding import NewMember, add_member, found
from deploy.wiring import open_parts
from domain.kernel.ids import PracticeId
from record.provision import NewPractice

PASSWORD = "correct horse battery"
PEOPLE = (
    NewMember("noor@example.com", "Noor Haddad", "clinician"),
    NewMember("ava@example.com", "Dr. Ava Lindqvist", "clinician"),
    NewMember("rae@example.com", "Rae Kim", "front_desk"),
    NewMember("iris@example.com", "Iris Vance", "auditor"),
    NewMember("olga@example.com", "Olga Stein", "owner"),
)
NEIGHBOUR = NewMember("ned@example.net", "Ned Neighbour", "clinician")


@dataclass(frozen=True)
class House:
    """The running application: where it answers, what it stands on, which practices it has."""

    address: str
    platform: Platform
    practice_id: PracticeId
    other_practice_id: PracticeId


@contextmanager
def open_house(database: Database) -> Iterator[House]:
    """Two practices, five people in one and one in the other, on a port of its own."""
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        kms = database.kms
        ours = found(admin, kms, NewPractice("demo", "Linden & Oak Aesthetics", "America/New_York"))
        theirs = found(admin, kms, NewPractice("harbor", "Harbor Light", "America/Los_Angeles"))
        for person in PEOPLE:
            add_member(admin, ours, person, PASSWORD)
        add_member(admin, theirs, NEIGHBOUR, PASSWORD)
    with (
        open_parts(database.app_url, database.kms) as parts,
        parts.projector,
        _listening() as listener,
    ):
        app = create_app(parts.platform, ROUTERS)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = monotonic() + 20
        while not server.started:
            if monotonic() > deadline:
                raise TimeoutError("the application did not start")
            sleep(0.01)
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield House(address, parts.platform, ours, theirs)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener

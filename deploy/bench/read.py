"""How many charts a second can be opened over HTTP, each with its access entry committed?

The server is the program itself, in a process of its own; beside it, as the limit of the framework,
the route that does nothing.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.queues import Queue
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import uvicorn

from api.app import create_app
from api.security.identity import Identity
from deploy.founding import NewMember, add_member, found
from deploy.logs import configure_logging
from deploy.wiring import open_parts, settle
from domain.chart.aggregate import NOTE
from domain.chart.commands import CorrectNote, SignNote
from domain.chart.events import Sections
from domain.client.aggregate import CLIENT
from domain.client.commands import RegisterClient
from domain.client.events import Details
from domain.kernel.clock import SystemClock
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, ClientId, CommandId
from gateways.kms.local import LocalKms
from record.ids import new_id
from record.provision import NewPractice

CLIENTS = 50
NOTES = 6
CONNECTIONS = 16
SECTION = "Glabella and forehead reviewed; even, no ptosis; next visit in twelve weeks. " * 3


def measure(admin_url: str, app_url: str, root_key: bytes, *, seconds: float) -> dict[str, Any]:
    """Opens per second and milliseconds, for charts and for the empty route."""
    token, clients = _prepare(admin_url, app_url, root_key)
    with _serving(app_url, root_key) as port:
        return {
            "chart_opens": _load(port, token, _charts(clients), seconds),
            "empty_route": _load(port, token, ["/healthz"], seconds),
            "connections": CONNECTIONS,
            "unit": "requests/s, ms",
        }


def charts_opened(
    app_url: str, root_key: bytes, token: str, clients: Sequence[UUID], seconds: float
) -> dict[str, float]:
    """The same for charts that exist already, by whoever has the token."""
    with _serving(app_url, root_key) as port:
        return _load(port, token, _charts(clients), seconds)


def _charts(clients: Sequence[UUID]) -> list[str]:
    return [f"/v1/clients/{client}/chart" for client in clients]


@contextmanager
def _serving(app_url: str, root_key: bytes) -> Iterator[int]:
    """The program, in a process of its own; its port."""
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    server = context.Process(target=_serve, args=(app_url, root_key, ready), daemon=True)
    server.start()
    try:
        yield int(ready.get(timeout=60))
    finally:
        server.terminate()
        server.join()


def _prepare(admin_url: str, app_url: str, root_key: bytes) -> tuple[str, list[UUID]]:
    """A practice with some charts, and a clinician's token."""
    clock = SystemClock()
    with psycopg.connect(admin_url, autocommit=True) as admin:
        practice_id = found(admin, LocalKms(root_key), NewPractice("bench-read", "Bench", "UTC"))
        somebody = NewMember("bench@example.com", "Bench", "clinician")
        by = ActorId(add_member(admin, practice_id, somebody, "a password for the bench"))
    clients = []
    with open_parts(app_url, LocalKms(root_key)) as parts:
        practice = parts.platform.practices[practice_id]

        def context() -> Context:
            return Context(
                practice_id=practice_id,
                actor_id=by,
                role="clinician",
                at=clock.now(),
                command_id=CommandId(new_id()),
                correlation_id=new_id(),
            )

        for number in range(CLIENTS):
            client_id, at = ClientId(new_id()), clock.now()
            details = Details.model_validate(
                {
                    "given_name": f"Client {number}",
                    "family_name": "Bench",
                    "birth_date": "1990-01-01",
                }
            )
            command = RegisterClient(by=by, at=at, client_id=client_id, details=details)
            practice.handle(CLIENT, client_id, command, context())
            for _ in range(NOTES):
                note_id = new_id()
                sections = Sections(subjective=SECTION, objective=SECTION, plan=SECTION)
                sign = SignNote(
                    by=by, at=at, client_id=client_id, sections=sections, occurred_at=at
                )
                practice.handle(NOTE, note_id, sign, context())
                correct = CorrectNote(by=by, at=at, changes={"plan": "Ten weeks."}, reason="typo")
                practice.handle(NOTE, note_id, correct, context())
            clients.append(client_id)
        parts.projector.run_until_caught_up()
        identity = Identity(parts.platform.database, idle=timedelta(hours=1))
        token = identity.begin(practice_id, by, "token", at=clock.now())
    return token, list(clients)


def _serve(app_url: str, root_key: bytes, ready: Queue[int]) -> None:
    configure_logging("warning")
    with open_parts(app_url, LocalKms(root_key)) as parts, parts.projector:
        config = uvicorn.Config(
            create_app(parts.platform), port=0, log_config=None, access_log=False
        )
        listener = config.bind_socket()
        settle()
        ready.put(listener.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listener])


def _load(port: int, token: str, paths: Sequence[str], seconds: float) -> dict[str, float]:
    """Asks over kept-open connections from a process of its own."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    client = context.Process(target=_ask, args=(port, token, paths, seconds, answers))
    client.start()
    times: list[float] = sorted(answers.get(timeout=seconds * 3 + 60))
    client.join()
    return {
        "per_second": round(len(times) / seconds),
        "p50_ms": round(statistics.median(times) * 1000, 2),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2),
    }


def _ask(
    port: int, token: str, paths: Sequence[str], seconds: float, answers: Queue[list[float]]
) -> None:
    times: list[float] = []
    begin = time.perf_counter() + 1
    end = begin + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        turn = number
        while (started := time.perf_counter()) < end:
            path = paths[turn % len(paths)]
            turn += CONNECTIONS
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            response.read()
            if response.status != http.HTTPStatus.OK:
                os._exit(1)
            if started >= begin:
                times.append(time.perf_counter() - started)

    asking = [Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    answers.put(times)

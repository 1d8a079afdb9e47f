"""The named alternative: the eventsourcing library's own recorder and its ProjectionRunner.

Its projection writes a row per event with the event's text, and its position, as its manual shows;
it unseals nothing, folds nothing, and keeps no practices apart.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event as Flag
from typing import Any, ClassVar, Final
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent, DomainEventProtocol
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from deploy.bench.lag import WRITERS, Ack, look, summary, timetable, wait_for
from deploy.bench.where import TEXT

_LOOK: Final = "SELECT %s::uuid, notification_id FROM seenprojection_tracking WHERE %s"
_ALL: Final = UUID(int=1)
"""It knows no practices."""


@dataclass(frozen=True)
class Noted(DomainEvent):
    """An event of the library."""

    text: str


class Notes(Application[UUID]):
    """An application of the library."""

    env: ClassVar[dict[str, str]] = {"PERSISTENCE_MODULE": "eventsourcing.postgres"}


class Seen(PostgresTrackingRecorder):
    """A view: a row per event and how far it has come, in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:  # noqa: ANN401 - theirs
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS public.seen (id uuid PRIMARY KEY, text text)").format()
        )

    def see(self, event: DomainEventProtocol[UUID], tracking: Tracking) -> None:
        """One event."""
        text = event.text if isinstance(event, Noted) else ""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute("INSERT INTO public.seen VALUES (%s, %s)", (event.originator_id, text))
            self._insert_tracking(cursor, tracking)


class SeenProjection(Projection[Seen]):
    """What the runner runs."""

    name = "seenprojection"

    def process_event(self, domain_event: DomainEventProtocol[UUID], tracking: Tracking) -> None:
        self.view.see(domain_event, tracking)


def rebuilt(admin_url: str, events: int) -> float:
    """Events per second that a runner applies which starts from nothing."""
    env = environment(admin_url)
    app = Notes(env)
    for _ in range(0, events, 100):
        app.save(*(noted() for _ in range(100)))
    last = app.recorder.max_notification_id()
    began = time.monotonic()
    with running(env) as runner:
        runner.wait(last, timeout=600)
        rate = events / (time.monotonic() - began)
    app.close()
    return round(rate)


def lag(admin_url: str, *, seconds: float, rate: float) -> dict[str, Any]:
    """Milliseconds from the answer to a writer until the runner's view shows its event."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    projecting = context.Process(target=_project, args=(admin_url, ready, stop), daemon=True)
    acks: Queue[list[Ack]] = context.Queue()
    writing = context.Process(target=_write, args=(admin_url, seconds, rate, acks))
    projecting.start()
    wait_for(ready)
    writing.start()
    seen, told = look(admin_url, _LOOK, (_ALL, True), acks)
    stop.set()
    for process in (writing, projecting):
        process.join()
    return summary(told, seen, seconds)


def noted() -> Noted:
    """An event of a stream of its own."""
    return Noted(
        originator_id=uuid4(), originator_version=1, timestamp=datetime.now(UTC), text=TEXT
    )


def environment(admin_url: str) -> dict[str, str]:
    """How the library is told where its tables are."""
    parts = {name: str(value) for name, value in conninfo_to_dict(admin_url).items()}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.get("dbname", "postgres"),
        "POSTGRES_HOST": parts.get("host", ""),
        "POSTGRES_PORT": parts.get("port", "5432"),
        "POSTGRES_USER": parts.get("user", ""),
        "POSTGRES_PASSWORD": parts.get("password", ""),
        "POSTGRES_POOL_SIZE": str(WRITERS),
    }


@contextmanager
def running(env: dict[str, str]) -> Iterator[ProjectionRunner[Notes, Seen]]:
    """The runner at work."""
    with ProjectionRunner(
        application_class=Notes, projection_class=SeenProjection, view_class=Seen, env=env
    ) as runner:
        yield runner


def _project(admin_url: str, ready: Flag, stop: Flag) -> None:
    with running(environment(admin_url)):
        ready.set()
        stop.wait()


def _write(admin_url: str, seconds: float, rate: float, acks: Queue[list[Ack]]) -> None:
    app = Notes(environment(admin_url))

    def writer(_: int) -> tuple[UUID, Any]:
        return _ALL, lambda: app.save(noted())[-1].notification.id

    acks.put(timetable(writer, seconds, rate))
    app.close()

"""Who appends in a measurement, and how does each of them do it?

Each stores the same bytes, one event to a stream of its own, and says that the stream must be new.
Ours does everything it always does: row-level security, command ids, gapless positions, leaf
hashes, sealing. The others do what they do as shipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from deploy.bench.cells import Append, Cell, Share, threads
from deploy.bench.where import Where
from domain.chart.events import AddendumAdded
from domain.kernel.clock import SystemClock
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId
from gateways.kms.local import LocalKms
from record.database import Database
from record.envelope import Pending
from record.gate import Gate
from record.ids import new_id
from record.keys import KeyRing
from record.practice import Practice

TEXT: Final = "Reviewed at two weeks: even result, no asymmetry, no bruising; client pleased. " * 4
BODY_BYTES: Final = len(TEXT) + 120
"""What a sealed event of that text takes."""
CORES: Final = os.cpu_count() or 1


@dataclass(frozen=True)
class Contender:
    """One that is measured, and over how many processes its writers spread at most."""

    name: str
    where: Where
    run: Callable[[Where, Sequence[Share], float], Cell]
    processes: int

    def cell(self, writers: int, seconds: float) -> Cell:
        """Measures it once, with so many writers."""
        processes = min(self.processes, writers)
        shares = [Share(one, processes, writers // processes) for one in range(processes)]
        return self.run(self.where, shares, seconds)


def ours(where: Where, prefix: str = "") -> list[Contender]:
    """All writers in one practice, and in many. A practice belongs to one process.

    So the one practice has one process, and the many are spread over one process for each core.
    """
    return [
        Contender(f"{prefix}one_practice", where, partial(threads, _one_practice), 1),
        Contender(f"{prefix}many_practices", where, partial(threads, _many_practices), CORES),
    ]


def others(where: Where) -> list[Contender]:
    """The library's default recorder and a bare one-row insert, over four processes."""
    with psycopg.connect(where.admin_url, autocommit=True) as admin:
        admin.execute("CREATE TABLE public.bare (stream uuid, version int, body bytea)")
        admin.execute("ALTER TABLE public.bare ADD PRIMARY KEY (stream, version)")
    with _datastore(where, 1) as datastore:  # before its processes start: they would race for it
        PostgresApplicationRecorder(datastore, events_table_name="bench_events").create_table()
    return [
        Contender("eventsourcing_default", where, partial(threads, _library), 4),
        Contender("raw_insert", where, partial(threads, _bare), 4),
    ]


@contextmanager
def _one_practice(where: Where, share: Share) -> Iterator[list[Append]]:
    with _ours(where, share, where.practices[:1]) as appends:
        yield appends


@contextmanager
def _many_practices(where: Where, share: Share) -> Iterator[list[Append]]:
    with _ours(where, share, where.practices[share.process :: share.processes]) as appends:
        yield appends


@contextmanager
def _ours(where: Where, share: Share, practices: Sequence[PracticeId]) -> Iterator[list[Append]]:
    with Database(where.app_url, size=2) as database, Database(where.app_url, size=1) as writing:
        keys = KeyRing(database, LocalKms(where.root_key))
        gate = Gate(writing)
        clock = SystemClock()
        client = ClientId(UUID(int=1))

        def writer(practice: Practice) -> Append:
            def append() -> None:
                now = clock.now()
                note = AddendumAdded(occurred_at=now, client_id=client, text=TEXT)
                context = Context(
                    practice_id=practice.practice_id,
                    actor_id=ActorId(client),
                    role="clinician",
                    at=now,
                    command_id=CommandId(new_id()),
                    correlation_id=new_id(),
                    digest=b"d" * 32,
                )
                practice.append([Pending(new_id(), 1, note)], context)

            return append

        yield [
            writer(Practice(database, gate, keys, practices[number % len(practices)]))
            for number in range(share.writers)
        ]


@contextmanager
def _datastore(where: Where, size: int) -> Iterator[PostgresDatastore]:
    parts = {name: str(value) for name, value in conninfo_to_dict(where.admin_url).items()}
    with PostgresDatastore(
        parts.get("dbname", "postgres"),
        parts.get("host", ""),
        parts.get("port", "5432"),
        parts.get("user", ""),
        parts.get("password", ""),
        pool_size=size,
    ) as datastore:
        yield datastore


@contextmanager
def _library(where: Where, share: Share) -> Iterator[list[Append]]:
    with _datastore(where, share.writers) as datastore:
        recorder = PostgresApplicationRecorder(datastore, events_table_name="bench_events")
        body = os.urandom(BODY_BYTES)

        def append() -> None:
            recorder.insert_events([StoredEvent(uuid4(), 1, "note.addendum_added.v1", body)])

        yield [append] * share.writers


@contextmanager
def _connections(where: Where, share: Share) -> Iterator[list[psycopg.Connection]]:
    """A connection for each writer."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(psycopg.connect(where.admin_url, autocommit=True))
            for _ in range(share.writers)
        ]


@contextmanager
def _bare(where: Where, share: Share) -> Iterator[list[Append]]:
    body = os.urandom(BODY_BYTES)

    def writer(connection: psycopg.Connection) -> Append:
        return lambda: connection.execute(
            "INSERT INTO public.bare VALUES (%s, 1, %s)", (uuid4(), body), binary=True
        )

    with _connections(where, share) as connections:
        yield [writer(connection) for connection in connections]


@contextmanager
def message_db(where: Where, share: Share, *, categories: int = 1) -> Iterator[list[Append]]:
    """message-db's function, called as its clients do. It locks the category of the stream."""
    data = json.dumps({"body": os.urandom(BODY_BYTES // 2).hex()})

    def writer(connection: psycopg.Connection, category: int) -> Append:
        connection.execute("SET search_path = message_store, public")
        return lambda: connection.execute(
            "SELECT write_message(%s::varchar, %s::varchar, %s::varchar, %s::jsonb, NULL, -1)",
            (str(uuid4()), f"note{category}-{uuid4()}", "AddendumAdded", data),
        )

    with _connections(where, share) as connections:
        first = share.process * share.writers
        yield [
            writer(connection, number % categories)
            for number, connection in enumerate(connections, start=first)
        ]

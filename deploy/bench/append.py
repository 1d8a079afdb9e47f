"""How many events a second can be appended, ours beside the library's own and a bare insert?

Every contender runs in the same minutes against the same server with fsync on, in shuffled rounds,
from the same number of processes and threads. Ours does everything it always does: row-level
security, command ids, gapless positions, leaf hashes, sealing. The others store the same bytes and
do none of that.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier as ProcessBarrier
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from deploy.founding import found
from deploy.refusal import Refusal
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
from record.provision import NewPractice

WRITERS = (1, 16, 64)
PROCESSES = 4
PRACTICES = 64
TEXT = "Reviewed at two weeks: even result, no asymmetry, no bruising; client pleased. " * 4
WARM_UP_SECONDS = 0.5

Append = Callable[[], None]


@dataclass(frozen=True)
class Where:
    """What a contender's process needs to know."""

    admin_url: str
    app_url: str
    root_key: bytes
    practices: tuple[PracticeId, ...]


def measure(where: Where, *, seconds: float, rounds: int) -> dict[str, Any]:
    """Events per second, the median of the rounds, by contender and number of writers."""
    cells = [(name, writers) for name in CONTENDERS for writers in WRITERS]
    figures: dict[tuple[str, int], list[float]] = {cell: [] for cell in cells}
    order = random.Random(1)  # noqa: S311 - only shuffles the cells
    for _ in range(rounds):
        for name, writers in order.sample(cells, len(cells)):
            figures[name, writers].append(_cell(where, name, writers, seconds))

    def by_writers(name: str) -> dict[str, int]:
        return {str(one): round(statistics.median(figures[name, one])) for one in WRITERS}

    return {
        "ours": {
            "one_practice": by_writers("one_practice"),
            "many_practices": by_writers("many_practices"),
        },
        "eventsourcing_default": by_writers("eventsourcing_default"),
        "raw_insert": by_writers("raw_insert"),
        "unit": "events/s",
    }


def prepare(admin_url: str, app_url: str, root_key: bytes) -> Where:
    """The practices to write into and the table of the bare insert."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        practices = tuple(
            found(admin, LocalKms(root_key), NewPractice(f"bench-{number}", "Bench", "UTC"))
            for number in range(PRACTICES)
        )
        admin.execute("CREATE TABLE public.bare (stream uuid, version int, body bytea)")
        admin.execute("ALTER TABLE public.bare ADD PRIMARY KEY (stream, version)")
    where = Where(admin_url, app_url, root_key, practices)
    with _library(where, 0):
        return where


def _cell(where: Where, name: str, writers: int, seconds: float) -> float:
    processes = min(PROCESSES, writers)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(processes)
    counts = context.Queue()
    share = writers // processes
    workers = [
        context.Process(target=_work, args=(where, name, share, seconds, ready, counts))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise Refusal(f"a process of {name} with {writers} writers failed; its error is above")
    total: float = sum(counts.get() for _ in workers)
    return total


def _work(
    where: Where,
    name: str,
    threads: int,
    seconds: float,
    ready: ProcessBarrier,
    counts: Queue[float],
) -> None:
    """One process of a cell: events per second, counted after a warm-up."""
    with CONTENDERS[name](where, threads) as make:
        appends = [make() for _ in range(threads)]
        for append in appends:
            append()
        ready.wait(60)
        begin = time.perf_counter() + WARM_UP_SECONDS
        end = begin + seconds
        done = [0] * threads
        together = Barrier(threads)

        def write(number: int) -> None:
            together.wait()
            while (now := time.perf_counter()) < end:
                appends[number]()
                done[number] += begin <= now

        running = [Thread(target=write, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        counts.put(sum(done) / seconds)


@contextmanager
def _ours(where: Where, threads: int, *, many: bool) -> Iterator[Callable[[], Append]]:
    with Database(where.app_url, size=max(2, min(threads, 8))) as database:
        keys = KeyRing(database, LocalKms(where.root_key))
        gate = Gate(database)
        choose = random.Random(os.getpid())  # noqa: S311 - only spreads the load
        clock = SystemClock()
        client = ClientId(UUID(int=1))

        def make() -> Append:
            number = choose.randrange(len(where.practices)) if many else 0
            practice = Practice(database, gate, keys, where.practices[number])

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

        yield make


@contextmanager
def _one_practice(where: Where, threads: int) -> Iterator[Callable[[], Append]]:
    with _ours(where, threads, many=False) as make:
        yield make


@contextmanager
def _many_practices(where: Where, threads: int) -> Iterator[Callable[[], Append]]:
    with _ours(where, threads, many=True) as make:
        yield make


@contextmanager
def _library(where: Where, threads: int) -> Iterator[Callable[[], Append]]:
    parts = {name: str(value) for name, value in conninfo_to_dict(where.admin_url).items()}
    with PostgresDatastore(
        parts.get("dbname", "postgres"),
        parts.get("host", ""),
        parts.get("port", "5432"),
        parts.get("user", ""),
        parts.get("password", ""),
        pool_size=max(threads, 1),
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore, events_table_name="bench_events")
        if threads == 0:  # before the processes start: they would race to create it
            recorder.create_table()
        body = os.urandom(len(TEXT) + 120)

        def append() -> None:
            recorder.insert_events([StoredEvent(uuid4(), 1, "note.addendum_added.v1", body)])

        yield lambda: append


@contextmanager
def _bare(where: Where, threads: int) -> Iterator[Callable[[], Append]]:
    body = os.urandom(len(TEXT) + 120)
    with ExitStack() as stack:
        pool = stack.enter_context(
            ConnectionPool(where.admin_url, min_size=threads, kwargs={"autocommit": True})
        )
        pool.wait()

        def make() -> Append:
            connection = stack.enter_context(pool.connection())

            def append() -> None:
                connection.execute(
                    "INSERT INTO public.bare VALUES (%s, 1, %s)", (uuid4(), body), binary=True
                )

            return append

        yield make


CONTENDERS = {
    "one_practice": _one_practice,
    "many_practices": _many_practices,
    "eventsourcing_default": _library,
    "raw_insert": _bare,
}

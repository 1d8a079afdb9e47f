"""How long after its commit is an event to be seen in a projection, at a given rate of appends?

A reader of its own looks all the time how far the projection has come; the time that counts is from
the answer to the writer until the reader's first look that shows the event.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import cycle
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event as Flag
from threading import Thread
from typing import Any, Final
from uuid import UUID

import psycopg

from deploy.bench.where import CLIENTS, WARM_UP_SECONDS, Where, appender
from deploy.wiring import open_parts, settle
from domain.kernel.events import Category
from domain.kernel.ids import ClientId
from gateways.kms.local import LocalKms
from projections.chart_view.projection import ChartViewProjection
from record.ids import new_id

WRITERS: Final = 8
BUSY_PRACTICES: Final = 4
LOOK_SECONDS: Final = 0.0005
LONGEST_SECONDS: Final = 30.0
CATCH_UP_SECONDS: Final = 300.0

Ack = tuple[UUID, int, float]
"""Practice, position, and when the writer was told."""
Seen = dict[UUID, list[tuple[int, float]]]
"""By practice: the positions that a reader saw, and when, in order."""

_LOOK: Final = "SELECT practice_id, position FROM projection.position WHERE name = %s"


def lag(where: Where, *, seconds: float, rate: float) -> dict[str, Any]:
    """Milliseconds from the answer to a writer until its event is to be seen."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    projecting = context.Process(target=_project, args=(where, ready, stop), daemon=True)
    acks: Queue[list[Ack]] = context.Queue()
    writing = context.Process(target=_write, args=(where, seconds, rate, acks))
    projecting.start()
    wait_for(ready)
    writing.start()
    seen, told = look(where.app_url, _LOOK, (ChartViewProjection.name,), acks)
    stop.set()
    for process in (writing, projecting):
        process.join()
    return summary(told, seen, seconds)


def wait_for(ready: Flag) -> None:
    """Until a projection has caught up. Raises `TimeoutError`: nothing would be measured then."""
    if not ready.wait(CATCH_UP_SECONDS):
        message = "the projection did not catch up with what was there before"
        raise TimeoutError(message)


def summary(told: list[Ack], seen: Seen, seconds: float) -> dict[str, Any]:
    """The rate that was kept, and percentiles; whatever never became visible counts as endless."""
    waits = sorted(_wait(one, seen) for one in told)
    if not waits:
        return {"per_second": 0}
    took = max(seconds, max(one[2] for one in told) - min(one[2] for one in told))
    return {
        "per_second": round(len(told) / took),
        "p50_ms": round(statistics.median(waits) * 1000, 2),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 2),
    }


def _wait(one: Ack, seen: Seen) -> float:
    practice_id, position, told_at = one
    looks = seen.get(practice_id, [])
    first = bisect_left(looks, (position, 0.0))
    return max(0.0, looks[first][1] - told_at) if first < len(looks) else float("inf")


def look(
    url: str, query: str, values: tuple[object, ...], acks: Queue[list[Ack]]
) -> tuple[Seen, list[Ack]]:
    """Looks until the writers are done and all that they were told is to be seen."""
    seen: Seen = {}
    told: list[Ack] = []
    give_up = float("inf")
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < give_up:
            rows = connection.execute(query.encode(), values).fetchall()
            now = time.monotonic()
            for practice_id, position in rows:
                looks = seen.setdefault(practice_id, [])
                if not looks or looks[-1][0] < position:
                    looks.append((position, now))
            if not told and not acks.empty():
                told = acks.get()
                give_up = now + LONGEST_SECONDS
            if told and _are_seen(told, seen):
                break
            time.sleep(LOOK_SECONDS)
    return seen, told


def _are_seen(told: Iterable[Ack], seen: Seen) -> bool:
    return all(
        practice_id in seen and seen[practice_id][-1][0] >= position
        for practice_id, position, _ in told
    )


def _project(where: Where, ready: Flag, stop: Flag) -> None:
    with open_parts(where.app_url, LocalKms(where.root_key)) as parts:
        parts.projector.run_until_caught_up()
        settle()
        with parts.projector:
            ready.set()
            stop.wait()


def _write(where: Where, seconds: float, rate: float, acks: Queue[list[Ack]]) -> None:
    with open_parts(where.app_url, LocalKms(where.root_key)) as parts:
        clients = [ClientId(new_id()) for _ in range(CLIENTS)]
        practices = [parts.platform.practices[one] for one in where.practices[:BUSY_PRACTICES]]
        for practice in practices:
            parts.keys.prepare(practice.practice_id, ((one, Category.CLINICAL) for one in clients))
        settle()

        def writer(number: int) -> tuple[UUID, Callable[[], int]]:
            practice = practices[number % len(practices)]
            append, whose = appender(practice), cycle(clients[number:])
            return practice.practice_id, lambda: append(next(whose))

        acks.put(timetable(writer, seconds, rate))


def timetable(
    writer: Callable[[int], tuple[UUID, Callable[[], int]]], seconds: float, rate: float
) -> list[Ack]:
    """What writers were told that keep to a timetable, whatever they have to wait for."""
    begin = time.monotonic() + WARM_UP_SECONDS
    told: list[list[Ack]] = [[] for _ in range(WRITERS)]

    def write(number: int) -> None:
        practice_id, append = writer(number)
        pause = WRITERS / rate
        turn = begin - WARM_UP_SECONDS + pause * number / WRITERS
        while turn < begin + seconds and time.monotonic() < begin + 2 * seconds:
            time.sleep(max(0.0, turn - time.monotonic()))
            position = append()
            now = time.monotonic()
            if turn >= begin:
                told[number].append((practice_id, position, now))
            turn += pause

    threads = [Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for some in told for one in some]

"""Where does a measurement find its record, and how does a process of it write there?"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.queues import Queue
from threading import Barrier, Thread
from typing import Final
from uuid import UUID

from deploy.wiring import open_parts, settle
from domain.chart.events import NoteSigned, Sections
from domain.kernel.clock import SystemClock
from domain.kernel.events import Category, Context
from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId
from gateways.kms.local import LocalKms
from record.envelope import Pending
from record.ids import new_id
from record.practice import Practice

TEXT: Final = "Reviewed at two weeks: even result, no asymmetry, no bruising; client pleased. " * 3
CLIENTS: Final = 1_000
WARM_UP_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Where:
    """What a process of a measurement needs to know."""

    admin_url: str
    app_url: str
    root_key: bytes
    practices: tuple[PracticeId, ...]
    member: ActorId
    """Who acts."""


def appended(where: Where, writers: int, seconds: float) -> float:
    """Events per second that threads of one process append to the first practice, one each."""
    context = multiprocessing.get_context("spawn")
    counts: Queue[int] = context.Queue()
    process = context.Process(target=_append, args=(where, writers, seconds, counts))
    process.start()
    count = counts.get(timeout=seconds * 3 + 60)
    process.join()
    return round(count / seconds)


def _append(where: Where, writers: int, seconds: float, counts: Queue[int]) -> None:
    with open_parts(where.app_url, LocalKms(where.root_key)) as parts:
        practice = parts.platform.practices[where.practices[0]]
        # Many, so that no chart grows as nobody's does.
        clients = [ClientId(new_id()) for _ in range(CLIENTS)]
        wanted = ((client, Category.CLINICAL) for client in clients)
        parts.keys.prepare(practice.practice_id, wanted)
        settle()
        together = Barrier(writers)
        done = [0] * writers
        begin = time.monotonic() + WARM_UP_SECONDS
        end = begin + seconds

        def write(number: int) -> None:
            append, whose = appender(practice), cycle(clients[number:])
            together.wait()
            while (now := time.monotonic()) < end:
                append(next(whose))
                done[number] += begin <= now

        threads = [Thread(target=write, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts.put(sum(done))


def appender(practice: Practice) -> Callable[[ClientId], int]:
    """Signs a note for a client, a command of its own, and returns its position."""
    clock = SystemClock()
    by = ActorId(UUID(int=1))
    sections = Sections(subjective=TEXT, plan=TEXT)

    def append(client: ClientId) -> int:
        now = clock.now()
        signed = NoteSigned(
            occurred_at=now,
            client_id=client,
            sections=sections,
            signed_by=by,
            signed_at=now,
            is_locked=False,
            is_late_entry=False,
            rule="late-entry/1",
        )
        context = Context(
            practice_id=practice.practice_id,
            actor_id=by,
            role="clinician",
            at=now,
            command_id=CommandId(new_id()),
            correlation_id=new_id(),
            digest=b"d" * 32,
        )
        return practice.append([Pending(new_id(), 1, signed)], context).position

    return append

"""How do several processes fill a projection at once, each with a core to itself?"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from queue import Empty
from typing import Final

import psycopg

from deploy.wiring import open_parts, settle
from gateways.kms import Kms
from projections.all import all_projections
from projections.filling import Filler, Part, become_owner
from projections.rebuild import RebuildRefused

LOOK_SECONDS: Final = 1.0
"""How long to wait for progress before seeing whether anybody still works."""


@dataclass(frozen=True)
class Processes:
    """As many as there are cores; each opens a database and a key keeper of its own."""

    admin_url: str = field(repr=False)
    app_url: str = field(repr=False)
    open_kms: Callable[[], Kms]
    count: int = os.cpu_count() or 1

    def fill(self, question: str, parts: Sequence[Part]) -> Iterator[int]:
        """Raises `RebuildRefused` if one of them ends before its work is done."""
        context = multiprocessing.get_context("spawn")
        todo: Queue[Part | None] = context.Queue()
        done: Queue[int | None] = context.Queue()
        for part in (*parts, *[None] * self.count):
            todo.put(part)
        processes = [
            context.Process(target=_work, args=(self, question, todo, done), daemon=True)
            for _ in range(self.count)
        ]
        try:
            for process in processes:
                process.start()
            left = self.count
            while left:
                count = _next(done, processes)
                left -= count is None
                yield count or 0
        finally:
            for process in processes:
                process.terminate()
                process.join()


def _next(done: "Queue[int | None]", processes: Sequence[BaseProcess]) -> int | None:
    while True:
        try:
            return done.get(timeout=LOOK_SECONDS)
        except Empty:
            if any(process.exitcode for process in processes):
                message = "a process that was filling the new tables ended; nothing has changed"
                raise RebuildRefused(message) from None


def _work(
    us: Processes, question: str, todo: "Queue[Part | None]", done: "Queue[int | None]"
) -> None:
    with (
        open_parts(us.app_url, us.open_kms()) as parts,
        psycopg.connect(
            us.admin_url, autocommit=True, application_name="palimpsest rebuild"
        ) as owner,
    ):
        become_owner(owner)
        practices = parts.platform.practices
        (live,) = (
            one for one in all_projections(parts.keys, practices) if one.question == question
        )
        filler = Filler(owner, practices, live.beside())
        settle()
        while (part := todo.get()) is not None:
            for count in filler.fill(part):
                done.put(count)
        done.put(None)

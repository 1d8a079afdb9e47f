"""How is one cell of a measurement taken: some writers, for some seconds, in some processes?"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier as ProcessBarrier
from queue import Empty
from threading import Barrier, Thread
from typing import Final

from deploy.bench.where import WARM_UP_SECONDS, Where
from deploy.refusal import Refusal
from deploy.wiring import settle

TOGETHER_WITHIN: Final = 60.0
"""Seconds until all processes of a cell must be ready."""

Append = Callable[[], object]


@dataclass(frozen=True)
class Share:
    """Which part of a cell a process has: so many writers, as number `process` of `processes`."""

    process: int
    processes: int
    writers: int


Open = Callable[[Where, Share], AbstractContextManager[Sequence[Append]]]
"""Connects one process and yields what each of its writers does over and over."""


@dataclass(frozen=True)
class Cell:
    """What came out: appends per second, and the milliseconds that half and 99 % of them took."""

    per_second: float
    p50_ms: float
    p99_ms: float


def cell_of(seconds: float, latencies: Sequence[float]) -> Cell:
    """The figures of one cell, from how long each of its appends took, in seconds."""
    if not latencies:
        raise Refusal("nothing was appended while it was measured: take more --seconds")
    times = sorted(latencies)
    return Cell(
        per_second=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1_000,
        p99_ms=times[int(len(times) * 0.99)] * 1_000,
    )


def threads(open_one: Open, where: Where, shares: Sequence[Share], seconds: float) -> Cell:
    """A cell in which each writer is a thread of a Python process."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(len(shares))
    answers: Queue[list[float]] = context.Queue()
    processes = [
        context.Process(target=_work, args=(open_one, where, share, seconds, ready, answers))
        for share in shares
    ]
    for process in processes:
        process.start()
    found: list[float] = []
    missing = len(processes)
    while missing:
        try:
            found += answers.get(timeout=1)
            missing -= 1
        except Empty:
            if any(process.exitcode for process in processes):
                raise Refusal("a measuring process failed; its error is above") from None
    for process in processes:
        process.join()
    return cell_of(seconds, found)


def _work(
    open_one: Open,
    where: Where,
    share: Share,
    seconds: float,
    ready: ProcessBarrier,
    answers: Queue[list[float]],
) -> None:
    with open_one(where, share) as appends:
        for append in appends:
            append()
        settle()
        ready.wait(TOGETHER_WITHIN)
        begin = time.perf_counter() + WARM_UP_SECONDS
        end = begin + seconds
        together = Barrier(len(appends))
        found: list[list[float]] = [[] for _ in appends]

        def write(append: Append, times: list[float]) -> None:
            together.wait()
            while (started := time.perf_counter()) < end:
                append()
                if started >= begin:
                    times.append(time.perf_counter() - started)

        running = [Thread(target=write, args=pair) for pair in zip(appends, found, strict=True)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        answers.put([one for times in found for one in times])

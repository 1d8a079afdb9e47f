"""Do the figures stay what they are while the record grows a thousandfold?

The same things are measured in databases of several sizes, on the practice that has half of all:
what a big practice feels after years. The bodies are real: whatever is read is opened.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import psycopg

from api.security.identity import Identity
from deploy.bench.kept import Home, Watch, filled
from deploy.bench.lag import lag
from deploy.bench.read import charts_opened
from deploy.bench.where import Where, appended
from deploy.wiring import Parts, open_parts
from domain.kernel.clock import SystemClock
from domain.kernel.ids import PracticeId
from gateways.kms.local import LocalKms
from record.seals import Seals

SIZES: Final = (10_000, 1_000_000, 10_000_000)
LAG_RATE: Final = 200
"""Appends a second while the lag is measured: a chain on a busy day, far from any limit."""
VISITS: Final = 60
"""Clients on one day's board."""
SAMPLE: Final = 300
TIMES: Final = ("chart_p50_ms", "chart_p99_ms", "day_ms", "lag_p50_ms", "lag_p99_ms", "proof_ms")
RATES: Final = ("chart_per_second", "append_1_writer", "append_16_writers")


def measure(
    home: Home, sizes: Sequence[int], *, seconds: float, keep: bool, watch: Watch
) -> dict[str, Any]:
    """Figures by size, and how many times worse each is than at the smallest size."""
    found: dict[int, dict[str, float]] = {}
    for size in sorted(sizes):
        with filled(home, size, keep=keep, watch=watch) as where:
            watch(f"{size:,} events: measuring", 0, 0)
            found[size] = _figures(where, seconds)
    smallest = found[min(found)]
    return {
        "sizes": {str(size): figures for size, figures in found.items()},
        "times_worse": {
            str(size): _times_worse(figures, smallest) for size, figures in found.items()
        },
        "unit": "events/s, requests/s, ms",
    }


def _times_worse(figures: dict[str, float], smallest: dict[str, float]) -> dict[str, float]:
    slower = {name: figures[name] / smallest[name] for name in TIMES}
    fewer = {name: smallest[name] / figures[name] for name in RATES}
    return {name: round(value, 2) for name, value in (slower | fewer).items()}


def _figures(where: Where, seconds: float) -> dict[str, float]:
    practice_id = where.practices[0]
    with open_parts(where.app_url, LocalKms(where.root_key)) as parts:
        events = sum(
            row[0] for row in parts.platform.database.call("SELECT position FROM record.head")
        )
        day = _day(parts, practice_id)
        proof = _proof(parts, where, practice_id)
        identity = Identity(parts.platform.database, idle=timedelta(hours=1))
        token = identity.begin(practice_id, where.member, "token", at=SystemClock().now())
    clients = _some_clients(where, practice_id)
    charts = charts_opened(where.app_url, where.root_key, token, clients, seconds)
    waited = lag(where, seconds=seconds, rate=LAG_RATE)
    return {
        "events": events,
        "chart_per_second": charts["per_second"],
        "chart_p50_ms": charts["p50_ms"],
        "chart_p99_ms": charts["p99_ms"],
        "day_ms": day,
        "lag_p50_ms": waited["p50_ms"],
        "lag_p99_ms": waited["p99_ms"],
        "proof_ms": proof,
        # Last, as these make the record grow.
        "append_1_writer": appended(where, 1, seconds),
        "append_16_writers": appended(where, 16, seconds),
    }


def _day(parts: Parts, practice_id: PracticeId) -> float:
    """What a day board asks: who comes, and what was recorded of each of them on that day.

    There are no appointments yet, so the clients of a day stand for its visits; both reads are by
    indexes that the practice leads, as a calendar's will be.
    """
    search, practice = parts.platform.client_search, parts.platform.practices[practice_id]

    def read(day: tuple[datetime, list[UUID]]) -> None:
        moment, clients = day
        half = timedelta(hours=12)
        search.find(practice_id, clients)
        practice.about(clients, recorded=(moment - half, moment + half))

    with parts.platform.database.practice(practice_id) as connection:
        days = [
            (rows[0][1], [row[0] for row in rows])
            for position in _some_positions(practice.position() - VISITS, SAMPLE // 6)
            for rows in (
                connection.execute(
                    """SELECT subject, recorded_at FROM record.event
                    WHERE practice_id = %s AND log = 'record' AND position > %s
                    ORDER BY position LIMIT %s""",
                    (practice_id, position, VISITS),
                ).fetchall(),
            )
        ]
    return _median_ms([partial(read, day) for day in days])


def _proof(parts: Parts, where: Where, practice_id: PracticeId) -> float:
    """Proofs that an event is in the log, under its newest signed head."""
    seals = Seals(parts.platform.database, LocalKms(where.root_key))
    head = seals.newest(practice_id, "record")
    size = head.size if head is not None else 0
    return _median_ms(
        [
            partial(seals.inclusions, practice_id, "record", [position], size)
            for position in _some_positions(size, SAMPLE)
        ]
    )


def _median_ms(acts: Sequence[Callable[[], object]]) -> float:
    """Milliseconds per act, the first tenth to warm up."""
    times = []
    for act in acts:
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times[len(times) // 10 :]) * 1000, 2)


def _some_positions(last: int, count: int) -> list[int]:
    return [random.randint(1, last) for _ in range(count)]  # noqa: S311 - a sample


def _some_clients(where: Where, practice_id: PracticeId) -> list[UUID]:
    with psycopg.connect(where.admin_url) as admin:
        rows = admin.execute(
            """SELECT client_id FROM projection.client_search_v1 WHERE practice_id = %s
            ORDER BY random() LIMIT %s""",
            (practice_id, SAMPLE),
        )
        return [row[0] for row in rows]

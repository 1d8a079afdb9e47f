"""How many events a second can be appended, ours beside named alternatives?

Every contender runs in the same minutes against the same server with fsync on, in shuffled rounds;
what counts is the median of the rounds, and the ratio within one run.
"""

from __future__ import annotations

import platform
import random
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

from deploy.bench.cells import Cell
from deploy.bench.contenders import CORES, Contender, others, ours
from deploy.bench.kept import Watch
from deploy.bench.peers import peers
from deploy.bench.where import Where
from deploy.founding import found
from domain.kernel.ids import ActorId
from gateways.kms.local import LocalKms
from record.ids import SYSTEM
from record.provision import NewPractice

WRITERS: Final = (1, 16, 64)
PRACTICES: Final = 64
OURS: Final = ("one_practice", "many_practices")
PEERS: Final = (
    "eventsourcing_default", "message_db_64_categories", "message_db_1_category", "emmett",
    "raw_insert", "pgbench",
)  # fmt: skip
SETTINGS: Final = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")

Cells = dict[str, dict[int, Cell]]


def measure(
    admin_url: str, app_url: str, root_key: bytes, cache: Path,
    *, seconds: float, rounds: int, watch: Watch,
) -> dict[str, Any]:  # fmt: skip
    """Events per second, latencies and ratios, by contender and number of writers."""
    where = prepare(admin_url, app_url, root_key)
    named, missing = peers(where, cache)
    contenders = [*ours(where), *others(where), *named]
    cells = medians(contenders, seconds=seconds, rounds=rounds, watch=watch)
    rates = {name: per_second(cells[name]) for name in cells}
    return {
        "ours": {name: rates.pop(name) for name in OURS},
        **rates,
        **missing,
        "unit": "events/s",
        "ratios": {name: _ratios(cells, name) for name in OURS},
        "latency_ms": {name: latencies(cells[name]) for name in cells},
        "processes_at_most": {one.name: one.processes for one in contenders},
        "machine": machine(admin_url),
        "seconds": seconds,
        "rounds": rounds,
    }


def prepare(admin_url: str, app_url: str, root_key: bytes) -> Where:
    """Practices to write into."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        practices = tuple(
            found(admin, LocalKms(root_key), NewPractice(f"bench-{number}", "Bench", "UTC"))
            for number in range(PRACTICES)
        )
    return Where(admin_url, app_url, root_key, practices, ActorId(SYSTEM))


def medians(contenders: Iterable[Contender], *, seconds: float, rounds: int, watch: Watch) -> Cells:
    """Each contender with each number of writers, once in each round, in an order of its own."""
    cells = [(one, writers) for one in contenders for writers in WRITERS]
    found: dict[tuple[str, int], list[Cell]] = {(one.name, writers): [] for one, writers in cells}
    order = random.Random(1)  # noqa: S311 - only shuffles the cells
    done = 0
    for _ in range(rounds):
        for one, writers in order.sample(cells, len(cells)):
            watch(f"{one.name}, {writers} writers", done, rounds * len(cells))
            with psycopg.connect(one.where.admin_url, autocommit=True) as admin:
                admin.execute("CHECKPOINT")  # so that nobody pays for the one before
            found[one.name, writers].append(one.cell(writers, seconds))
            done += 1
    result: Cells = {}
    for (name, writers), rows in found.items():
        result.setdefault(name, {})[writers] = _median(rows)
    return result


def _median(cells: Sequence[Cell]) -> Cell:
    return Cell(
        statistics.median(cell.per_second for cell in cells),
        statistics.median(cell.p50_ms for cell in cells),
        statistics.median(cell.p99_ms for cell in cells),
    )


def per_second(cells: dict[int, Cell]) -> dict[str, int]:
    """Events per second by number of writers."""
    return {str(writers): round(cell.per_second) for writers, cell in cells.items()}


def latencies(cells: dict[int, Cell]) -> dict[str, dict[str, float]]:
    """Half of the appends, and 99 % of them, took no longer, by number of writers."""
    return {
        str(writers): {"p50": round(cell.p50_ms, 2), "p99": round(cell.p99_ms, 2)}
        for writers, cell in cells.items()
    }


def ratio(cells: Cells, name: str, other: str) -> dict[str, float]:
    """How many times as many events one takes as another, by number of writers."""
    return {
        str(writers): round(cell.per_second / cells[other][writers].per_second, 2)
        for writers, cell in cells[name].items()
    }


def _ratios(cells: Cells, name: str) -> dict[str, dict[str, float]]:
    return {other: ratio(cells, name, other) for other in cells if other not in OURS}


def machine(admin_url: str) -> dict[str, object]:
    """What the figures were measured on."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        settings = {
            name: admin.execute("SELECT current_setting(%s)", (name,)).fetchall()[0][0]
            for name in SETTINGS
        }
        version = admin.execute("SHOW server_version").fetchall()[0][0]
    return {
        "cores": CORES,
        "python": platform.python_version(),
        "postgresql": version,
        **settings,
    }


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    rates = found["ours"] | {name: found[name] for name in PEERS}
    lines = [f"{'events/s [p50/p99 ms]':26}" + "".join(f"{w} writers".ljust(25) for w in WRITERS)]
    for name, row in rates.items():
        if isinstance(row, str):
            lines.append(f"{name:26}{row}")
            continue
        times = found["latency_ms"][name]
        cells = [
            f"{row[w]:,} [{times[w]['p50']:.1f}/{times[w]['p99']:.1f}]" for w in map(str, WRITERS)
        ]
        lines.append(f"{name:26}" + "".join(f"{cell:25}" for cell in cells))
    for name in OURS:
        lines += ["", f"{name.replace('_', ' ')}, times as many as"]
        for other, ratios in found["ratios"][name].items():
            lines.append(f"  {other:24}" + "".join(f"{one:<25.2f}" for one in ratios.values()))
    return "\n".join(lines)

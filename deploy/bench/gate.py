"""What does it cost to append under strict row-level security, one practice at a time?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from deploy.bench.append import (
    OURS,
    latencies,
    machine,
    medians,
    per_second,
    prepare,
    ratio,
)
from deploy.bench.contenders import ours
from deploy.bench.kept import Watch

STRICT = Path(__file__).parent / "strict_gate.sql"
Own = tuple[str, str, bytes]
"""A database made for the measurement: the administrator's address, the application's, a key."""


def measure(own: Own, strict: Own, *, seconds: float, rounds: int, watch: Watch) -> dict[str, Any]:
    """The gate as it is, and one without its privilege, in two databases of one server."""
    contenders = [*ours(prepare(*own)), *ours(prepare(*strict), "strict_")]
    install(strict[0])
    cells = medians(contenders, seconds=seconds, rounds=rounds, watch=watch)
    return {
        **{name: per_second(cells[name]) for name in cells},
        "unit": "events/s",
        "ratios": {name: ratio(cells, name, f"strict_{name}") for name in OURS},
        "latency_ms": {name: latencies(cells[name]) for name in cells},
        "machine": machine(own[0]),
    }


def install(admin_url: str) -> None:
    """Takes the gate's privilege away, in a database that nobody needs."""
    with psycopg.connect(admin_url) as admin:
        admin.execute(STRICT.read_bytes())

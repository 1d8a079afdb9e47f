"""How many events a second is a projection made again from, beside the library's own runner?"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from deploy.bench import runner
from deploy.bench.filling import fill
from deploy.bench.where import Where
from deploy.fillers import Processes
from deploy.wiring import open_parts, settle
from gateways.kms.local import LocalKms
from projections.all import all_projections
from projections.rebuild import Rebuild

LIBRARY_EVENTS: Final = 5_000
"""It is slow enough for these to tell."""


def measure(where: Where, events: int, watch: Callable[[int, int], None]) -> dict[str, Any]:
    """Events per second by projection: read, unsealed, folded, written and committed."""
    fill(where, events, watch)
    figures: dict[str, Any] = {}
    fillers = Processes(where.admin_url, where.app_url, partial(LocalKms, where.root_key))
    with open_parts(where.app_url, LocalKms(where.root_key)) as parts:
        settle()
        practices = parts.platform.practices
        for projection in all_projections(parts.keys, practices):
            parts.keys.forget()
            with Rebuild(
                where.admin_url, parts.platform.database, practices, projection, fillers=fillers
            ) as beside:
                began = time.monotonic()
                applied = beside.replace()
                took = time.monotonic() - began
            figures[projection.question] = {"events": applied, "per_second": round(applied / took)}
    figures["eventsourcing_runner"] = {
        "events": LIBRARY_EVENTS,
        "per_second": runner.rebuilt(where.admin_url, LIBRARY_EVENTS),
    }
    return figures | {"processes": fillers.count, "unit": "events/s"}

"""Which database does a measurement of a size run in, and is there room for it?"""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.bench.filling import PRACTICES, fill
from deploy.bench.where import Where
from deploy.fillers import Processes
from deploy.founding import NewMember, add_member, found
from deploy.migrate import app_url, migrate
from deploy.refusal import Refusal
from deploy.wiring import open_parts
from domain.kernel.ids import ActorId, PracticeId
from gateways.kms import Kms
from gateways.kms.local import LocalKms
from projections.all import all_projections
from projections.rebuild import Rebuild
from record.provision import NewPractice
from record.sealing import Sealing
from record.seals import LOGS, Seals

BYTES_PER_EVENT: Final = 3_000
"""Rows, indexes, keys, commands and projections took 1,900; the rest is for WAL and sorting."""
OUTGROWN: Final = 1.2
"""So many times its size, and a kept record is filled anew: measuring appends makes it grow."""
READY: Final = "filled, projected and sealed"

Watch = Callable[[str, int, int], None]
"""Is told what goes on, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Home:
    """The server to measure on."""

    admin_url: str = field(repr=False)
    kms: Kms = field(repr=False)


@contextmanager
def filled(home: Home, size: int, *, keep: bool, watch: Watch) -> Iterator[Where]:
    """A database with so many events, filled now unless one was kept; dropped unless it is kept."""
    name = f"palimpsest_growth_{size}"
    admin_url = make_conninfo(home.admin_url, dbname=name)
    with psycopg.connect(home.admin_url, autocommit=True) as admin:
        is_ready = _comment(admin, name) == READY and _events(admin_url) <= size * OUTGROWN
        if not is_ready:
            refuse_without_room(admin, size)
            _drop(admin, name)
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            migrate(admin_url, home.kms)
            # What is sealed under it is made up; so a kept database needs no key file.
            key = hashlib.sha256(name.encode()).digest()
            where = founded(admin_url, app_url(admin_url, home.kms), key)
            if not is_ready:
                _make(where, size, watch)
                admin.execute(
                    sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), READY)
                )
            yield where
        finally:
            if not keep:
                _drop(admin, name)


def refuse_without_room(admin: psycopg.Connection[Any], events: int) -> None:
    """Refuses what would fill the disk, where the server's disk can be seen from here."""
    row = admin.execute("SHOW data_directory").fetchone()
    folder = Path(str(row[0])) if row else Path()
    if not folder.is_dir():
        return
    free, needed = shutil.disk_usage(folder).free, events * BYTES_PER_EVENT
    if free < needed:
        raise Refusal(
            f"{events:,} events need about {needed / 1e9:.0f} GB, and the disk of {folder} has "
            f"{free / 1e9:.0f} GB left: free some, or name smaller sizes with --size"
        )


def _comment(admin: psycopg.Connection[Any], name: str) -> object:
    row = admin.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    return None if row is None else row[0]


def _events(admin_url: str) -> int:
    with psycopg.connect(admin_url) as admin:
        (events,) = admin.execute("SELECT sum(position)::bigint FROM record.head").fetchall()[0]
        return int(events)


def _drop(admin: psycopg.Connection[Any], name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def founded(admin_url: str, app_url: str, key: bytes) -> Where:
    """The practices to write into, and somebody who may sign in to the first of them."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        practices = tuple(
            found(admin, LocalKms(key), NewPractice(f"bench-{number}", "Bench", "UTC"))
            for number in range(PRACTICES)
        )
        somebody = NewMember("bench@example.com", "Bench", "clinician")
        member = add_member(admin, practices[0], somebody, "a password for the bench")
    return Where(admin_url, app_url, key, practices, ActorId(member))


def _make(where: Where, size: int, watch: Watch) -> None:
    fill(where, size, lambda done, total: watch(f"{size:,} events: appending", done, total))
    with psycopg.connect(where.admin_url, autocommit=True) as admin:
        admin.execute("VACUUM (ANALYZE)")
    watch(f"{size:,} events: projections and seals", 0, 0)
    context = multiprocessing.get_context("spawn")
    sealing = context.Process(target=_seal, args=(where,))
    sealing.start()
    _project(where)
    sealing.join()
    if sealing.exitcode:
        message = "the process that seals failed"
        raise RuntimeError(message)
    with psycopg.connect(where.admin_url, autocommit=True) as admin:
        admin.execute("VACUUM (ANALYZE)")
        admin.execute("CHECKPOINT")


def _project(where: Where) -> None:
    open_kms = partial(LocalKms, where.root_key)
    fillers = Processes(where.admin_url, where.app_url, open_kms)
    with open_parts(where.app_url, open_kms()) as parts:
        practices = parts.platform.practices
        for projection in all_projections(parts.keys, practices):
            with Rebuild(
                where.admin_url, parts.platform.database, practices, projection, fillers=fillers
            ) as beside:
                beside.replace()


def _seal(where: Where) -> None:
    with open_parts(where.app_url, LocalKms(where.root_key)) as parts:
        database = parts.platform.database
        sealing = Sealing(database, Seals(database, LocalKms(where.root_key)))
        for practice_id in where.practices:
            for log in LOGS:
                _seal_all(sealing, practice_id, log)


def _seal_all(sealing: Sealing, practice_id: PracticeId, log: str) -> None:
    before = -1
    while (seal := sealing.seal(practice_id, log)) is not None and seal.size > before:
        before = seal.size

"""How is each measurement asked for on the command line?"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import uuid4

import psycopg
import typer
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.database import ready_database
from deploy.migrate import app_url, migrate
from deploy.settings import load_settings

bench = typer.Typer(help="Measure on this machine.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Seconds = Annotated[float, typer.Option(min=0.2, help="Measured per cell.")]


def register(app: typer.Typer) -> None:
    app.add_typer(bench, name="bench")


@bench.command("append")
def bench_append(
    *,
    as_json: Json = False,
    seconds: Seconds = 1.5,
    rounds: Annotated[int, typer.Option(min=1, help="The median counts.")] = 3,
) -> None:
    """Append events: ours, the eventsourcing library's default recorder, a bare one-row insert."""
    from deploy.bench import append as appending  # noqa: PLC0415 - only this command needs it

    with _own_database() as own:
        where = appending.prepare(*own)
        _show(appending.measure(where, seconds=seconds, rounds=rounds), as_json=as_json)


@bench.command("read")
def bench_read(*, as_json: Json = False, seconds: Seconds = 5) -> None:
    """Open charts over HTTP, each access logged before the answer; beside it an empty route."""
    from deploy.bench import read as reading  # noqa: PLC0415 - only this command needs it

    with _own_database() as own:
        _show(reading.measure(*own, seconds=seconds), as_json=as_json)


@contextmanager
def _own_database() -> Iterator[tuple[str, str, bytes]]:
    """A database for the measurement alone, on the same server, dropped afterwards.

    Its two addresses, and a root key of its own, which measuring processes can be handed.
    """
    name = f"palimpsest_bench_{uuid4().hex[:8]}"
    with (
        ready_database(load_settings()) as ready,
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
    ):
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            admin_url = make_conninfo(ready.admin_url, dbname=name)
            migrate(admin_url, ready.kms)
            yield admin_url, app_url(admin_url, ready.kms), secrets.token_bytes(32)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _show(figures: dict[str, Any], *, as_json: bool) -> None:
    typer.echo(json.dumps(figures, indent=None if as_json else 2))

"""How is each measurement asked for on the command line?"""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import uuid4

import psycopg
import typer
from psycopg import sql
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from deploy.database import ready_database
from deploy.migrate import app_url, migrate
from deploy.settings import load_settings

bench = typer.Typer(help="Measure on this machine.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
RATES = (50.0, 500.0, 1_500.0)
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
    """Append events: ours beside the eventsourcing library, message-db, emmett, a bare insert."""
    from deploy.bench import append as appending  # noqa: PLC0415 - only this command needs it

    cache = load_settings().data_dir / "cache"
    with _own_database() as own, _watched() as watch:
        found = appending.measure(*own, cache, seconds=seconds, rounds=rounds, watch=watch)
    if as_json:
        _show(found, as_json=True)
    else:
        typer.echo(appending.table(found))


@bench.command("gate")
def bench_gate(
    *,
    as_json: Json = False,
    seconds: Seconds = 1.5,
    rounds: Annotated[int, typer.Option(min=1, help="The median counts.")] = 3,
) -> None:
    """Append through the gate, and through one that is held to one practice at a time."""
    from deploy.bench import gate  # noqa: PLC0415 - only this command needs it

    with _own_database() as own, _own_database() as strict, _watched() as watch:
        found = gate.measure(own, strict, seconds=seconds, rounds=rounds, watch=watch)
    _show(found, as_json=as_json)


@bench.command("read")
def bench_read(*, as_json: Json = False, seconds: Seconds = 5) -> None:
    """Open charts over HTTP, each access logged before the answer; beside it an empty route."""
    from deploy.bench import read as reading  # noqa: PLC0415 - only this command needs it

    with _own_database() as own:
        _show(reading.measure(*own, seconds=seconds), as_json=as_json)


@bench.command("lag")
def bench_lag(
    *,
    as_json: Json = False,
    seconds: Seconds = 5,
    rate: Annotated[list[float] | None, typer.Option(min=1, help="Appends a second.")] = None,
) -> None:
    """From the answer to a writer until a projection shows it; beside it the library's runner."""
    from deploy.bench import lag, runner  # noqa: PLC0415 - only this command needs it
    from deploy.bench.kept import founded  # noqa: PLC0415 - only this command needs it

    with _own_database() as own:
        where = founded(*own)
        found = {
            f"{one:g}": {
                "ours": lag.lag(where, seconds=seconds, rate=one),
                "eventsourcing_runner": runner.lag(where.admin_url, seconds=seconds, rate=one),
            }
            for one in rate or RATES
        }
        _show({"appends_per_second": found, "unit": "ms"}, as_json=as_json)


@bench.command("rebuild")
def bench_rebuild(
    *,
    as_json: Json = False,
    events: Annotated[int, typer.Option(min=1_000, help="In the record and the access log.")] = (
        200_000
    ),
) -> None:
    """Make each projection again from the first event on; beside it the library's runner."""
    from deploy.bench import rebuild  # noqa: PLC0415 - only this command needs it
    from deploy.bench.kept import founded  # noqa: PLC0415 - only this command needs it

    with _own_database() as own, _watched() as watch:
        where = founded(*own)
        found = rebuild.measure(where, events, lambda done, of: watch("Appending", done, of))
    _show(found, as_json=as_json)


@bench.command("growth")
def bench_growth(
    *,
    as_json: Json = False,
    size: Annotated[
        list[int] | None, typer.Option(min=1_000, help="Events; several times for several sizes.")
    ] = None,
    seconds: Seconds = 5,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the filled databases for the next time.")
    ] = False,
) -> None:
    """Measure at 10 thousand, 1 million and 10 million events: how much worse does each get?"""
    from deploy.bench import growth  # noqa: PLC0415 - only this command needs it
    from deploy.bench.kept import Home  # noqa: PLC0415 - only this command needs it

    with ready_database(load_settings()) as ready, _watched() as watch:
        home = Home(ready.admin_url, ready.kms)
        sizes = size or growth.SIZES
        found = growth.measure(home, sizes, seconds=seconds, keep=keep, watch=watch)
    _show(found, as_json=as_json)


@contextmanager
def _watched() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error for what takes minutes; none where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("")

        def watch(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield watch


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

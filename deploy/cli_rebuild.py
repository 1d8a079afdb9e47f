"""How is a projection made again, or proven to be what the record says, from the command line?"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from deploy.database import find_kms, ready_database
from deploy.refusal import Refusal
from deploy.settings import Settings, load_settings
from projections.all import all_projections
from projections.compare import Difference
from projections.rebuild import Progress as Done
from projections.rebuild import Rebuild, RebuildRefused, Watch


def register(app: typer.Typer) -> None:
    app.command()(rebuild)


def rebuild(
    name: Annotated[str, typer.Argument(help="What to make again, such as chart_view.")],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare: is it what the record says?")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Make a projection again from the first event on, beside the old one, then switch."""
    try:
        with _progress(name) as watch, _beside(load_settings(), name, watch) as beside:
            found = list(beside.differences()) if check else []
            events = beside.events if check else beside.replace()
    except RebuildRefused as error:
        raise Refusal(str(error)) from error
    if as_json:
        typer.echo(json.dumps(_report(name, events, found, check=check)))
    elif check:
        _print_differences(found)
    else:
        typer.echo(f"{name} made again from {events} events")
    if found:
        raise typer.Exit(1)


@contextmanager
def _beside(settings: Settings, name: str, watch: Watch) -> Iterator[Rebuild]:
    from deploy.fillers import Processes  # noqa: PLC0415 - other commands need no web framework
    from deploy.wiring import open_parts, settle  # noqa: PLC0415 - the same

    with (
        ready_database(settings) as ready,
        open_parts(ready.app_url, ready.kms, pool_size=settings.pool_size) as parts,
    ):
        platform = parts.platform
        known = {one.question: one for one in all_projections(parts.keys, platform.practices)}
        if name not in known:
            raise Refusal(f"there is no projection {name}; there are: {', '.join(sorted(known))}")
        open_kms = partial(find_kms, settings, ready.admin_url)
        fillers = Processes(ready.admin_url, ready.app_url, open_kms)
        with Rebuild(
            ready.admin_url, platform.database, platform.practices, known[name], watch, fillers
        ) as beside:
            settle()
            yield beside


@contextmanager
def _progress(name: str) -> Iterator[Watch]:
    """A bar on standard error; none where nobody watches."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task(name, total=None)

    def watch(done: Done) -> None:
        bar.update(task, completed=done.done, total=done.total)

    with bar:
        yield watch


def _report(
    name: str, events: int, found: Sequence[Difference], *, check: bool
) -> dict[str, object]:
    report: dict[str, object] = {"projection": name, "events": events}
    if check:
        report["identical"] = not found
        report["differences"] = [
            {"practice_id": str(one.practice_id), "key": str(one.key), "what": one.what}
            for one in found
        ]
    return report


def _print_differences(found: Sequence[Difference]) -> None:
    for one in found:
        typer.echo(f"{one.what}  practice {one.practice_id}  client {one.key}")
    words = {0: "identical", 1: "1 row differs"}
    typer.echo(words.get(len(found), f"{len(found)} rows differ"))

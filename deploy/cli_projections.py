"""How far are the projections, what is stuck, and how is it tried again, from the command line?"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import typer

from deploy.database import ready_database
from deploy.founding import Admin, practice_named, slugs
from deploy.refusal import Refusal
from deploy.settings import load_settings
from domain.kernel.ids import PracticeId
from projections import positions
from projections.all import NAMES
from projections.parking import Parked, parked, retry_now
from record.database import Database
from workers.relay import NAME as RELAY

projections = typer.Typer(help="How far the projections are, and what is stuck.")


def register(app: typer.Typer) -> None:
    app.add_typer(projections, name="projections")


@projections.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say how far each projection is behind the record, and which are stuck where."""
    if context.invoked_subcommand is not None:
        return
    with _open() as (admin, database):
        news = positions.news(database, list(NAMES.values()))
        stuck = [_told(one, slugs(admin)) for one in parked(database)]
    lags = [
        {
            "projection": question,
            "behind": sum(one.behind for one in news if one.name == name),
            "practices": sum(one.name == name for one in news),
        }
        for question, name in NAMES.items()
    ]
    if as_json:
        typer.echo(json.dumps({"projections": lags, "parked": stuck}))
        return
    for lag in lags:
        typer.echo("{projection}: {behind} events behind, in {practices} practices".format(**lag))
    for one in stuck:
        typer.echo(
            "{projection} of {practice} is stuck at position {position} ({type}): {error}, "
            "tried {failures} times, again at {retry_at}".format(**one)
        )


@projections.command("retry")
def retry(
    name: Annotated[str, typer.Argument(help="What is stuck, such as chart_view.")],
    practice: Annotated[str, typer.Option("--practice", help="The practice's slug.")],
) -> None:
    """Try an event again now that a projection could not take."""
    known = {*NAMES, RELAY}
    if name not in known:
        raise Refusal(f"there is no projection {name}; there are: {', '.join(sorted(known))}")
    with _open() as (admin, database):
        practice_id = practice_named(admin, practice)
        stuck = [
            one
            for one in parked(database)
            if one.practice_id == practice_id and _question(one) == name
        ]
        if not stuck:
            raise Refusal(f"{name} of {practice} is not stuck")
        for one in stuck:
            retry_now(database, practice_id, one.name)
    typer.echo(f"{name} of {practice} is tried again as soon as a projector looks")


def _question(one: Parked) -> str:
    """As people call it; the relay is stuck in the same way, at a place of its own."""
    questions = {name: question for question, name in NAMES.items()}
    return questions.get(one.name, RELAY)


def _told(one: Parked, named: dict[PracticeId, str]) -> dict[str, object]:
    return {
        "projection": _question(one),
        "practice": named[PracticeId(one.practice_id)],
        "position": one.position,
        "type": one.event_type,
        "error": one.error,
        "failures": one.failures,
        "retry_at": one.retry_at.isoformat(),
    }


@contextmanager
def _open() -> Iterator[tuple[Admin, Database]]:
    with (
        ready_database(load_settings()) as ready,
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
        Database(ready.app_url, size=2) as database,
    ):
        yield admin, database

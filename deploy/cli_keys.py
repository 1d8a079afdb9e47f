"""How is a practice's key exchanged for a new one from the command line?"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.database import Database as Ready
from deploy.database import ready_database
from deploy.founding import practice_named
from deploy.refusal import Refusal
from deploy.settings import load_settings
from domain.kernel.clock import SystemClock
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, CommandId, PracticeId
from domain.practice_key.aggregate import PRACTICE_KEY, stream_of
from domain.practice_key.commands import RecordRotation
from record.ids import SYSTEM, new_id
from record.rotation import Rotated, Rotation, RotationRefused, Watch

keys = typer.Typer(help="The keys that seal a practice's record.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(keys, name="keys")


@keys.command("rotate")
def rotate_keys(
    practice: Annotated[str, typer.Option("--practice", help="The practice's slug.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Make a new practice key, wrap every data key under it, destroy the old one.

    No text is touched and nobody has to stop. Cut short, it goes on when asked again.
    """
    try:
        with ready_database(load_settings()) as ready, _progress() as watch:
            rotated = rotate(ready, practice, watch)
    except RotationRefused as error:
        raise Refusal(str(error)) from error
    if as_json:
        typer.echo(json.dumps(asdict(rotated)))
    else:
        typer.echo(
            f"generation {rotated.generation} of the practice's key is in use; "
            f"{rotated.data_keys} data keys wrapped anew, the earlier generation destroyed"
        )


def rotate(ready: Ready, slug: str, watch: Watch) -> Rotated:
    """Rotates one practice's key and enters it in the record."""
    # Late, as other commands need no web framework.
    from deploy.wiring import open_parts  # noqa: PLC0415

    with (
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
        open_parts(ready.app_url, ready.kms, pool_size=2) as parts,
    ):
        practice_id = practice_named(admin, slug)
        practice = parts.platform.practices[practice_id]
        stream = stream_of(practice_id)
        state = PRACTICE_KEY.fold([recorded.event for recorded in practice.stream(stream)])
        rotated = Rotation(admin, ready.kms, practice_id, watch).run(recorded=state.generation)
        at = SystemClock().now()
        command = RecordRotation(by=ActorId(SYSTEM), at=at, **asdict(rotated))
        practice.handle(PRACTICE_KEY, stream, command, _context(practice_id, command))
    return rotated


def _context(practice_id: PracticeId, command: RecordRotation) -> Context:
    command_id: UUID = new_id()
    return Context(
        practice_id=practice_id,
        actor_id=command.by,
        role="system",
        at=command.at,
        command_id=CommandId(command_id),
        correlation_id=command_id,
        purpose="operations",
    )


@contextmanager
def _progress() -> Iterator[Watch]:
    """A bar on standard error; none where nobody watches."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("data keys"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task("wrapping anew", total=None)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total)

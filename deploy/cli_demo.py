"""How is a made-up practice of any size added from the command line?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.database import Database as Ready
from deploy.database import ready_database
from deploy.demo.practice import PASSWORD, Story, Told, as_admin, is_told, staff_for, tell
from deploy.demo.scribe import CannotContinue
from deploy.refusal import Refusal
from deploy.settings import load_settings
from record.provision import NewPractice

ZONE = "America/New_York"
DAYS_PER_YEAR = 365


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    clients: Annotated[int, typer.Option(min=1, max=1_000_000, help="About 20 events each.")],
    slug: str = "big",
    years: Annotated[int, typer.Option(min=1, max=20)] = 2,
    seed: int = 1,
) -> None:
    """Make up a practice with a history; the same numbers give the same one. For trying out.

    Interrupted, it goes on where it was when asked for the same again.
    """
    name = f"{slug.replace('-', ' ').title()} Med Spa"
    new = NewPractice(slug=slug, name=name, zone=ZONE)
    staff = staff_for(slug, clients, seed)
    story = Story(new, staff, clients, drafts=3, days=years * DAYS_PER_YEAR, seed=seed)
    console = Console(stderr=True)
    with ready_database(load_settings()) as ready:
        began = monotonic()
        told = _told(ready, story, console)
        seconds = monotonic() - began
        with console.status("Projections catch up …"):
            _catch_up(ready)
    record, access = told.positions["record"], told.positions["access"]
    rate = (record + access) / seconds
    counts = f"{record} events in the record, {access} in the access log"
    typer.echo(f"{slug} ({told.practice_id}): {counts}; {rate:.0f} events/s")
    addresses = " or ".join(one.email for one in (staff[0], staff[1], staff[-1]))
    typer.echo(f"Sign in with the password {PASSWORD} as {addresses}")


def _told(ready: Ready, story: Story, console: Console) -> Told:
    with as_admin(ready) as admin:
        if is_told(admin, story.new):
            raise Refusal(f"there is a practice {story.new.slug} already; choose another --slug")
    try:
        with _bar(console) as progress:
            return tell(ready, story, progress)
    except CannotContinue:
        raise Refusal(
            f"the practice {story.new.slug} was begun with other numbers, or by another "
            "release; choose another --slug"
        ) from None


def _catch_up(ready: Ready) -> None:
    # Late: other commands need no projections.
    from deploy.wiring import open_parts  # noqa: PLC0415

    with open_parts(ready.app_url, ready.kms) as parts:
        parts.projector.run_until_caught_up()


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[float, int], None]]:
    columns = (
        TextColumn("Making up the years"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]} events"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=1.0, events=0)

        def show(part: float, events: int) -> None:
            progress.update(task, completed=part, events=events)

        yield show

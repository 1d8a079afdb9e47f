"""How is the relay to Kafka run, and told to publish again, from the command line?"""

from typing import Annotated

import psycopg
import typer

from deploy.broker import open_broker
from deploy.database import ready_database
from deploy.founding import practice_named
from deploy.refusal import Refusal
from deploy.settings import Settings, load_settings
from gateways.broker import BrokerUnavailable
from projections.positions import set_back
from record.database import Database
from workers.relay import place_name


def register(app: typer.Typer) -> None:
    app.command()(relay)


def relay(
    again_from: Annotated[
        int | None,
        typer.Option(min=1, help="Only have a practice published again, from this position on."),
    ] = None,
    practice: Annotated[str | None, typer.Option("--practice", help="Its slug.")] = None,
) -> None:
    """Publish the record to Kafka, until Ctrl-C; any number of these share the practices."""
    if (again_from is None) != (practice is None):
        raise Refusal("--again-from and --practice are given together")
    settings = load_settings()
    if again_from is not None and practice is not None:
        _again(settings, again_from, practice)
        typer.echo(f"{practice} is published again from position {again_from} on")
        return
    # Late, as the other needs no health server.
    from deploy import background  # noqa: PLC0415

    background.work(settings, "relay")


def _again(settings: Settings, position: int, slug: str) -> None:
    broker = open_broker(settings)
    if broker is None:
        raise Refusal("PALIMPSEST_KAFKA: there is no broker to publish to")
    try:
        place = place_name(broker.find_topic())
    except BrokerUnavailable as error:
        raise Refusal(f"Kafka at {settings.kafka} does not answer") from error
    with (
        ready_database(settings) as ready,
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
        Database(ready.app_url, size=2) as database,
    ):
        practice_id = practice_named(admin, slug)
        if not set_back(database, practice_id, place, position - 1):
            raise Refusal(f"{slug} has not been published up to position {position} yet")

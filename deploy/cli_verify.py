"""How does anybody learn from the command line whether a practice's logs are what they were?"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from time import perf_counter
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.database import Database, ready_database
from deploy.founding import practice_named
from deploy.refusal import Refusal
from deploy.settings import load_settings
from deploy.witnesses import open_witnesses
from gateways.witness import ReadableWitness, Witness, WitnessUnavailable
from record.database import Database as Pool
from record.faults import Fault, Tampered
from record.seals import LOGS, Seals, census_of
from record.stored_log import StoredLog
from record.verify import Verified, Watch, ask, held_by
from record.verify import verify as verify_log
from record.verify_census import verify_censuses

Slug = Annotated[str, typer.Option("--practice", help="The practice's short name.")]


def register(app: typer.Typer) -> None:
    app.command()(verify)
    app.command("seal-key")(seal_key)


def verify(
    *,
    practice: Slug,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", help="Ask this witness instead of those that are set."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compute every hash of a practice's two logs again and hold it against what was signed.

    Exits with 1 at the first fault, and names its kind and place.
    """
    settings = load_settings()
    if witness:
        settings = settings.model_validate(settings.model_dump() | {"witnesses": witness})
    started = perf_counter()
    fault, logs = None, list[Verified]()
    with (
        ready_database(settings) as ready,
        open_witnesses(settings, ready.kms, must_exist=bool(witness)) as witnesses,
    ):
        practice_id = _practice(ready, practice)
        try:
            logs = _verify(ready, practice_id, witnesses)
        except Tampered as tampered:
            fault = tampered.fault
        except WitnessUnavailable as error:
            raise Refusal(f"a witness does not answer: {error}") from error
    if as_json:
        typer.echo(json.dumps(_report(practice, logs, fault, perf_counter() - started)))
    else:
        typer.echo(str(fault) if fault else _told(logs))
    if fault:
        raise typer.Exit(1)


def seal_key(
    *,
    practice: Slug,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print the public keys that check a practice's signed heads: one line for each log."""
    with ready_database(load_settings()) as ready, Pool(ready.app_url, size=1) as pool:
        seals, practice_id = Seals(pool, ready.kms), _practice(ready, practice)
        keys = {log: str(seals.verify_key(practice_id, log)) for log in LOGS}
    typer.echo(json.dumps(keys) if as_json else "\n".join(keys.values()))


def _practice(ready: Database, slug: str) -> UUID:
    with psycopg.connect(ready.admin_url, autocommit=True) as admin:
        return practice_named(admin, slug)


def _verify(ready: Database, practice_id: UUID, witnesses: Sequence[Witness]) -> list[Verified]:
    with Pool(ready.app_url, size=2) as pool:
        seals = Seals(pool, ready.kms)
        keys = {log: seals.verify_key(practice_id, log) for log in LOGS}
        readable = [one for one in witnesses if isinstance(one, ReadableWitness)]
        # Before the logs are read: a witness never holds what is not there yet.
        held = {log: held_by(readable, key) for log, key in keys.items()}
        counts = {log: seals.verify_key(practice_id, census_of(log)) for log in LOGS}
        counted = {log: held_by(readable, key) for log, key in counts.items()}
        verified = []
        with _snapshot(ready.app_url, practice_id) as connection, _progress() as bar:
            for log in LOGS:
                stored = StoredLog(connection, practice_id, log)
                watch = _watch(bar, log, stored.end())
                verified.append(verify_log(stored, keys[log], held[log], watch))
                watch = _watch(bar, f"{log}, counts", stored.end())
                verify_censuses(connection, counts[log], (practice_id, log), counted[log], watch)
        for one in verified:
            for witness in witnesses:
                if witness not in readable:
                    one.witnessed[witness.name] = ask(witness, seals, practice_id, one.log)
        return verified


@contextmanager
def _snapshot(url: str, practice_id: UUID) -> Iterator[psycopg.Connection[Any]]:
    """One moment of the database, as the application's own role sees it, however long it takes."""
    with psycopg.connect(url, application_name="palimpsest verify") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(
            "SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),)
        )
        yield connection


def _progress() -> Progress:
    """A bar on standard error; none where nobody watches."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _watch(bar: Progress, log: str, total: int) -> Watch:
    task = bar.add_task(log, total=total)
    return lambda done: bar.update(task, completed=done)


def _told(logs: Sequence[Verified]) -> str:
    counts = " and ".join(f"{one.events} {one.log}" for one in logs)
    heads = ", ".join(f"{one.log} {_head(one)}" for one in logs)
    lines = [f"verified {counts} entries; head {heads}"]
    for one in logs:
        if one.sealed < one.events:
            lines.append(f"{one.log}: {one.events - one.sealed} entries are under no head yet")
        lines += [f"{one.log}: witnessed at {size} by {by}" for by, size in one.witnessed.items()]
    return "\n".join(lines)


def _head(one: Verified) -> str:
    return "none" if one.note is None else " ".join(one.note.split("\n")[1:3])


def _report(
    practice: str, logs: Sequence[Verified], fault: Fault | None, seconds: float
) -> dict[str, object]:
    return {
        "practice": practice,
        "verified": fault is None,
        "fault": asdict(fault) if fault else None,
        "logs": [asdict(one) for one in logs],
        "seconds": round(seconds, 2),
    }

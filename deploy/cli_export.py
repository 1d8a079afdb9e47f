"""How is one client's whole record taken along, and checked elsewhere, from the command line?"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Annotated
from uuid import UUID

import typer
from rich.console import Console

from deploy import verify_bundle
from deploy.database import ready_database
from deploy.refusal import Refusal
from deploy.settings import load_settings
from deploy.witnesses import open_witnesses

exports = typer.Typer(help="Take something along.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(exports, name="export")
    app.command("verify-bundle")(verify_a_bundle)


@exports.command("client")
def export_client(
    client: Annotated[UUID, typer.Argument(help="The client's id.")],
    practice: Annotated[str, typer.Option("--practice", help="The practice's slug.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write; it must not exist.")],
    *,
    as_of: Annotated[
        str, typer.Option(help="The moment the chart is of: 2026-03-02T12:00, or a day.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Write all that is known of a client, with its proof: see `verify-bundle`.

    It holds the client's texts and the keys that open them: keep it safe.
    """
    # Late, as other commands need no web framework.
    from deploy.taking import take  # noqa: PLC0415

    settings = load_settings()
    with (
        _new(out) as part,
        ready_database(settings) as ready,
        open_witnesses(settings, ready.kms) as witnesses,
    ):
        with Console(stderr=True).status("Gathering entries, counting, proving, printing …"):
            bundle, key = take(ready, practice, client, as_of, witnesses)
        part.write(bundle)
    if as_json:
        typer.echo(json.dumps({"file": str(out), "bytes": len(bundle), "key": key}))
        return
    typer.echo(f"{out}: {len(bundle):,} bytes")
    typer.echo(f"Check it with: palimpsest verify-bundle {out} --key '{key}'")


def verify_a_bundle(
    file: Path,
    key: Annotated[
        str, typer.Option("--key", metavar="PUB", help="The practice's vkey, or a file of vkeys.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check an evidence bundle offline, as deploy/verify_bundle.py does by itself elsewhere.

    Exits with 1 if something in it is wrong, with 2 if there is no file or no key to look at.
    """
    if not as_json:
        return verify_bundle.main([str(file), "--key", key])
    told, wrong = StringIO(), None
    try:
        with redirect_stdout(told):
            verify_bundle.main([str(file), "--key", key])
    except SystemExit as refused:
        if isinstance(refused.code, int):
            raise
        wrong = str(refused.code).removeprefix("WRONG ")
    proven = [line[6:] for line in told.getvalue().splitlines() if line.startswith("ok    ")]
    typer.echo(json.dumps({"is_proven": wrong is None, "wrong": wrong, "proven": proven}))
    raise typer.Exit(0 if wrong is None else 1)


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise Refusal(f"{out} is there already; choose another name")
    if not out.parent.is_dir():
        raise Refusal(f"there is no folder {out.parent}")


@contextmanager
def _new(out: Path) -> Iterator[IO[bytes]]:
    """A file that has its name once it is whole, readable by its owner alone.

    It is made before anything is exported: what is exported retires keys.
    """
    _must_be_new(out)
    try:
        part = NamedTemporaryFile(  # noqa: SIM115 - closed below
            dir=out.parent, prefix=f".{out.name}.", delete=False
        )
    except OSError as error:
        raise Refusal(f"no file can be made in {out.parent}") from error
    with part:
        try:
            yield part
            part.flush()
            os.fsync(part.fileno())
            _must_be_new(out)
            Path(part.name).rename(out)
        finally:
            with suppress(FileNotFoundError):
                Path(part.name).unlink()

"""How is one client's whole record taken along, and checked elsewhere, from the command line?"""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from deploy import verify_bundle
from deploy.database import ready_database
from deploy.refusal import Refusal
from deploy.settings import load_settings

exports = typer.Typer(help="Take something along.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(exports, name="export")
    app.command("verify-bundle")(verify_a_bundle)


@exports.command("client")
def export_client(
    client: Annotated[UUID, typer.Argument(help="The client's id.")],
    practice: Annotated[str, typer.Option("--practice", help="The practice's slug.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write; it must not exist.")],
    as_of: Annotated[
        str, typer.Option(help="The moment the chart is of: 2026-03-02T12:00, or a day.")
    ] = "",
) -> None:
    """Write all that is known of a client, with its proof: see `verify-bundle`.

    It holds the client's texts and the keys that open them: keep it safe.
    """
    # Late, as other commands need no web framework.
    from deploy.taking import take  # noqa: PLC0415

    _must_be_new(out)
    with ready_database(load_settings()) as ready:
        with Console(stderr=True).status("Gathering entries, counting, proving, printing …"):
            bundle, key = take(ready, practice, client, as_of)
        _write(out, bundle)
    typer.echo(f"{out}: {len(bundle):,} bytes")
    typer.echo(f"Check it with: palimpsest verify-bundle {out} --key '{key}'")


def verify_a_bundle(
    file: Path,
    key: Annotated[
        str, typer.Option("--key", metavar="PUB", help="The practice's vkey, or a file of vkeys.")
    ],
) -> None:
    """Check an evidence bundle offline, as deploy/verify_bundle.py does by itself elsewhere."""
    verify_bundle.main([str(file), "--key", key])


def _must_be_new(out: Path) -> None:
    if out.exists():
        raise Refusal(f"{out} is there already; choose another name")
    if not out.parent.is_dir():
        raise Refusal(f"there is no folder {out.parent}")


def _write(out: Path, content: bytes) -> None:
    """The whole file under its name, or none; readable by its owner alone."""
    with NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
            _must_be_new(out)
            Path(part.name).rename(out)
        finally:
            with suppress(FileNotFoundError):
                Path(part.name).unlink()

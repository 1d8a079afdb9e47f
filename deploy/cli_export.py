"""How is one client's whole record taken along, and checked elsewhere, from the command line?"""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import typer
from rich.console import Console

from deploy import verify_bundle
from deploy.database import Database as Ready
from deploy.database import ready_database
from deploy.founding import practice_named
from deploy.refusal import Refusal
from deploy.settings import load_settings
from domain.kernel.clock import SystemClock
from domain.kernel.errors import DomainError
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, CommandId
from record.ids import SYSTEM, new_id

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


def take(ready: Ready, slug: str, client_id: UUID, as_of: str = "") -> tuple[bytes, str]:
    """The bundle of a client, and the public key it is checked with. Refuses what it cannot."""
    # Late, as other commands need no web framework.
    from api.evidence import Taking, evidence_bundle  # noqa: PLC0415
    from api.problems import problem_of  # noqa: PLC0415
    from api.web.times import PracticeTime  # noqa: PLC0415
    from deploy.wiring import open_parts  # noqa: PLC0415

    with (
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
        open_parts(ready.app_url, ready.kms, pool_size=4) as parts,
    ):
        practice_id = practice_named(admin, slug)
        ((name, zone),) = admin.execute(
            "SELECT name, zone FROM record.practice WHERE practice_id = %s", (practice_id,)
        ).fetchall()
        now = SystemClock().now()
        context = Context(
            practice_id=practice_id,
            actor_id=ActorId(SYSTEM),
            role="system",
            at=now,
            command_id=CommandId(new_id()),
            correlation_id=new_id(),
            purpose="audit",
        )
        taking = Taking(
            platform=parts.platform,
            context=context,
            practice=str(name),
            zone=ZoneInfo(str(zone)),
            by="the operator of the system",
            origin="palimpsest export",
        )
        try:
            moment: datetime | None = None
            if as_of:
                moment = PracticeTime(taking.zone).ended(as_of, now)
            bundle = evidence_bundle(taking, client_id, moment)
        except DomainError as error:
            raise Refusal(problem_of(error).detail) from error
        return bundle, str(parts.platform.exports.verify_key(practice_id))


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

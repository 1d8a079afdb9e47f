"""How are practices, members and bearer tokens made from the command line?"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import psycopg
import typer

from api.security.identity import Identity
from deploy.database import Database as Ready
from deploy.database import ready_database
from deploy.founding import Admin, NewMember, add_member, found, member_with_role, practice_named
from deploy.settings import load_settings
from domain.kernel.clock import SystemClock
from domain.kernel.ids import ActorId
from record.database import Database
from record.provision import NewPractice

Slug = Annotated[str, typer.Option("--practice", help="The practice's slug, such as demo.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]

practices = typer.Typer(help="Practices.", no_args_is_help=True)
users = typer.Typer(help="People who may sign in.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(practices, name="practice")
    app.add_typer(users, name="user")
    app.command()(token)


@practices.command("create")
def create_a_practice(slug: str, name: str, zone: str = "America/New_York") -> None:
    """Create a practice; ZONE is an IANA time zone. Creating it twice is one practice."""
    new = NewPractice(slug=slug, name=name, zone=zone)
    with _admin() as (ready, admin):
        typer.echo(found(admin, ready.kms, new))


@practices.command("list")
def list_practices(*, as_json: Json = False) -> None:
    """List the practices: slug, id, name, zone."""
    with _admin() as (_, admin):
        rows = admin.execute(
            "SELECT slug, practice_id::text, name, zone FROM record.practice ORDER BY slug"
        ).fetchall()
    if as_json:
        names = ("slug", "id", "name", "zone")
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
    for row in [] if as_json else rows:
        typer.echo("\t".join(map(str, row)))


@users.command("create")
def create_a_user(
    email: str, name: str, role: str, practice: Slug = "demo", password: str | None = None
) -> None:
    """Add somebody who may sign in. Without --password one is made and printed."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    new = NewMember(email=email, name=name, role=role)
    with _admin() as (_, admin):
        add_member(admin, practice_named(admin, practice), new, chosen)
    typer.echo(f"{new.email}  {chosen}")


def token(
    role: Annotated[str, typer.Option(help="owner, clinician, front_desk or auditor.")],
    practice: Slug = "demo",
    hours: Annotated[int, typer.Option(min=1, max=24 * 365)] = 12,
) -> None:
    """Make a bearer token for the practice's first member with a role, and print it."""
    with _admin() as (ready, admin), Database(ready.app_url, size=2) as database:
        practice_id = practice_named(admin, practice)
        member_id = ActorId(member_with_role(admin, practice_id, role))
        identity = Identity(database, idle=timedelta(0))
        lasts = timedelta(hours=hours)
        now = SystemClock().now()
        typer.echo(identity.begin(practice_id, member_id, "token", at=now, lasts=lasts))


@contextmanager
def _admin() -> Iterator[tuple[Ready, Admin]]:
    with (
        ready_database(load_settings()) as ready,
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
    ):
        yield ready, admin

"""How are a client's texts erased, and kept from being erased, from the command line?"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import psycopg
import typer

from api.platform import Platform
from api.security.identity import Member
from deploy.database import ready_database
from deploy.erasing import Erasing, context_of, records_of
from deploy.erasing_wish import Step, Wish, compliance_of
from deploy.erasing_words import ASKED_YOURSELF, told, who_is_it, why_not
from deploy.founding import practice_named
from deploy.proof import ask_password, prove
from deploy.refusal import Refusal
from deploy.settings import load_settings
from domain.compliance.aggregate import COMPLIANCE, stream_of
from domain.compliance.commands import PlaceHold, ReleaseHold
from domain.compliance.refusals import SecondPersonNeeded
from domain.compliance.state import Hold
from domain.kernel.errors import DomainError
from domain.kernel.events import Category
from domain.kernel.ids import ClientId
from domain.kernel.permissions import Permission
from projections.all import all_projections
from record.ids import new_id
from record.practice import Practice
from record.rewriting import TableInUse

Client = Annotated[UUID, typer.Argument(help="The client's id.")]
Slug = Annotated[str, typer.Option("--practice", help="The practice's slug, such as demo.")]
Reason = Annotated[str, typer.Option(help="Why; it stays in the record.")]
By = Annotated[str, typer.Option("--by", help="Your e-mail address; your password is asked for.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="Read the password from here; - is standard input.")
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]

shreds = typer.Typer(help="Erase what the law lets a client have erased.", no_args_is_help=True)
holds = typer.Typer(help="Keep a client's record from being erased.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(shreds, name="shred")
    app.add_typer(holds, name="hold")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody who has proved who she is acts."""

    platform: Platform
    practice: Practice
    member: Member
    at: datetime
    erasing: Erasing


@shreds.command("client")
def shred_client(  # noqa: PLR0913 - each is an option of the command
    client: Client,
    practice: Slug,
    category: Annotated[Category, typer.Option(help="Which of the client's texts.")],
    reason: Reason,
    by: By,
    *,
    basis: Annotated[str, typer.Option(help="What allows it.")] = "the client's request",
    agree: Annotated[bool, typer.Option("--agree", help="To what another has asked for.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take a request back.")] = False,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Destroy the keys of one category of a client's texts. Two people are needed.

    One requests it. Another runs this, is told who asked, when and why, and runs it with --agree:
    then it is carried out. A request that nobody agrees to lapses, or is withdrawn.
    """
    if agree and withdraw:
        raise Refusal("--agree, --withdraw: one or the other")
    step: Step = "agree" if agree else "withdraw" if withdraw else "request"
    wish = Wish(ClientId(client), category, reason, basis, step)
    with _desk(practice, by, password_file, Permission.KEY_SHRED) as desk:
        try:
            done = desk.erasing.erase(wish, desk.member, desk.at)
        except DomainError as error:
            names = desk.platform.identity.names(desk.practice.practice_id)
            state = compliance_of(desk.practice.stream(stream_of(wish.client_id)))
            raise Refusal(why_not(error, wish, state, names, desk.member.zone)) from error
        except TableInUse as error:
            raise Refusal(
                "agreed to and not finished: a table is being rebuilt, or was in use all the time, "
                "and could not be written anew; run this again to finish"
            ) from error
    if as_json:
        what = {"category": category.value, "status": done.status, "keys": done.keys}
        records = [str(one) for one in done.records]
        counts = {"drafts": done.drafts, "moved_in": done.moved_in}
        typer.echo(json.dumps({"records": records, **what, **counts}))
    else:
        typer.echo(told(done, category))


@holds.command("client")
def hold_client(
    client: Client,
    practice: Slug,
    reason: Reason,
    by: By,
    *,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Place a legal hold: nothing of this client's is erased until two people release it."""
    with _desk(practice, by, password_file, Permission.RETENTION_HOLD) as desk:
        hold_id, client_id = new_id(), ClientId(client)
        try:
            records_of(desk.practice, client_id)
        except DomainError as error:
            raise Refusal(who_is_it(error)) from error
        place = PlaceHold(
            by=desk.member.member_id,
            at=desk.at,
            client_id=client_id,
            hold_id=hold_id,
            reason=reason,
        )
        context = context_of(desk.member, desk.at)
        desk.practice.handle(COMPLIANCE, stream_of(client_id), place, context)
    shown = {"hold": str(hold_id), "status": "placed"}
    typer.echo(json.dumps(shown) if as_json else f"placed: hold {hold_id}")


@holds.command("release")
def release_hold(
    client: Client,
    practice: Slug,
    reason: Reason,
    by: By,
    *,
    hold: Annotated[UUID | None, typer.Option(help="Which, where there are several.")] = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Release a legal hold. Two people are needed: the first requests, the second agrees."""
    with _desk(practice, by, password_file, Permission.RETENTION_HOLD) as desk:
        stream = stream_of(ClientId(client))
        hold_id = _the_hold(compliance_of(desk.practice.stream(stream)).holds, hold)
        release = ReleaseHold(by=desk.member.member_id, at=desk.at, hold_id=hold_id, reason=reason)
        try:
            desk.practice.handle(COMPLIANCE, stream, release, context_of(desk.member, desk.at))
        except SecondPersonNeeded as error:
            raise Refusal(ASKED_YOURSELF) from error
        left = compliance_of(desk.practice.stream(stream)).holds
    status = "requested" if any(one.hold_id == hold_id for one in left) else "released"
    words = {
        "requested": f"release of hold {hold_id} requested; another person must run this to agree",
        "released": f"released: hold {hold_id}",
    }
    typer.echo(json.dumps({"hold": str(hold_id), "status": status}) if as_json else words[status])


@contextmanager
def _desk(slug: str, email: str, password_file: Path | None, wanted: Permission) -> Iterator[Desk]:
    # Late, as other commands need no web framework.
    from deploy.wiring import open_parts  # noqa: PLC0415

    password = ask_password(email, password_file)
    with (
        ready_database(load_settings()) as ready,
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
        open_parts(ready.app_url, ready.kms, pool_size=4) as parts,
    ):
        platform, practice_id = parts.platform, practice_named(admin, slug)
        member = prove(platform, practice_id, email, password, wanted)
        practice = platform.practices[practice_id]
        # Which day it is decides what must be kept: the practice's own day.
        at = platform.clock.now().astimezone(member.zone)
        projections = all_projections(parts.keys, platform.practices)
        yield Desk(platform, practice, member, at, Erasing(admin, practice, projections))
        # So that nothing waits for a server to run.
        parts.projector.run_until_caught_up()


def _the_hold(found: tuple[Hold, ...], wanted: UUID | None) -> UUID:
    known = {one.hold_id: one.reason for one in found}
    if wanted is None and len(known) == 1:
        return next(iter(known))
    if wanted is None or wanted not in known:
        listed = "; ".join(f"{hold_id} ({reason})" for hold_id, reason in known.items())
        raise Refusal(
            f"--hold: name one of those on this record: {listed}"
            if known
            else "there is no hold on this record"
        )
    return wanted

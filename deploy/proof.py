"""Who is at the command line? Somebody who proves it with her password, as at the sign-in page."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import typer

from api.platform import Platform
from api.security.identity import Member
from deploy.refusal import Refusal
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, CommandId, PracticeId
from domain.kernel.permissions import Permission
from record.ids import SYSTEM, new_id

STDIN: Final = Path("-")
LASTS: Final = timedelta(minutes=1)


def ask_password(email: str, file: Path | None) -> str:
    """The first line of a file, or of standard input where that is `-`; else a hidden prompt."""
    if file is None:
        return str(typer.prompt(f"Password of {email}", hide_input=True, err=True))
    text = sys.stdin.read() if file == STDIN else file.read_text(encoding="utf-8")
    return text.partition("\n")[0].rstrip("\r")


def prove(
    platform: Platform, practice_id: PracticeId, email: str, password: str, wanted: Permission
) -> Member:
    """The member with this address and password, if her role allows it; or refuse.

    A refusal is entered in the access log.
    """
    at = platform.clock.now()
    for practice, member_id in platform.identity.who_has(email, password):
        if practice == practice_id:
            secret = platform.identity.begin(practice, member_id, "token", at=at, lasts=LASTS)
            try:
                member = platform.identity.member(secret, at=at)
            finally:
                platform.identity.end(secret, at=at)
            if member.may(wanted):
                return member
            _note(platform, practice_id, member_id, member.role, wanted)
            raise Refusal(f"{email}: the role {member.role_title} does not allow {wanted.value}")
    _note(platform, practice_id, ActorId(SYSTEM), "nobody", wanted)
    raise Refusal(f"{email}: there is nobody here with this address and password")


def _note(
    platform: Platform, practice_id: PracticeId, actor: ActorId, role: str, wanted: Permission
) -> None:
    request = new_id()
    context = Context(
        practice_id=practice_id,
        actor_id=actor,
        role=role,
        at=platform.clock.now(),
        command_id=CommandId(request),
        correlation_id=request,
        purpose="operations",
    )
    platform.accesses.note(context, "write", wanted.value, outcome="denied", origin="command line")

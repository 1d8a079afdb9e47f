"""In which words is it told that texts were erased, or why they were not?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from deploy.erasing import Outcome
from deploy.erasing_wish import Wish
from domain.client.aggregate import ClientMerged, ClientUnknown
from domain.compliance.refusals import (
    AlreadyErased,
    ErasureAlreadyAgreed,
    ErasureAlreadyRequested,
    ErasureNotRequested,
    NotErasable,
    SecondPersonNeeded,
    UnderLegalHold,
    UnderRetention,
)
from domain.compliance.state import Compliance
from domain.kernel.errors import DomainError
from domain.kernel.events import Category

ASKED_YOURSELF: Final = "you have asked for this yourself: another person must agree"


def told(done: Outcome, category: Category) -> str:
    """What became of it."""
    match done.status:
        case "requested":
            return (
                f"requested: {category.value} of this client; "
                "another person must run this with --agree"
            )
        case "withdrawn":
            return f"withdrawn: the request to erase {category.value} of this client"
        case "carried_out":
            said = (
                f"carried out: {category.value} of this client can never be read again; "
                f"{done.keys} keys destroyed, {done.drafts} drafts deleted"
            )
            if done.moved_in and category == Category.CLINICAL:
                said += (
                    f"\n{done.moved_in} of the notes were first written on another client's chart; "
                    "as a part of that record their wording stays there"
                )
            return said


def why_not(
    error: DomainError, wish: Wish, state: Compliance, names: Mapping[UUID, str], zone: ZoneInfo
) -> str:
    """Why it is refused: until when, or by whom it was asked for or done already."""
    of = f"{wish.category.value} of this client"
    match error:
        case UnderRetention(details=seen):
            why = (
                f"{wish.category.value} records of this client are kept until {seen['kept_until']}:"
                f" the last visit was on {seen['last_encounter_on']}; policy {seen['policy']}"
            )
        case UnderLegalHold():
            reasons = "; ".join(one.reason for one in state.holds)
            why = (
                f"a legal hold lies on this record ({reasons}); "
                "two people may end it: palimpsest hold release"
            )
        case ErasureAlreadyRequested(
            details={"requested_by": UUID() as by, "requested_at": datetime() as at}
        ):
            asked = state.erasure(wish.category)
            cause = f": {asked.reason} ({asked.legal_basis})" if asked else ""
            why = (
                f"{names.get(by, by)} asked on {_on(at, zone)} to erase {of}{cause}. If you agree, "
                "run this with --agree, and nobody can read it ever again; if not, with --withdraw"
            )
        case AlreadyErased(
            details={
                "erased_at": datetime() as at,
                "requested_by": UUID() as by,
                "agreed_by": UUID() as second,
            }
        ):
            why = (
                f"{of} was erased on {_on(at, zone)}: {names.get(by, by)} asked for it, "
                f"{names.get(second, second)} agreed; nothing was written since"
            )
        case ErasureNotRequested(details={"lapsed_at": datetime() as at}):
            why = f"the request to erase {of} lapsed on {_on(at, zone)}: ask for it anew"
        case ErasureNotRequested():
            why = f"nobody has asked to erase {of}: run this without --agree or --withdraw to ask"
        case ErasureAlreadyAgreed():
            why = f"it is agreed to erase {of}: too late to withdraw"
        case NotErasable():
            why = "--category: what the practice did and who read the record cannot be erased"
        case SecondPersonNeeded():
            why = ASKED_YOURSELF
        case _:
            why = who_is_it(error)
    return why


def who_is_it(error: DomainError) -> str:
    """Why a client is not the one to name."""
    match error:
        case ClientMerged(details=seen):
            return f"this record was merged into {seen['merged_into']}: name that one"
        case ClientUnknown():
            return "there is no such client in this practice"
        case _:
            return f"refused: {error.code}"


def _on(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d at %H:%M}"

"""What does somebody ask of which of a client's records, who wants a category of texts erased?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.client.events import ClientRegistered, ContactDetailsChanged
from domain.compliance.aggregate import COMPLIANCE, stream_of
from domain.compliance.commands import AgreeToErase, Erase, WithdrawErasure
from domain.compliance.policy import Facts, RetentionPolicy
from domain.compliance.state import Compliance
from domain.kernel.events import Act, Category, Command, Recorded
from domain.kernel.ids import ActorId, ClientId
from record.envelope import Shredded

Step = Literal["request", "agree", "withdraw"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants erased, and why."""

    client_id: ClientId
    category: Category
    reason: str
    legal_basis: str
    step: Step = "request"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the decision has to see of the client's records."""

    policy: RetentionPolicy
    facts: Facts
    streams: Mapping[UUID, Sequence[Recorded]]
    readable: Mapping[UUID, int]
    """How many texts of the category can still be read, by record."""


def acts_of(
    wish: Wish, by: ActorId, at: datetime, records: Sequence[ClientId], seen: Seen
) -> list[Act]:
    """The step, for each of the records that it can be taken for; else for the client's own.

    So a record that was merged into hers since does not stand in the way of what was asked for
    before, and can be asked for by itself.
    """
    found = {one: compliance_of(seen.streams[stream_of(one)]) for one in records}
    erasures = {one: state.erasure(wish.category) for one, state in found.items()}
    under_way = [
        one
        for one, erasure in erasures.items()
        if erasure is not None and not erasure.has_lapsed(seen.policy, at)
    ]
    chosen = under_way
    if wish.step == "request":
        chosen = [one for one in records if seen.readable[one] and one not in under_way]
    return [
        Act(COMPLIANCE, stream_of(one), _command(wish, by, at, one, seen))
        for one in chosen or under_way or records[:1]
    ]


def _command(wish: Wish, by: ActorId, at: datetime, record: ClientId, seen: Seen) -> Command:
    asked = {"by": by, "at": at, "of_category": wish.category, "reason": wish.reason}
    told: dict[str, Any] = asked | {
        "client_id": record,
        "policy": seen.policy,
        "facts": seen.facts,
    }
    match wish.step:
        case "request":
            left = seen.readable[record]
            return Erase(**told, legal_basis=wish.legal_basis, readable=left)
        case "agree":
            return AgreeToErase(**told)
        case "withdraw":
            return WithdrawErasure.model_validate(asked)


def facts_of(events: Iterable[Recorded], zone: ZoneInfo) -> Facts:
    """What the record says that bears on retention: from the headers, where texts are gone."""
    encounters, births = [], dict[UUID, Any]()
    position = 0
    for recorded in events:
        event, kind = recorded.event, kind_of(recorded)
        position = recorded.position
        if kind.startswith("note."):
            encounters.append(recorded.occurred_at.astimezone(zone).date())
        if isinstance(event, ClientRegistered | ContactDetailsChanged):
            births[event.client_id] = event.details.birth_date
        elif kind == ClientRegistered.type and recorded.subject is not None:
            births[recorded.subject] = recorded.recorded_at.astimezone(zone).date()
    return Facts(
        last_encounter_on=max(encounters, default=None),
        born_on=max(births.values()),
        position=position,
    )


def kind_of(recorded: Recorded) -> str:
    """The stored name of an event, of one that cannot be read any more, too."""
    event = recorded.event
    return event.stored_type if isinstance(event, Shredded) else event.type


def compliance_of(history: Iterable[Recorded]) -> Compliance:
    """What is held and being erased, as the rules see it."""
    return COMPLIANCE.fold([recorded.event for recorded in history])

"""What may be erased of a client, and when: not under a hold, not too early, not by one alone."""

from typing import TypeVar
from uuid import UUID

from domain.compliance.commands import (
    AgreeToErase,
    ComplianceCommand,
    Erase,
    PlaceHold,
    RecordErasure,
    ReleaseHold,
    WithdrawErasure,
)
from domain.compliance.events import (
    ComplianceEvent,
    ErasureAgreed,
    ErasureCarriedOut,
    ErasureRequested,
    ErasureWithdrawn,
    HoldReleaseRequested,
    LegalHoldPlaced,
    LegalHoldReleased,
    RetentionSeen,
)
from domain.compliance.policy import kept_until, lapses_at
from domain.compliance.refusals import (
    AlreadyErased,
    ErasureAlreadyAgreed,
    ErasureAlreadyRequested,
    ErasureNotAgreed,
    ErasureNotRequested,
    LegalHoldUnknown,
    NotErasable,
    SecondPersonNeeded,
    UnderLegalHold,
    UnderRetention,
)
from domain.compliance.state import Compliance, Erased, Erasure, Hold
from domain.kernel.events import Category, Decider
from domain.kernel.ids import ClientId, derived

T = TypeVar("T", Erasure, Erased)


def stream_of(client_id: ClientId) -> UUID:
    """The one stream about what is held and erased of a client."""
    return derived(client_id, "compliance")


def decide(state: Compliance, command: ComplianceCommand) -> tuple[ComplianceEvent, ...]:
    """Permits or refuses. Raises what is in `refusals`."""
    match command:
        case PlaceHold():
            return _place(state, command)
        case ReleaseHold():
            return (_release(state, command),)
        case Erase():
            return _erase(state, command)
        case AgreeToErase():
            return _agree(state, command)
        case WithdrawErasure():
            return (_withdraw(state, command),)
        case RecordErasure():
            return (_carried_out(state, command),)


def _place(state: Compliance, command: PlaceHold) -> tuple[ComplianceEvent, ...]:
    if any(hold.hold_id == command.hold_id for hold in state.holds):
        return ()
    return (
        LegalHoldPlaced(
            client_id=command.client_id,
            occurred_at=command.at,
            hold_id=command.hold_id,
            reason=command.reason,
            placed_by=command.by,
        ),
    )


def _release(state: Compliance, command: ReleaseHold) -> ComplianceEvent:
    hold = next((one for one in state.holds if one.hold_id == command.hold_id), None)
    if hold is None or state.client_id is None:
        raise LegalHoldUnknown
    if hold.release_requested_by is None:
        return HoldReleaseRequested(
            client_id=state.client_id,
            occurred_at=command.at,
            hold_id=hold.hold_id,
            reason=command.reason,
            requested_by=command.by,
        )
    if hold.release_requested_by == command.by:
        raise SecondPersonNeeded
    return LegalHoldReleased(
        client_id=state.client_id,
        occurred_at=command.at,
        hold_id=hold.hold_id,
        reason=command.reason,
        requested_by=hold.release_requested_by,
        agreed_by=command.by,
    )


def _erase(state: Compliance, command: Erase) -> tuple[ComplianceEvent, ...]:
    seen = _allowed(state, command)
    erasure = state.erasure(command.of_category)
    if erasure is not None and erasure.agreed_by is not None:
        return ()  # decided before; what remains is to carry it out
    if erasure is not None and not erasure.has_lapsed(command.policy, command.at):
        if erasure.requested_by == command.by:
            raise SecondPersonNeeded
        raise ErasureAlreadyRequested(
            requested_by=erasure.requested_by, requested_at=erasure.requested_at
        )
    before = state.last_erased(command.of_category)
    if before is not None and command.readable == 0:
        raise AlreadyErased(
            erased_at=before.at, requested_by=before.requested_by, agreed_by=before.agreed_by
        )
    return (
        ErasureRequested(
            client_id=command.client_id,
            occurred_at=command.at,
            of_category=command.of_category,
            reason=command.reason,
            legal_basis=command.legal_basis,
            requested_by=command.by,
            retention=seen,
        ),
    )


def _agree(state: Compliance, command: AgreeToErase) -> tuple[ComplianceEvent, ...]:
    seen = _allowed(state, command)
    erasure = state.erasure(command.of_category)
    if erasure is None:
        raise ErasureNotRequested
    if erasure.agreed_by is not None:
        return ()  # decided before; what remains is to carry it out
    if erasure.has_lapsed(command.policy, command.at):
        raise ErasureNotRequested(lapsed_at=lapses_at(command.policy, erasure.requested_at))
    if erasure.requested_by == command.by:
        raise SecondPersonNeeded
    return (
        ErasureAgreed(
            client_id=command.client_id,
            occurred_at=command.at,
            of_category=command.of_category,
            reason=command.reason,
            requested_by=erasure.requested_by,
            agreed_by=command.by,
            retention=seen,
        ),
    )


def _withdraw(state: Compliance, command: WithdrawErasure) -> ComplianceEvent:
    erasure = state.erasure(command.of_category)
    if erasure is None or state.client_id is None:
        raise ErasureNotRequested
    if erasure.agreed_by is not None:
        raise ErasureAlreadyAgreed
    return ErasureWithdrawn(
        client_id=state.client_id,
        occurred_at=command.at,
        of_category=command.of_category,
        reason=command.reason,
        requested_by=erasure.requested_by,
        withdrawn_by=command.by,
    )


def _allowed(state: Compliance, command: Erase | AgreeToErase) -> RetentionSeen:
    """What the decision saw. Raises `NotErasable`, `UnderLegalHold`, `UnderRetention`."""
    if command.of_category == Category.BUSINESS:
        raise NotErasable
    if state.holds:
        raise UnderLegalHold(holds=[hold.hold_id for hold in state.holds])
    until = kept_until(command.policy, command.of_category, command.facts)
    if until is not None and command.at.date() <= until:
        raise UnderRetention(
            kept_until=until,
            last_encounter_on=command.facts.last_encounter_on,
            policy=command.policy.rule,
        )
    return RetentionSeen(
        rule=command.policy.rule,
        last_encounter_on=command.facts.last_encounter_on,
        position=command.facts.position,
    )


def _carried_out(state: Compliance, command: RecordErasure) -> ErasureCarriedOut:
    erasure = state.erasure(command.of_category)
    if erasure is None or erasure.agreed_by is None or state.client_id is None:
        raise ErasureNotAgreed
    return ErasureCarriedOut(
        client_id=state.client_id,
        occurred_at=command.at,
        of_category=erasure.of_category,
        reason=erasure.reason,
        legal_basis=erasure.legal_basis,
        requested_by=erasure.requested_by,
        agreed_by=erasure.agreed_by,
        keys=command.keys,
        drafts=command.drafts,
    )


def evolve(state: Compliance, event: ComplianceEvent) -> Compliance:
    """Assigns; never refuses."""
    now: dict[str, object] = {"client_id": event.client_id}
    match event:
        case LegalHoldPlaced():
            hold = Hold(hold_id=event.hold_id, reason=event.reason)
            now["holds"] = (*state.holds, hold)
        case HoldReleaseRequested():
            asked = {"release_requested_by": event.requested_by}
            now["holds"] = tuple(
                one.model_copy(update=asked) if one.hold_id == event.hold_id else one
                for one in state.holds
            )
        case LegalHoldReleased():
            now["holds"] = tuple(one for one in state.holds if one.hold_id != event.hold_id)
        case ErasureRequested():
            asked_for = Erasure(
                of_category=event.of_category,
                reason=event.reason,
                legal_basis=event.legal_basis,
                requested_by=event.requested_by,
                requested_at=event.occurred_at,
            )
            now["erasures"] = (*_others(state.erasures, event.of_category), asked_for)
        case ErasureWithdrawn():
            now["erasures"] = _others(state.erasures, event.of_category)
        case ErasureAgreed():
            now["erasures"] = tuple(
                one.model_copy(update={"agreed_by": event.agreed_by})
                if one.of_category == event.of_category
                else one
                for one in state.erasures
            )
        case ErasureCarriedOut():
            done = Erased(
                of_category=event.of_category,
                at=event.occurred_at,
                requested_by=event.requested_by,
                agreed_by=event.agreed_by,
            )
            now["erasures"] = _others(state.erasures, event.of_category)
            now["erased"] = (*_others(state.erased, event.of_category), done)
    return state.model_copy(update=now)


def _others(found: tuple[T, ...], category: Category) -> tuple[T, ...]:
    return tuple(one for one in found if one.of_category != category)


COMPLIANCE = Decider(name="compliance", initial=Compliance(), decide=decide, evolve=evolve)

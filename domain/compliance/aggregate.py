"""What may be erased of a client, and when: not under a hold, not too early, not by one alone."""

from uuid import UUID

from domain.compliance.commands import (
    ComplianceCommand,
    Erase,
    PlaceHold,
    RecordErasure,
    ReleaseHold,
)
from domain.compliance.events import (
    ComplianceEvent,
    ErasureAgreed,
    ErasureCarriedOut,
    ErasureRequested,
    HoldReleaseRequested,
    LegalHoldPlaced,
    LegalHoldReleased,
    RetentionSeen,
)
from domain.compliance.policy import kept_until
from domain.kernel.errors import Conflict, Forbidden, Invalid
from domain.kernel.events import Category, Decider, Frozen
from domain.kernel.ids import ActorId, ClientId, derived


class SecondPersonNeeded(Forbidden):
    """She has asked for it herself: another person must agree."""

    code = "second_person_needed"


class UnderLegalHold(Conflict):
    """Nothing may be erased while a hold lies on the record; `holds` names them."""

    code = "under_legal_hold"


class UnderRetention(Conflict):
    """It must be kept until the end of `kept_until`, by the policy named."""

    code = "under_retention"


class LegalHoldUnknown(Conflict):
    """No such hold lies on this record."""

    code = "legal_hold_unknown"


class ErasureNotAgreed(Conflict):
    """Nobody has agreed to this erasure."""

    code = "erasure_not_agreed"


class NotErasable(Invalid):
    """What the practice did for the client, and who read her record, is not hers to erase."""

    code = "not_erasable"
    field = "of_category"


class Hold(Frozen):
    """A hold in force."""

    hold_id: UUID
    reason: str
    release_requested_by: ActorId | None = None


class Erasure(Frozen):
    """An erasure that is not carried out yet."""

    of_category: Category
    reason: str
    legal_basis: str
    requested_by: ActorId
    agreed_by: ActorId | None = None


class Compliance(Frozen):
    """Only what `decide` needs."""

    client_id: ClientId | None = None
    holds: tuple[Hold, ...] = ()
    erasures: tuple[Erasure, ...] = ()

    def erasure(self, category: Category) -> Erasure | None:
        """The one under way in a category."""
        return next((one for one in self.erasures if one.of_category == category), None)


def stream_of(client_id: ClientId) -> UUID:
    """The one stream about what is held and erased of a client."""
    return derived(client_id, "compliance")


def decide(state: Compliance, command: ComplianceCommand) -> tuple[ComplianceEvent, ...]:
    """Permits or refuses. Raises the errors above."""
    match command:
        case PlaceHold():
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
        case ReleaseHold():
            return (_release(state, command),)
        case Erase():
            return _erase(state, command)
        case RecordErasure():
            return (_carried_out(state, command),)


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
    if erasure is None:
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
    if erasure.agreed_by is not None:
        return ()  # decided before; what remains is to carry it out
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


def _allowed(state: Compliance, command: Erase) -> RetentionSeen:
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
            )
            now["erasures"] = (*state.erasures, asked_for)
        case ErasureAgreed():
            now["erasures"] = tuple(
                one.model_copy(update={"agreed_by": event.agreed_by})
                if one.of_category == event.of_category
                else one
                for one in state.erasures
            )
        case ErasureCarriedOut():
            now["erasures"] = tuple(
                one for one in state.erasures if one.of_category != event.of_category
            )
    return state.model_copy(update=now)


COMPLIANCE = Decider(name="compliance", initial=Compliance(), decide=decide, evolve=evolve)

"""Facts about holds on a client's record and erasures from it. A released event is never edited.

They are sealed under the client's business key, which is not among those that can be destroyed:
what was erased, by whom and why stays legible when the texts are gone. So they quote none of them,
and no birth date.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from domain.kernel.events import Category, Event, Frozen
from domain.kernel.ids import ActorId, ClientId
from domain.kernel.text import Day, Line, Reason

Count = Annotated[int, Field(strict=True, ge=0)]


class RetentionSeen(Frozen):
    """By which rule, and what it saw, a decision found that nothing has to be kept any longer."""

    rule: Line
    last_encounter_on: Day | None
    position: Count
    """How far the record was read. The birth date that it saw there is not copied: it must be
    possible to erase it, too."""


class ComplianceEvent(Event):
    """A fact about one client's record."""

    category: ClassVar[Category] = Category.BUSINESS
    client_id: ClientId


class LegalHoldPlaced(ComplianceEvent):
    """Nothing may be erased until the hold is released."""

    type: ClassVar[str] = "legal_hold.placed.v1"
    hold_id: UUID
    reason: Reason
    placed_by: ActorId


class HoldReleaseRequested(ComplianceEvent):
    """Somebody wants the hold to end; it takes a second person."""

    type: ClassVar[str] = "legal_hold.release_requested.v1"
    hold_id: UUID
    reason: Reason
    requested_by: ActorId


class LegalHoldReleased(ComplianceEvent):
    """A second person agreed: the hold has ended."""

    type: ClassVar[str] = "legal_hold.released.v1"
    hold_id: UUID
    reason: Reason
    """Why she agreed."""
    requested_by: ActorId
    agreed_by: ActorId


class ErasureRequested(ComplianceEvent):
    """Somebody wants one category of the client's texts destroyed; it takes a second person."""

    type: ClassVar[str] = "erasure.requested.v1"
    of_category: Category
    reason: Reason
    legal_basis: Line
    requested_by: ActorId
    retention: RetentionSeen


class ErasureWithdrawn(ComplianceEvent):
    """The request was taken back or turned down before anybody agreed."""

    type: ClassVar[str] = "erasure.withdrawn.v1"
    of_category: Category
    reason: Reason
    """Why it was."""
    requested_by: ActorId
    withdrawn_by: ActorId


class ErasureAgreed(ComplianceEvent):
    """A second person agreed: decided, and about to be carried out."""

    type: ClassVar[str] = "erasure.agreed.v1"
    of_category: Category
    reason: Reason
    """Why she agreed."""
    requested_by: ActorId
    agreed_by: ActorId
    retention: RetentionSeen


class ErasureCarriedOut(ComplianceEvent):
    """The keys are destroyed: what they sealed can never be read again."""

    type: ClassVar[str] = "erasure.carried_out.v1"
    of_category: Category
    reason: Reason
    legal_basis: Line
    requested_by: ActorId
    agreed_by: ActorId
    keys: Count
    """How many were destroyed."""
    drafts: Count
    """How many unsigned texts were deleted."""

"""What may be asked of holds on a client's record and of erasures from it.

Where two people are needed, the first requests and the second agrees.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.compliance.policy import Facts, RetentionPolicy
from domain.kernel.events import Category, Command
from domain.kernel.ids import ClientId
from domain.kernel.text import Line, Reason

Count = Annotated[int, Field(strict=True, ge=0)]


class PlaceHold(Command):
    """Asks that nothing of the client's be erased."""

    client_id: ClientId
    hold_id: UUID
    reason: Reason


class ReleaseHold(Command):
    """Asks that a hold end, or agrees that it end."""

    hold_id: UUID
    reason: Reason


class Erase(Command):
    """Asks for one category of the client's texts to be destroyed."""

    client_id: ClientId
    of_category: Category
    reason: Reason
    legal_basis: Line
    policy: RetentionPolicy
    facts: Facts
    readable: Count
    """How many texts of the category can still be read."""


class AgreeToErase(Command):
    """Agrees to what another has asked for, having seen who, when and why."""

    client_id: ClientId
    of_category: Category
    reason: Reason
    policy: RetentionPolicy
    facts: Facts


class WithdrawErasure(Command):
    """Takes a request back, or turns it down: whoever may ask for an erasure may do so."""

    of_category: Category
    reason: Reason


class RecordErasure(Command):
    """Says that what was agreed has been carried out."""

    of_category: Category
    keys: Count
    drafts: Count


ComplianceCommand = PlaceHold | ReleaseHold | Erase | AgreeToErase | WithdrawErasure | RecordErasure

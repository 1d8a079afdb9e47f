"""What people send: the bodies of requests and the fields of forms, checked alike."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from domain.kernel.events import Frozen
from domain.kernel.text import Day, Email, Line, Moment, Name, Phone, Prose, Reason, Section


class SearchIn(Frozen):
    """What to look for: a name, phone, e-mail or birth date, or the beginning of one."""

    q: Annotated[Line, Field(max_length=200)]


class DetailsIn(Frozen):
    """The fields to change; what is left out stays."""

    given_name: Name | None = None
    family_name: Name | None = None
    birth_date: Day | None = None
    phone: Phone | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _something(self) -> "DetailsIn":
        if not self.model_fields_set:
            message = "name at least one field"
            raise ValueError(message)
        return self


class MergeIn(Frozen):
    """Which record is the same person, and how that is known."""

    other_client_id: UUID
    reason: Reason


class EvidenceIn(Frozen):
    """Of which moment the readable chart is; left out: of now."""

    as_of: Moment | None = None


class UnmergeIn(Frozen):
    """Which merge to undo (left out: the latest), and why."""

    other_client_id: UUID | None = None
    reason: Reason = "merged in error"


class DeathIn(Frozen):
    """When the client died and how the practice knows."""

    died_on: Day
    source: Reason


class ReasonIn(Frozen):
    """Why."""

    reason: Reason


class SignatureIn(Frozen):
    """`lock` closes the note; `revision` and `seen_position` say what the signer had on screen."""

    lock: bool = Field(default=True, strict=True)
    revision: int | None = Field(default=None, strict=True, ge=0)
    seen_position: int | None = Field(default=None, strict=True, ge=0)


class AddendumIn(Frozen):
    """What is added."""

    text: Prose


class CorrectionIn(Frozen):
    """The sections that change, in their new wording, and why."""

    reason: Reason
    subjective: Section | None = None
    objective: Section | None = None
    assessment: Section | None = None
    plan: Section | None = None


class RetractionIn(Frozen):
    """Why the note should not have been written."""

    reason: Reason


class ReassignmentIn(Frozen):
    """On whose chart the note belongs, and how it came to the wrong one."""

    to_client_id: UUID
    reason: Reason

"""Typed ids: what kind of thing a UUID names."""

from typing import NewType
from uuid import UUID, uuid5

PracticeId = NewType("PracticeId", UUID)
ClientId = NewType("ClientId", UUID)
NoteId = NewType("NoteId", UUID)
ActorId = NewType("ActorId", UUID)
CommandId = NewType("CommandId", UUID)


def derived(parent: UUID, *names: str) -> UUID:
    """The id that follows from its parts, so that asking twice names the same thing."""
    return uuid5(parent, "\x1f".join(names))

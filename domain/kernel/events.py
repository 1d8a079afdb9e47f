"""Facts, commands and deciders: the shapes that every rule in the product is written in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId
from domain.kernel.text import Moment

S = TypeVar("S")


class Frozen(BaseModel):
    """A value: compared by content, never changed, nothing in it undeclared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Category(StrEnum):
    """Which of a client's data keys seals an event, so that each kind can be erased by itself."""

    CLINICAL = "clinical"
    CONTACT = "contact"
    PHOTO = "photo"
    MARKETING = "marketing"
    BUSINESS = "business"
    """The business's own: of a client under a key of hers for it, else under the practice's own."""


REGISTRY: dict[str, type["Event"]] = {}
"""Stored name -> class, filled as the classes are defined."""


class Event(Frozen):
    """A fact, named in the past tense. Its stored `type` never changes.

    `occurred_at` is when it became true in the world; the log adds when it was recorded. An event
    of any category but `business` has a field `client_id`: whose data it is.
    """

    type: ClassVar[str]
    category: ClassVar[Category]
    occurred_at: Moment

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Enters the class into the registry; classes without a `type` are only bases."""
        super().__pydantic_init_subclass__(**kwargs)
        name = cls.__dict__.get("type")
        if name is None:
            return
        if name in REGISTRY:
            raise TypeError(f"two events are called {name}")
        REGISTRY[name] = cls


class Command(Frozen):
    """A request, named in the imperative: what is asked, by whom, and when.

    `at` is written in the practice's own time, since its offset decides which day is today.
    """

    by: ActorId
    at: Moment


class Context(Frozen):
    """Who is asking, for which practice, in which role and for what purpose."""

    practice_id: PracticeId
    actor_id: ActorId
    role: str
    at: Moment
    command_id: CommandId
    correlation_id: UUID
    purpose: str = "treatment"
    on_behalf_of: ActorId | None = None
    location_id: UUID | None = None
    causation_id: UUID | None = None
    digest: bytes = b""
    """Of the whole request: the same command id with another digest is a mistake, not a retry."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in a log: the fact, its place, and the circumstances of its writing."""

    position: int
    stream_id: UUID
    version: int
    event: Event
    subject: ClientId | None
    actor: ActorId
    role: str
    purpose: str
    occurred_at: datetime
    recorded_at: datetime
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Decider(Generic[S]):
    """One aggregate: `decide` permits or refuses, `evolve` only assigns. Neither reads a clock."""

    name: str
    initial: S
    decide: Callable[[S, Any], Sequence[Event]]
    evolve: Callable[[S, Any], S]

    def fold(self, events: Sequence[Event]) -> S:
        """Returns the state after the events, in order."""
        return reduce(self.evolve, events, self.initial)


@dataclass(frozen=True, slots=True)
class Act:
    """One command for one stream; a use case is several acts that succeed or fail together."""

    decider: Decider[Any]
    stream_id: UUID
    command: Command

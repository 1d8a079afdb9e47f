"""What was asked while things broke, and what was answered? The history that a run is judged by.

A client's operation is one command, sent as often as it takes. Each try ends in an answer, in a
refusal, or in not knowing; the operation as a whole is

    acknowledged    some try was answered with a position, which from then on must be true
    refused         every try was refused: nothing may have happened
    unknown         nobody was told: it may have happened, once, or not at all
"""

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from uuid import UUID


@dataclass(slots=True)
class Operation:
    """One command of one client, over all of its tries."""

    practice_id: UUID
    command_id: UUID
    events: int | None = 1
    """How many it appends; none if that is left to the rules. A draft's start appends 0."""
    stream_id: UUID | None = None
    answers: set[int] = field(default_factory=set)
    """The positions that were answered; a second one is a fault."""
    tries: int = 0
    refusals: int = 0

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.answers)

    @property
    def is_refused(self) -> bool:
        """Surely not done: every try was answered, none of them with a yes."""
        return not self.answers and self.tries == self.refusals

    @property
    def is_unknown(self) -> bool:
        return not self.answers and not self.is_refused


@dataclass(frozen=True, slots=True)
class Read:
    """A look at a client that was answered; its entry carries the request's id."""

    practice_id: UUID
    subject: UUID
    request_id: UUID


class History:
    """All that the clients of a run did, from any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.operations: dict[tuple[UUID, UUID], Operation] = {}
        self.reads: list[Read] = []
        self.answered = 0
        """Operations acknowledged so far."""
        self.hits = 0
        """Tries without an answer: how often a fault has met somebody."""
        self.last_answer = 0.0
        """When somebody was last answered, on the monotonic clock."""

    def invoke(
        self,
        practice_id: UUID,
        command_id: UUID,
        *,
        events: int | None = 1,
        stream_id: UUID | None = None,
    ) -> Operation:
        """A command is about to be sent for the first time."""
        made = Operation(practice_id, command_id, events, stream_id)
        with self._lock:
            self.operations[practice_id, command_id] = made
        return made

    def acknowledged(self, operation: Operation, position: int) -> None:
        """A try was answered."""
        with self._lock:
            operation.tries += 1
            self.answered += not operation.answers
            operation.answers.add(position)
            self.last_answer = monotonic()

    def refused(self, operation: Operation) -> None:
        """A try was answered with a no."""
        with self._lock:
            operation.tries += 1
            operation.refusals += 1

    def unanswered(self, operation: Operation) -> None:
        """A try ended without an answer."""
        with self._lock:
            operation.tries += 1
            self.hits += 1

    def read(self, practice_id: UUID, subject: UUID, request_id: UUID) -> None:
        """A read was answered."""
        with self._lock:
            self.reads.append(Read(practice_id, subject, request_id))

    def has(self, count: int) -> bool:
        """Whether so many operations have been acknowledged."""
        return self.answered >= count

    @property
    def unknown(self) -> int:
        """Operations of which nobody was told."""
        return sum(one.is_unknown for one in self.operations.values())

"""The one way into a log: appends go through `record.append`, each with its own outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.kernel.events import Context
from record.database import Database, Row
from record.envelope import SealedEvent
from record.errors import IdempotencyMismatch
from record.ids import SYSTEM

_APPEND: Final = """SELECT * FROM record.append(
    %s::uuid[], %s::text[], %s::uuid[], %s::bytea[], %s::uuid[], %s::uuid[], %s::text[],
    %s::uuid[], %s::text[], %s::uuid[], %s::uuid[],
    %s::int[], %s::uuid[], %s::int[], %s::text[], %s::uuid[], %s::timestamptz[], %s::uuid[],
    %s::bytea[], %s::timestamptz)"""
# The same for one append of one event: the driver takes longer over a list than the server does.
_APPEND_ONE: Final = """SELECT * FROM record.append(
    ARRAY[%s::uuid], ARRAY[%s::text], ARRAY[%s::uuid], ARRAY[%s::bytea], ARRAY[%s::uuid],
    ARRAY[%s::uuid], ARRAY[%s::text], ARRAY[%s::uuid], ARRAY[%s::text], ARRAY[%s::uuid],
    ARRAY[%s::uuid], ARRAY[%s::int], ARRAY[%s::uuid], ARRAY[%s::int], ARRAY[%s::text],
    ARRAY[%s::uuid], ARRAY[%s::timestamptz], ARRAY[%s::uuid], ARRAY[%s::bytea])"""


class VersionConflict(IntegrityError):
    """The stream has moved on: `version` is where it stands."""

    def __init__(self, stream_id: UUID, version: int) -> None:
        super().__init__(stream_id, version)
        self.stream_id = stream_id
        self.version = version


@dataclass(frozen=True, slots=True)
class Append:
    """Events of one practice that go into one log together or not at all."""

    practice_id: UUID
    log: str
    events: Sequence[StoredEvent]
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an append did: its first stream's new version and the positions its events took."""

    outcome: str
    stream_id: UUID
    version: int
    first: int | None
    last: int | None

    def accepted(self) -> "Answer":
        """Returns itself, new or repeated. Raises `VersionConflict`, `IdempotencyMismatch`."""
        if self.outcome == "conflict":
            raise VersionConflict(self.stream_id, self.version)
        if self.outcome == "mismatch":
            raise IdempotencyMismatch
        return self


class Gate:
    """Appends, one call each; concurrent appends will be gathered here into one call per round."""

    def __init__(
        self, database: Database, on_commit: Callable[[UUID, str], None] = lambda *_: None
    ) -> None:
        self._database = database
        self._on_commit = on_commit

    def append(self, append: Append) -> Answer:
        """Appends and returns once it is durable. Raises what `Answer.accepted` raises."""
        one = append.events[0] if len(append.events) == 1 else None
        with self._database.connection() as connection:
            if one is not None:
                values = (*_head(append), *_body(1, one))
                rows = connection.execute(_APPEND_ONE, values, binary=True).fetchall()
            else:
                rows = connection.execute(_APPEND, arrays([append]), binary=True).fetchall()
        answer = answers(rows)[0].accepted()
        if answer.outcome == "accepted":
            self._on_commit(append.practice_id, append.log)
        return answer


def answers(rows: Sequence[Row]) -> list[Answer]:
    """The outcomes, in the order of the appends."""
    return [Answer(*row[1:]) for row in sorted(rows)]


def arrays(appends: Sequence[Append], at_time: datetime | None = None) -> tuple[Any, ...]:
    """The parameters of `record.append` for these appends."""
    heads = [_head(append) for append in appends]
    bodies = [
        _body(number, event)
        for number, append in enumerate(appends, start=1)
        for event in append.events
    ]
    return (
        *(list(column) for column in zip(*heads, strict=True)),
        *(list(column) for column in zip(*bodies, strict=True)),
        at_time,
    )


def _head(append: Append) -> tuple[Any, ...]:
    by = append.context
    if by is None:
        return (append.practice_id, append.log, None, None, SYSTEM, None, "system", None,
                "operations", None, None)  # fmt: skip
    is_command = append.log == "record"
    return (
        append.practice_id,
        append.log,
        by.command_id if is_command else None,
        by.digest if is_command else None,
        by.actor_id,
        by.on_behalf_of,
        by.role,
        by.location_id,
        by.purpose,
        by.correlation_id,
        by.causation_id,
    )


def _body(number: int, event: StoredEvent) -> tuple[Any, ...]:
    if isinstance(event, SealedEvent):
        subject, occurred_at, key_id = event.subject, event.occurred_at, event.key_id
    else:
        subject, occurred_at, key_id = None, None, None
    return (
        number,
        event.originator_id,
        event.originator_version,
        event.topic,
        subject,
        occurred_at,
        key_id,
        event.state,
    )

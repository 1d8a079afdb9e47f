"""The one way into a log: appends go through `record.append`, each with its own outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg import Connection, OperationalError

from domain.kernel.events import Context
from record.database import Database, DatabaseUnavailable, Row
from record.envelope import SealedEvent
from record.errors import IdempotencyMismatch
from record.ids import SYSTEM
from record.rounds import Rounds, Waiter

_APPEND: Final = """SELECT * FROM record.append(
    %b::uuid[], %b::text[], %b::uuid[], %b::bytea[], %b::uuid[], %b::uuid[], %b::text[],
    %b::uuid[], %b::text[], %b::uuid[], %b::uuid[],
    %b::int[], %b::uuid[], %b::int[], %b::text[], %b::uuid[], %b::timestamptz[], %b::uuid[],
    %b::bytea[], %b::timestamptz)"""
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

    @property
    def position(self) -> int:
        """The last position of an append that was accepted, now or before."""
        return cast("int", self.last)

    def accepted(self) -> "Answer":
        """Returns itself, new or repeated. Raises `VersionConflict`, `IdempotencyMismatch`."""
        if self.outcome == "conflict":
            raise VersionConflict(self.stream_id, self.version)
        if self.outcome == "mismatch":
            raise IdempotencyMismatch
        return self


_Waiter = Waiter[Append, Answer]


class Gate:
    """Appends. Those that wait at the same moment go into one call of the gate's function."""

    def __init__(
        self, database: Database, on_commit: Callable[[UUID, str], None] = lambda *_: None
    ) -> None:
        self._database = database
        self._on_commit = on_commit
        self._rounds: Rounds[Append, Answer] = Rounds()

    def append(self, append: Append) -> Answer:
        """Appends and returns once it is durable.

        Raises what `Answer.accepted` raises; `GateBusy` where nothing was done because too many
        wait; `DatabaseUnavailable` where it is not known whether it was done.
        """
        self._database.check_process()
        me = _waiter(append)
        self._rounds.join(me)
        if me.outcome is None:
            self._lead(me)
        if isinstance(me.outcome, Answer):
            return me.outcome.accepted()
        raise me.outcome or DatabaseUnavailable

    @property
    def waiting(self) -> int:
        """How many appends wait for a round to take them."""
        return self._rounds.waiting

    def _lead(self, me: _Waiter) -> None:
        """One round: for everybody who waits, and for me, the first of them."""
        together: Sequence[_Waiter] = ()
        try:
            with self._database.connection() as connection:
                together = self._rounds.take()
                _append_all(connection, together)
        except DatabaseUnavailable as error:
            me.outcome = error
            together = together or self._rounds.take_all()
        finally:
            # The next round is on its way before anybody learns how this one went.
            self._rounds.hand_on(me)
            for one in together:
                if one is not me:
                    one.outcome = one.outcome or DatabaseUnavailable()
                    one.turn.release()
        self._tell(together)

    def _tell(self, together: Sequence[_Waiter]) -> None:
        news = {
            (one.asked.practice_id, one.asked.log)
            for one in together
            if isinstance(one.outcome, Answer) and one.outcome.outcome == "accepted"
        }
        for practice_id, log in news:
            self._on_commit(practice_id, log)


def _waiter(append: Append) -> _Waiter:
    # The gate's function refuses a call in which a stream or a command stands twice.
    keys = {event.originator_id for event in append.events}
    if append.context is not None:
        keys.add(append.context.command_id)
    return Waiter(append, keys, sum(len(event.state) for event in append.events))


def _append_all(connection: Connection[Row], together: Sequence[_Waiter]) -> None:
    """Gives each its own outcome. Raises `OperationalError`: nobody knows then.

    Anything else that the call fails for, such as a practice that does not exist, has undone all of
    it; each half is tried by itself, until only the one who is at fault is left with the error.
    """
    try:
        rows = _call(connection, [one.asked for one in together])
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001  # its caller raises it
        if len(together) == 1:
            together[0].outcome = error
            return
        half = len(together) // 2
        _append_all(connection, together[:half])
        _append_all(connection, together[half:])
    else:
        for one, answer in zip(together, answers(rows), strict=True):
            one.outcome = answer


def _call(connection: Connection[Row], appends: Sequence[Append]) -> list[Row]:
    if len(appends) == 1 and len(appends[0].events) == 1:
        values = (*_head(appends[0]), *_body(1, appends[0].events[0]))
        return connection.execute(_APPEND_ONE, values, binary=True).fetchall()
    return connection.execute(_APPEND, arrays(appends), binary=True).fetchall()


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

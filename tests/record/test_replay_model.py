"""Is a replay to any moment the fold of what had been recorded by then, whatever was done?"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.client.aggregate import CLIENT, Client
from domain.client.commands import (
    AbsorbClient,
    ChangeContactDetails,
    MergeAway,
    RecordDeath,
    RegisterClient,
    ReleaseClient,
    RestoreClient,
    WithdrawDeath,
)
from domain.client.events import Details
from domain.kernel.errors import DomainError
from domain.kernel.events import Act, Context, Event, Recorded
from domain.kernel.ids import ClientId, PracticeId
from record.errors import IdempotencyMismatch, StaleVersion
from record.practice import Written
from tests.support.record import Record, context

CLIENTS = [ClientId(uuid4()) for _ in range(3)]
names = st.sampled_from(["Ana", "Bea", "Čeda", "Dao"])
clients = st.sampled_from(CLIENTS)


@dataclass(frozen=True)
class Entry:
    """One event as the model remembers it."""

    stream_id: UUID
    version: int
    event: Event
    actor: UUID


class Replay(RuleBasedStateMachine):
    """Asks random things of a few clients in two practices, and keeps the history by itself."""

    record: Record

    @initialize()
    def begin(self) -> None:
        self.logs: dict[PracticeId, list[Entry]] = {self.record.new_practice(): [] for _ in "ab"}
        self.here, self.other = self.logs
        self.done: list[tuple[list[Act], Context, Written]] = []

    def history(self, stream_id: UUID) -> list[Event]:
        return [entry.event for entry in self.logs[self.here] if entry.stream_id == stream_id]

    def state(self, stream_id: UUID) -> Client:
        state: Client = CLIENT.fold(self.history(stream_id))
        return state

    def ask(self, *commands: tuple[UUID, Any], expected: int | None = None) -> None:
        """Asks the record, and works out by itself what should have come of it."""
        by = context(self.here, at=datetime.now(UTC))
        acts = [
            Act(CLIENT, stream_id, make(by=by.actor_id, at=by.at)) for stream_id, make in commands
        ]
        before = len(self.history(acts[0].stream_id))
        decided: list[Entry] = []
        refusal: type[DomainError] | None = None
        if expected not in (None, before):
            refusal = StaleVersion
        else:
            try:
                for act in acts:
                    history = self.history(act.stream_id)
                    events = CLIENT.decide(CLIENT.fold(history), act.command)
                    decided += [
                        Entry(act.stream_id, len(history) + number, event, by.actor_id)
                        for number, event in enumerate(events, start=1)
                    ]
            except DomainError as error:
                refusal = type(error)
        practice = self.record.practices[self.here]
        if refusal is not None:
            with pytest.raises(refusal):
                practice.handle_many(acts, by, expected=expected)
            return
        written = practice.handle_many(acts, by, expected=expected)
        self.logs[self.here] += decided
        assert written == Written(
            acts[0].stream_id, before + len(decided) - len(acts) + 1, len(self.logs[self.here])
        )
        self.done.append((acts, by, written))

    @rule(client=clients, name=names)
    def register(self, client: ClientId, name: str) -> None:
        details = Details(given_name=name, family_name="Lopez", birth_date=date(1990, 3, 1))
        self.ask((client, partial(RegisterClient, client_id=client, details=details)))

    @rule(client=clients, name=names, expected=st.none() | st.integers(0, 4))
    def change(self, client: ClientId, name: str, expected: int | None) -> None:
        self.ask((client, partial(ChangeContactDetails, given_name=name)), expected=expected)

    @rule(client=clients, has_died=st.booleans())
    def death(self, client: ClientId, *, has_died: bool) -> None:
        if has_died:
            self.ask((client, partial(RecordDeath, died_on=date(2020, 1, 1), source="a letter")))
        else:
            self.ask((client, partial(WithdrawDeath, reason="another person")))

    @rule(kept=clients, left=clients, undo=st.booleans())
    def merge(self, kept: ClientId, left: ClientId, *, undo: bool) -> None:
        if kept == left:
            return
        if undo:
            self.ask(
                (kept, partial(ReleaseClient, other_client_id=left, reason="two people")),
                (left, partial(RestoreClient, from_client_id=kept, reason="two people")),
            )
        else:
            self.ask(
                (kept, partial(AbsorbClient, other_client_id=left, reason="the same person")),
                (left, partial(MergeAway, into_client_id=kept, reason="the same person")),
            )

    @rule()
    def go_to_the_other_practice(self) -> None:
        self.here, self.other = self.other, self.here

    @precondition(lambda self: self.done)
    @rule(data=st.data(), is_mistaken=st.booleans())
    def again(self, data: st.DataObject, *, is_mistaken: bool) -> None:
        acts, by, written = data.draw(st.sampled_from(self.done), label="command")
        practice = self.record.practices[by.practice_id]
        if is_mistaken:
            with pytest.raises(IdempotencyMismatch):
                practice.handle_many(acts, by.model_copy(update={"digest": b"other"}))
        else:
            assert practice.handle_many(acts, by) == written

    @precondition(lambda self: self.logs[self.here])
    @rule(data=st.data())
    def replay_to_a_moment(self, data: st.DataObject) -> None:
        practice, log = self.record.practices[self.here], self.logs[self.here]
        everything = practice.about(CLIENTS)
        assert [as_entry(recorded) for recorded in everything] == log
        at = data.draw(st.sampled_from(everything), label="moment").recorded_at + data.draw(
            st.sampled_from([timedelta(microseconds=-1), timedelta(0), timedelta(hours=1)])
        )
        known = [recorded for recorded in everything if recorded.recorded_at <= at]
        # What was known at a moment is the beginning of the log, up to a position.
        assert [recorded.position for recorded in known] == list(range(1, len(known) + 1))
        for client in CLIENTS:
            as_of = [one for one in practice.stream(client) if one.recorded_at <= at]
            prefix = [entry.event for entry in log[: len(known)] if entry.stream_id == client]
            assert CLIENT.fold([recorded.event for recorded in as_of]) == CLIENT.fold(prefix)
            assert [recorded.version for recorded in as_of] == list(range(1, len(prefix) + 1))

    @invariant()
    def the_log_is_as_long_as_the_model(self) -> None:
        if hasattr(self, "here"):
            assert self.record.practices[self.here].position() == len(self.logs[self.here])


def as_entry(recorded: Recorded) -> Entry:
    assert recorded.occurred_at == recorded.event.occurred_at
    return Entry(recorded.stream_id, recorded.version, recorded.event, recorded.actor)


def test_any_replay_is_the_fold_of_the_prefix(record: Record) -> None:
    class OnThisDatabase(Replay):
        pass

    OnThisDatabase.record = record
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

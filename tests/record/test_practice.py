"""Do commands and history fit together, for one stream and for several at once?"""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from domain.chart.aggregate import NOTE
from domain.client.aggregate import CLIENT, ClientUnknown
from domain.client.commands import AbsorbClient, ChangeContactDetails, MergeAway
from domain.kernel.events import Act, Context
from domain.kernel.ids import ClientId, PracticeId
from record import practice as practice_module
from record.errors import StaleVersion
from record.gate import Append, VersionConflict
from record.practice import TRIES, Practice, Written
from tests.support.record import Record, context, plain, register, sign


def change(by: Context, phone: str) -> ChangeContactDetails:
    return ChangeContactDetails(by=by.actor_id, at=by.at, phone=phone)


def merge(kept: UUID, left: UUID, by: Context) -> tuple[Act, Act]:
    absorb = AbsorbClient(
        by=by.actor_id, at=by.at, other_client_id=ClientId(left), reason="the same person"
    )
    away = MergeAway(
        by=by.actor_id, at=by.at, into_client_id=ClientId(kept), reason="the same person"
    )
    return Act(CLIENT, kept, absorb), Act(CLIENT, left, away)


def test_a_use_case_writes_to_both_streams_and_answers_for_the_first(
    record: Record, practice_id: PracticeId
) -> None:
    practice, kept, left = record.practices[practice_id], uuid4(), uuid4()
    for client in (kept, left):
        by = context(practice_id)
        practice.handle(CLIENT, client, register(client, by), by)
    by = context(practice_id)
    acts = merge(kept, left, by)
    assert practice.handle_many(acts, by, expected=1) == Written(kept, 2, 4)
    assert practice.handle_many(acts, by, expected=1) == Written(kept, 2, 4)
    assert [len(practice.stream(client)) for client in (kept, left)] == [2, 2]
    assert practice.position() == 4


def test_a_refusal_of_one_act_undoes_the_other(record: Record, practice_id: PracticeId) -> None:
    practice, kept = record.practices[practice_id], uuid4()
    by = context(practice_id)
    practice.handle(CLIENT, kept, register(kept, by), by)
    by = context(practice_id)
    with pytest.raises(ClientUnknown):
        practice.handle_many(merge(kept, uuid4(), by), by)
    assert practice.position() == 1


def test_somebody_in_between_is_decided_again_a_bounded_number_of_times(
    record: Record, practice_id: PracticeId, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice, client = record.practice(practice_id), uuid4()
    by = context(practice_id)
    practice.handle(CLIENT, client, register(client, by), by)
    streams = practice.streams
    phones: Iterator[str] = (f"+1 212 555 01{number:02}" for number in range(TRIES))

    def somebody_is_quicker(ids: list[object]) -> object:
        seen = streams(ids)  # type: ignore[arg-type]  # passed on
        other = context(practice_id)
        phone = next(phones, None)
        if phone is not None:
            record.practice(practice_id).handle(CLIENT, client, change(other, phone), other)
        return seen

    monkeypatch.setattr(practice, "streams", somebody_is_quicker)
    by = context(practice_id)
    with pytest.raises(StaleVersion) as stale:  # each try met somebody
        practice.handle(CLIENT, client, change(by, "+1 212 555 0199"), by)
    assert stale.value.details == {"current_version": TRIES + 1}
    phones = iter(("+1 212 555 0180",))
    by = context(practice_id)
    written = practice.handle(CLIENT, client, change(by, "+1 212 555 0199"), by)
    assert written.version == TRIES + 3
    phones = iter(("+1 212 555 0181",))
    by = context(practice_id)
    with pytest.raises(StaleVersion) as stale:  # who says what she saw is not decided again
        practice.handle(CLIENT, client, change(by, "+1 212 555 0198"), by, expected=TRIES + 3)
    assert stale.value.details == {"current_version": TRIES + 4}
    assert practice.position() == TRIES + 4


def test_what_the_log_holds_about_clients_comes_in_order(
    record: Record, practice_id: PracticeId
) -> None:
    practice = record.practices[practice_id]
    first, second, third = (uuid4() for _ in range(3))
    for client in (first, second, third, first, second, first):
        by = context(practice_id)
        practice.handle(NOTE, uuid4(), sign(client, by), by)
    both = practice.about([first, second])
    assert [one.position for one in both] == [1, 2, 4, 5, 6]
    assert [one.position for one in practice.about([first], after=1, limit=1)] == [4]
    assert practice.about([]) == []
    assert [one.position for one in practice.about([first, second], after=1, until=4)] == [2, 4]
    span = (both[1].recorded_at, both[2].recorded_at)
    assert [one.position for one in practice.about([first, second], recorded=span)] == [2, 4]
    assert [practice.count_about(one) for one in (first, second, third, uuid4())] == [3, 2, 1, 0]
    assert practice.began_as(both[0].stream_id) == "note.signed.v1"
    assert practice.began_as(uuid4()) == ""
    newest = practice.latest_about(first, limit=2)
    assert [one.position for one in newest] == [6, 4]
    older = practice.latest_about(first, before=4, limit=2)
    assert [one.position for one in older] == [1]


def test_the_first_position_has_nothing_before_it(record: Record, practice_id: PracticeId) -> None:
    practice, client = record.practices[practice_id], uuid4()
    by = context(practice_id)
    practice.handle(NOTE, uuid4(), sign(client, by), by)
    assert practice.latest_about(client, before=1, limit=5) == []
    assert practice.latest_about(client, before=0, limit=5) == []


def test_a_stream_that_is_not_there_is_empty(record: Record, practice_id: PracticeId) -> None:
    practice = record.practices[practice_id]
    assert practice.stream(uuid4()) == []
    assert practice.position() == 0


def test_a_stream_of_the_other_log_is_another_stream(
    record: Record, practice_id: PracticeId
) -> None:
    stream = uuid4()
    record.gate.append(Append(practice_id, "record", [plain(stream)]))
    assert record.recorder(practice_id, "access").select_events(stream) == []
    with pytest.raises(VersionConflict):
        record.gate.append(Append(practice_id, "access", [plain(stream, 2)]))


def test_a_bounded_number_of_practices_is_kept(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice_module, "PRACTICES_IN_MEMORY", 3)
    made: list[PracticeId] = []

    def make(practice_id: PracticeId) -> Practice:
        made.append(practice_id)
        return record.practice(practice_id)

    known = practice_module.Practices(make)
    ids = [PracticeId(uuid4()) for _ in range(4)]
    assert known[ids[0]] is known[ids[0]]
    for one in (ids[1], ids[2], ids[0], ids[3]):  # the second is the longest unused
        assert known[one].practice_id == one
    assert made == ids
    _ = known[ids[0]]
    _ = known[ids[1]]
    assert made == [*ids, ids[1]]


def test_there_are_no_snapshots_and_no_tracking_here(
    record: Record, practice_id: PracticeId
) -> None:
    factory = record.practice(practice_id).factory
    with pytest.raises(ValueError, match="no snapshots"):
        factory.aggregate_recorder("snapshots")
    with pytest.raises(NotImplementedError):
        factory.tracking_recorder()
    with pytest.raises(NotImplementedError):
        factory.process_recorder()
    assert factory.aggregate_recorder().select_events(uuid4()) == []

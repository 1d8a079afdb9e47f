"""Does the gate judge each append by itself, in one call and one commit?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from domain.kernel.ids import PracticeId
from record.envelope import SealedEvent
from record.errors import IdempotencyMismatch
from record.gate import _APPEND, Answer, Append, Gate, VersionConflict, answers, arrays
from tests.support.leaf import leaf_hash
from tests.support.record import Record, context, plain


def call(record: Record, appends: Sequence[Append]) -> list[Answer]:
    """All appends in one call, as the application role."""
    with record.database.connection() as connection:
        return answers(connection.execute(_APPEND, arrays(appends), binary=True).fetchall())


def once(record: Record, practice_id: PracticeId, *events: StoredEvent) -> Answer:
    return record.gate.append(Append(practice_id, "record", events, context(practice_id)))


def places(record: Record, practice_id: PracticeId) -> list[tuple[int, UUID, int]]:
    return [(e["position"], e["stream_id"], e["version"]) for e in record.events(practice_id)]


def test_each_append_of_a_call_has_its_own_outcome(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    held, fresh, elsewhere = uuid4(), uuid4(), uuid4()
    done, used = context(practice_id), context(practice_id)
    record.gate.append(Append(practice_id, "record", [plain(held)], done))
    record.gate.append(Append(practice_id, "record", [plain(held, 2)], used))

    outcomes = call(
        record,
        [
            Append(practice_id, "record", [plain(fresh), plain(fresh, 2)], context(practice_id)),
            Append(practice_id, "record", [plain(uuid4())], done),
            Append(
                practice_id, "record", [plain(uuid4())], used.model_copy(update={"digest": b""})
            ),
            Append(practice_id, "record", [plain(held, 2)], context(practice_id)),
            Append(other_id, "record", [plain(elsewhere)], context(other_id)),
            Append(practice_id, "access", [plain(held)], context(practice_id)),
        ],
    )

    assert outcomes == [
        Answer("accepted", fresh, 2, 3, 4),
        Answer("duplicate", held, 1, None, 1),
        Answer("mismatch", held, 2, None, 2),
        Answer("conflict", held, 2, None, None),
        Answer("accepted", elsewhere, 1, 1, 1),
        Answer("accepted", held, 1, 1, 1),
    ]
    assert places(record, practice_id) == [(1, held, 1), (2, held, 2), (3, fresh, 1), (4, fresh, 2)]
    assert places(record, other_id) == [(1, elsewhere, 1)]


def test_a_refused_append_leaves_no_gap_and_takes_no_place(
    record: Record, practice_id: PracticeId
) -> None:
    first, second = uuid4(), uuid4()
    before, gap, after = (
        Append(practice_id, "record", [plain(first)], context(practice_id)),
        Append(practice_id, "record", [plain(uuid4(), 7), plain(uuid4())], context(practice_id)),
        Append(practice_id, "record", [plain(second)], context(practice_id)),
    )
    assert [a.outcome for a in call(record, [before, gap, after])] == [
        "accepted", "conflict", "accepted",
    ]  # fmt: skip
    assert places(record, practice_id) == [(1, first, 1), (2, second, 1)]
    commands = record.admin(
        "SELECT count(*) FROM record.command WHERE practice_id = %s", [practice_id]
    )
    assert commands == [(2,)]


def test_a_stream_or_command_in_two_appends_of_a_call_is_refused_whole(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    stream, by = uuid4(), context(practice_id)
    followers = [
        Append(practice_id, "record", [plain(stream)], context(practice_id)),
        Append(practice_id, "record", [plain(stream, 2)], context(practice_id)),
    ]
    twice = [
        Append(practice_id, "record", [plain()], by),
        Append(practice_id, "record", [plain()], by),
    ]
    for appends in (followers, twice):
        with pytest.raises(psycopg.errors.CardinalityViolation):
            call(record, appends)
    assert places(record, practice_id) == []
    # The same stream id in another practice, or in the other log, is another stream.
    others = [
        Append(practice_id, "record", [plain(stream)], context(practice_id)),
        Append(other_id, "record", [plain(stream)], context(other_id)),
        Append(practice_id, "access", [plain(stream)], context(practice_id)),
    ]
    assert [a.outcome for a in call(record, others)] == ["accepted"] * 3


@pytest.mark.parametrize(
    "versions", [(2,), (3, 4), (1, 3), (1, 1), (2, 1), (1, 2, 2), (-1,), (0, 2)]
)
def test_versions_that_do_not_follow_are_a_conflict(
    record: Record, practice_id: PracticeId, versions: tuple[int, ...]
) -> None:
    stream = uuid4()
    with pytest.raises(VersionConflict) as refused:
        once(record, practice_id, *(plain(stream, version) for version in versions))
    assert (refused.value.stream_id, refused.value.version) == (stream, 0)
    assert places(record, practice_id) == []


@pytest.mark.parametrize("version", [1, 2, 4, 5])
@pytest.mark.parametrize("with_another", [False, True])
def test_a_conflict_tells_the_present_version(
    record: Record, practice_id: PracticeId, version: int, *, with_another: bool
) -> None:
    stream = uuid4()
    once(record, practice_id, plain(stream), plain(stream, 2))
    events = [plain(stream, version), *([plain()] if with_another else [])]
    with pytest.raises(VersionConflict) as refused:
        once(record, practice_id, *events)
    assert (refused.value.stream_id, refused.value.version) == (stream, 2)
    assert len(places(record, practice_id)) == 2


def test_several_streams_go_in_together_or_not_at_all(
    record: Record, practice_id: PracticeId
) -> None:
    kept, left = uuid4(), uuid4()
    once(record, practice_id, plain(kept), plain(left))
    with pytest.raises(VersionConflict) as refused:
        once(record, practice_id, plain(kept, 2), plain(left, 3))
    assert refused.value.stream_id == left
    assert len(places(record, practice_id)) == 2
    answer = once(record, practice_id, plain(kept, 2), plain(left, 2), plain(kept, 3))
    # It answers for the first stream, up to the last position.
    assert answer == Answer("accepted", kept, 3, 3, 5)


@pytest.mark.parametrize("count", [1, 2])
def test_the_same_command_gives_the_same_answer_and_does_nothing(
    record: Record, practice_id: PracticeId, count: int
) -> None:
    by, stream = context(practice_id), uuid4()
    append = Append(
        practice_id, "record", [plain(stream, 1 + number) for number in range(count)], by
    )
    first = record.gate.append(append)
    again = record.gate.append(append)
    assert (first.outcome, again.outcome) == ("accepted", "duplicate")
    assert (again.stream_id, again.version, again.last) == (stream, count, first.last)
    # An answer is remembered by the command, whatever is appended with it the second time.
    assert record.gate.append(Append(practice_id, "record", [plain()], by)) == again
    other = by.model_copy(update={"digest": b"another request"})
    with pytest.raises(IdempotencyMismatch):
        record.gate.append(Append(practice_id, "record", [plain(stream, 9)], other))
    assert len(places(record, practice_id)) == count


def test_the_same_command_id_in_another_practice_is_another_command(
    record: Record, practice_id: PracticeId, other_id: PracticeId
) -> None:
    by = context(practice_id)
    other = by.model_copy(update={"practice_id": other_id, "digest": b"another request"})
    for place, asker in ((practice_id, by), (other_id, other)):
        assert record.gate.append(Append(place, "record", [plain()], asker)).outcome == "accepted"


@pytest.mark.parametrize("count", [1, 2])
def test_no_practice_no_log(record: Record, practice_id: PracticeId, count: int) -> None:
    events = [plain() for _ in range(count)]
    for place, log in ((uuid4(), "record"), (practice_id, "diary")):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            record.gate.append(Append(place, log, events))
    unknown = [Append(p, "record", [plain()]) for p in (practice_id, uuid4())]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        call(record, unknown)
    assert places(record, practice_id) == []


def test_only_an_accepted_append_is_told_to_those_who_follow(
    record: Record, practice_id: PracticeId
) -> None:
    told: list[tuple[UUID, str]] = []
    gate = Gate(record.database, lambda *news: told.append(news))
    append = Append(practice_id, "record", [plain()], context(practice_id))
    gate.append(append)
    gate.append(append)
    with pytest.raises(VersionConflict):
        gate.append(Append(practice_id, "record", [plain(version=5)]))
    assert told == [(practice_id, "record")]


def test_the_header_stands_in_the_row_and_the_leaf_hash_covers_all_of_it(
    record: Record, practice_id: PracticeId
) -> None:
    full = context(
        practice_id,
        role="Ärztin 🩺",
        purpose="Überprüfung",
        on_behalf_of=uuid4(),
        location_id=uuid4(),
        causation_id=uuid4(),
    )
    stream, subject, key_id = uuid4(), uuid4(), uuid4()
    east = timezone(timedelta(hours=13))
    long_ago = datetime(1931, 1, 2, 3, 4, 5, 678901, tzinfo=east)
    sealed = [
        SealedEvent(stream, 1, "größe.v1", b"\x00\xff" * 500, subject, key_id, long_ago),
        SealedEvent(stream, 2, "empty.v1", b"", None, None, None),
    ]
    record.gate.append(Append(practice_id, "record", sealed, full))
    record.gate.append(Append(practice_id, "record", [plain(stream, 3)]))
    alone = SealedEvent(stream, 4, "größe.v1", b"\\x00", subject, key_id, long_ago)
    record.gate.append(Append(practice_id, "record", [alone], full.model_copy(
        update={"command_id": uuid4()})))  # fmt: skip

    first, second, third, fourth = rows = record.events(practice_id)
    for row in (first, fourth):
        assert (row["actor"], row["role"], row["purpose"]) == (
            full.actor_id, "Ärztin 🩺", "Überprüfung",
        )  # fmt: skip
        assert (row["on_behalf_of"], row["location"]) == (full.on_behalf_of, full.location_id)
        assert (row["correlation_id"], row["causation_id"]) == (
            full.correlation_id, full.causation_id,
        )  # fmt: skip
        assert (row["subject"], row["key_id"], row["occurred_at"]) == (subject, key_id, long_ago)
    assert first["command_id"] == full.command_id != fourth["command_id"]
    assert second["occurred_at"] == second["recorded_at"] == first["recorded_at"]
    assert (third["role"], third["command_id"], third["correlation_id"]) == ("system", None, None)
    assert [row["leaf_hash"] for row in rows] == [leaf_hash(row) for row in rows]
    # Every field counts.
    changes = {
        "practice_id": uuid4(), "log": "access", "stream_id": uuid4(), "version": 9, "position": 9,
        "type": "x", "subject": None, "actor": uuid4(), "on_behalf_of": None, "role": "x",
        "location": None, "purpose": "x", "command_id": None, "correlation_id": None,
        "causation_id": None, "occurred_at": datetime.now(UTC), "recorded_at": datetime.now(UTC),
        "key_id": None, "body": b"x",
    }  # fmt: skip
    assert set(first) == {*changes, "leaf_hash"}
    assert len({leaf_hash(first | {field: value}) for field, value in changes.items()}) == 19
    assert all(
        leaf_hash(first | {field: value}) != first["leaf_hash"] for field, value in changes.items()
    )


def test_time_of_recording_never_runs_backwards(record: Record, practice_id: PracticeId) -> None:
    """Not even after a history that was dated into the future."""
    ahead = datetime.now(UTC) + timedelta(days=1)
    with psycopg.connect(record.ready.admin_url, autocommit=True) as admin:
        for appends in ([Append(practice_id, "record", [plain()])] * 1, [
            Append(practice_id, "record", [plain()]), Append(practice_id, "access", [plain()]),
        ]):  # fmt: skip
            admin.execute(_APPEND, arrays(appends, ahead), binary=True)
    once(record, practice_id, plain())
    once(record, practice_id, plain(), plain())
    assert {e["recorded_at"] for e in record.events(practice_id)} == {ahead}


@pytest.mark.parametrize("count", [1, 2])
def test_the_application_cannot_choose_the_time_of_recording(
    record: Record, practice_id: PracticeId, count: int
) -> None:
    appends = [Append(practice_id, "record", [plain()]) for _ in range(count)]
    with (
        record.database.connection() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="time of recording"),
    ):
        connection.execute(_APPEND, arrays(appends, datetime.now(UTC)), binary=True)
    assert places(record, practice_id) == []

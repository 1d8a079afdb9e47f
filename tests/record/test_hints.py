"""Does news travel fast, coalesced, and does nothing depend on its arriving?"""

from threading import Event, Thread
from time import monotonic

import pytest

from domain.kernel.ids import PracticeId
from record.gate import Append, Gate
from record.hints import Hints
from record.recorder import PracticeRecorder
from tests.support.record import Record, plain


def test_a_hint_reaches_every_listener_in_every_process(record: Record) -> None:
    with Hints(record.ready.app_url) as here, Hints(record.ready.app_url) as there:
        flags = [Event(), Event(), Event()]
        here.listen(flags[0])
        there.listen(flags[1])
        there.listen(flags[2])
        deadline = monotonic() + 10
        while not all(flag.is_set() for flag in flags) and monotonic() < deadline:
            here.send()  # a listener that is still connecting hears the next one
            flags[0].wait(0.05)
        assert all(flag.is_set() for flag in flags)


def test_many_commits_are_few_hints(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hints, "PAUSE_SECONDS", 0.2)
    with Hints(record.ready.app_url) as hints:
        rounds: list[None] = []
        clear = hints._pending.clear

        def count() -> None:
            rounds.append(None)
            clear()

        monkeypatch.setattr(hints._pending, "clear", count)
        for _ in range(1000):
            hints.send()
        assert len(rounds) <= 2


def test_a_listener_that_nobody_holds_is_forgotten(record: Record) -> None:
    with Hints(record.ready.app_url) as hints:
        hints.listen(Event())
        kept = Event()
        hints.listen(kept)
        assert list(hints._listeners) == [kept]


def test_hints_come_back_after_the_connection_was_lost(record: Record) -> None:
    with Hints(record.ready.app_url) as hints:
        flag = Event()
        hints.listen(flag)
        for _ in range(2):
            deadline = monotonic() + 10
            flag.clear()
            while not flag.is_set() and monotonic() < deadline:
                hints.send()
                flag.wait(0.05)
            assert flag.is_set()
            record.admin(
                """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'palimpsest hints'"""
            )


@pytest.mark.parametrize("is_hinted", [True, False])
def test_news_is_seen_with_or_without_a_hint(
    record: Record, practice_id: PracticeId, *, is_hinted: bool
) -> None:
    """The writer sends no hint in the second case: the reader looks again by itself."""
    gate = Gate(record.database, record.hints.send) if is_hinted else Gate(record.database)
    recorder = PracticeRecorder(record.database, gate, practice_id, hints=record.hints)
    seen = Event()
    subscription = recorder.subscribe()

    def read() -> None:
        for _ in subscription:
            seen.set()

    reader = Thread(target=read)
    reader.start()
    assert not seen.wait(0.1)
    gate.append(Append(practice_id, "record", [plain()]))
    assert seen.wait(10)
    subscription.stop()
    reader.join(10)
    assert not reader.is_alive()


def test_a_filtered_subscription_does_not_read_the_same_again(
    record: Record, practice_id: PracticeId
) -> None:
    recorder = record.recorder(practice_id)
    for kind in ("a.v1", "b.v1", "b.v1", "a.v1"):
        record.gate.append(Append(practice_id, "record", [plain(kind=kind)]))
    subscription = recorder.subscribe(topics=["a.v1"])
    assert [next(subscription).id, next(subscription).id] == [1, 4]
    record.gate.append(Append(practice_id, "record", [plain(kind="b.v1")]))
    reader = Thread(target=lambda: next(subscription, None))
    reader.start()
    deadline = monotonic() + 10
    while subscription._seen < 5 and monotonic() < deadline:
        Event().wait(0.01)
    assert subscription._seen == 5
    subscription.stop()
    reader.join(10)

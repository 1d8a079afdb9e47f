"""Does the sealer sign what was recorded, soon and whole, and do the witnesses get to see it?"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from deploy.database import Database
from domain.kernel.ids import PracticeId
from gateways.witness import Submission, WitnessUnavailable
from gateways.witness.simulator import SimulatedWitness
from record.checkpoint import origin_of
from record.database import DatabaseUnavailable
from record.merkle import root_of
from record.sealing import Sealing
from record.seals import LOGS, census_of
from record.witnessing import rule, trusting
from tests.support.evidence import Desk
from tests.support.record import Record, record_on
from workers.courier import FIRST_PAUSE, LONGEST_PAUSE, PACE, Courier
from workers.sealer import Sealer


@pytest.fixture
def record(database: Database) -> Iterator[Record]:
    """A database of the test's own: a sealer seals every practice there is."""
    with record_on(database) as opened:
        yield opened


@pytest.fixture
def practice_id(record: Record) -> PracticeId:
    return record.new_practice()


@pytest.fixture
def witness(record: Record) -> SimulatedWitness:
    return SimulatedWitness(rule(trusting(record.kms)))


@pytest.fixture
def sealer(record: Record, witness: SimulatedWitness) -> Sealer:
    return Sealer(record.database, record.seals, [witness], pace=0)


def held(witness: SimulatedWitness, practice_id: UUID, log: str = "record") -> list[str]:
    """The heads that a witness keeps of a log."""
    origin = origin_of(practice_id, log)
    return [witness.read(origin, number) for number in range(witness.count(origin))]


def gauge(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None
    return value


def test_all_logs_of_all_practices_are_sealed_and_witnessed(
    record: Record, practice_id: PracticeId, sealer: Sealer, witness: SimulatedWitness
) -> None:
    other_id = record.new_practice()
    sizes = {
        (practice_id, "record"): 300,
        (practice_id, "access"): 7,
        (other_id, "record"): 1,
        (other_id, "access"): 2,
    }
    for (practice, log), count in sizes.items():
        record.fill(practice, count, log)
    sealer.run_once()
    for (practice, log), count in sizes.items():
        head = record.seals.newest(practice, log)
        assert head is not None
        assert (head.size, head.root) == (count, root_of(record.leaves(practice, log)))
        assert held(witness, practice, log) == [head.note]
    sealer.run_once()
    ((heads,),) = record.admin("SELECT count(*) FROM record.checkpoint")
    assert heads == 4
    assert gauge("palimpsest_unsealed_events") == 0


def test_an_empty_log_has_no_head(
    record: Record, practice_id: PracticeId, sealer: Sealer, witness: SimulatedWitness
) -> None:
    sealer.run_once()
    assert record.seals.newest(practice_id, "record") is None
    assert held(witness, practice_id) == []


def test_two_sealers_share_the_work(
    record: Record, practice_id: PracticeId, witness: SimulatedWitness
) -> None:
    sealers = [Sealer(record.database, record.seals, [witness], pace=0) for _ in range(2)]
    sizes = []
    for number in range(8):
        record.fill(practice_id, 40)
        sealers[number % 2].run_once()
        head = record.seals.newest(practice_id, "record")
        assert head is not None
        assert head.root == root_of(record.leaves(practice_id))
        sizes.append(head.size)
    assert sizes == list(range(40, 321, 40))
    assert len(held(witness, practice_id)) == 8
    assert not any(one.broken or one.couriers[0].refused for one in sealers)


def test_killed_before_the_commit_it_has_signed_nothing(
    record: Record, practice_id: PracticeId, sealer: Sealer
) -> None:
    record.fill(practice_id, 1_000)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.workers.killed_sealer",
            record.ready.app_url, str(practice_id),
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"signed\n"
        process.send_signal(signal.SIGKILL)
    left = record.seals.newest(practice_id, "record")
    assert left is not None
    assert left.size == 300
    until(lambda: seal_reaches(record, sealer, practice_id, 1_000))
    everything = record.leaves(practice_id)
    rows = record.admin("SELECT size, root FROM record.checkpoint ORDER BY size")
    assert [size for size, _ in rows] == [300, 1_000]
    assert all(root == root_of(everything[:size]) for size, root in rows)


def seal_reaches(record: Record, sealer: Sealer, practice_id: UUID, size: int) -> bool:
    sealer.run_once()
    head = record.seals.newest(practice_id, "record")
    return head is not None and head.size == size


def until(is_so: Callable[[], bool], seconds: float = 20) -> float:
    """Waits for something to become true, and says how long it took."""
    started = time.monotonic()
    while not is_so():
        assert time.monotonic() < started + seconds
        time.sleep(0.005)
    return time.monotonic() - started


@pytest.mark.serial
def test_a_head_is_signed_within_a_second_of_each_commit(
    record: Record, practice_id: PracticeId, sealer: Sealer, witness: SimulatedWitness
) -> None:
    with sealer:
        waits = []
        for number in range(1, 4):
            for log in LOGS:
                record.fill(practice_id, 1, log)

                def is_sealed(log: str = log, size: int = number) -> bool:
                    head = record.seals.newest(practice_id, log)
                    return head is not None and head.size == size

                waits.append(until(is_sealed))
        until(lambda: len(held(witness, practice_id)) == 3)
    assert max(waits) < 1.0, waits
    assert not sealer.broken


# -- alarms ----------------------------------------------------------------------------------------


def test_a_log_that_was_set_back_is_an_alarm_and_no_head(
    record: Record, practice_id: PracticeId, sealer: Sealer
) -> None:
    record.fill(practice_id, 5)
    sealer.run_once()
    record.unguarded(
        practice_id,
        "DELETE FROM record.event WHERE practice_id = %(p)s AND position > 3",
        "DELETE FROM record.checkpoint WHERE practice_id = %(p)s",
        "UPDATE record.head SET position = 3 WHERE practice_id = %(p)s AND log = 'record'",
    )
    other_id = record.new_practice()
    record.fill(other_id, 2)
    with capture_logs() as logs:
        sealer.run_once()
        sealer.run_once()  # not at once again
    assert sealer.broken == {(practice_id, "record")}
    assert record.seals.newest(practice_id, "record") is None
    assert record.seals.newest(other_id, "record") is not None
    assert gauge("palimpsest_broken_seals") == 1
    [alarm] = [entry for entry in logs if entry["event"] == "seal_broken"]
    assert alarm["log_level"] == "error"
    assert (alarm["practice_id"], alarm["log"]) == (str(practice_id), "record")


def test_a_log_that_cannot_be_sealed_keeps_no_other_waiting(
    record: Record, practice_id: PracticeId, sealer: Sealer
) -> None:
    record.fill(practice_id, 256)
    with record.database.practice(practice_id) as connection:
        connection.execute(
            "INSERT INTO record.tree_node VALUES (DEFAULT, 'record', 8, 0, sha256('x'))"
        )
    others = [record.new_practice() for _ in range(5)]
    for other_id in others:
        record.fill(other_id, 2)
    with capture_logs() as logs:
        sealer.run_once()
    assert sealer.broken == {(practice_id, "record")}
    assert [entry["reason"] for entry in logs if entry["event"] == "seal_broken"] == [
        "UniqueViolation"
    ]
    assert all(record.seals.newest(other_id, "record") for other_id in others)
    assert gauge("palimpsest_unsealed_events") == 256
    assert gauge("palimpsest_unsealed_seconds") > 0


def test_an_outage_is_no_alarm(record: Record, practice_id: PracticeId, sealer: Sealer) -> None:
    record.fill(practice_id, 2)
    record.database.close()
    with pytest.raises(DatabaseUnavailable):
        sealer.run_once()
    assert not sealer.broken


def test_another_history_under_the_same_key_is_refused_by_the_witness(
    record: Record, practice_id: PracticeId, sealer: Sealer, witness: SimulatedWitness
) -> None:
    record.fill(practice_id, 5)
    sealer.run_once()
    seen = held(witness, practice_id)
    # The database is set back and goes on otherwise; a new sealer knows nothing of it.
    record.unguarded(
        practice_id,
        "DELETE FROM record.event WHERE practice_id = %(p)s AND position > 3",
        "DELETE FROM record.checkpoint WHERE practice_id = %(p)s",
        "UPDATE record.head SET position = 3 WHERE practice_id = %(p)s AND log = 'record'",
    )
    later = Sealer(record.database, record.seals, [witness], pace=0)
    for size, reason in ((3, "shrunk"), (4, "shrunk"), (5, "forked"), (9, "forked")):
        while record.practice(practice_id).position() < size:
            record.fill(practice_id, 1)
        with capture_logs() as logs:
            later.run_once()
        head = record.seals.newest(practice_id, "record")
        assert head is not None
        assert head.size == size  # a witness does not keep us from working
        [alarm] = [entry for entry in logs if entry["event"] == "witness_refused"]
        assert (alarm["log_level"], alarm["reason"]) == ("error", reason)
        assert alarm["practice_id"] == str(practice_id)
        assert gauge("palimpsest_witness_refused_logs", witness="simulated") == 1
    assert held(witness, practice_id) == seen
    assert not later.broken


# -- couriers --------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_a_witness_that_is_down_gets_the_newest_head_when_it_is_back(
    record: Record, practice_id: PracticeId, witness: SimulatedWitness
) -> None:
    clock = Clock()
    courier = Courier(witness, record.seals, pace=0, clock=clock)
    sealing = Sealing(record.database, record.seals)
    witness.is_down = True
    pauses = []
    for _ in range(10):
        record.fill(practice_id, 1)
        sealing.seal(practice_id, "record")
        courier.offer(practice_id, "record")
        with capture_logs() as logs:
            courier.run_once()
            courier.run_once()  # too early
        [warning] = logs
        assert (warning["event"], warning["log_level"]) == ("witness_unavailable", "warning")
        pauses.append(warning["retry_seconds"])
        clock.time += warning["retry_seconds"]
        assert courier.waiting == {(practice_id, "record")}
    assert gauge("palimpsest_witness_waiting_logs", witness="simulated") == 1
    assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert pauses[-1] == LONGEST_PAUSE
    witness.is_down = False
    courier.run_once()
    newest = record.seals.newest(practice_id, "record")
    assert newest is not None
    assert newest.size == 10
    assert held(witness, practice_id) == [newest.note]
    assert not courier.waiting
    assert gauge("palimpsest_witness_waiting_logs", witness="simulated") == 0


def test_one_witness_does_not_wait_for_another(
    record: Record, practice_id: PracticeId, witness: SimulatedWitness
) -> None:
    down = SimulatedWitness(rule(trusting(record.kms)), "down")
    down.is_down = True
    sealer = Sealer(record.database, record.seals, [down, witness], pace=0)
    record.fill(practice_id, 3)
    sealer.run_once()
    assert len(held(witness, practice_id)) == 1
    with pytest.raises(WitnessUnavailable):
        down.add(Submission("", ""))


def test_a_witness_is_not_flooded_with_the_heads_of_a_busy_log(
    record: Record, practice_id: PracticeId, witness: SimulatedWitness
) -> None:
    clock = Clock()
    courier = Courier(witness, record.seals, clock=clock)
    sealing = Sealing(record.database, record.seals)
    for _ in range(30):
        record.fill(practice_id, 1)
        sealing.seal(practice_id, "record")
        courier.offer(practice_id, "record")
        courier.run_once()
        clock.time += 1
    assert len(held(witness, practice_id)) == 30 / PACE
    clock.time += PACE
    courier.run_once()
    newest = record.seals.newest(practice_id, "record")
    assert newest is not None
    assert held(witness, practice_id)[-1] == newest.note


def test_a_new_process_finds_out_what_the_witness_has(
    record: Record, practice_id: PracticeId, witness: SimulatedWitness
) -> None:
    for size in (3, 300, 600):
        record.fill(practice_id, size)
        Sealer(record.database, record.seals, [witness], pace=0).run_once()
    assert len(held(witness, practice_id)) == 3
    # And one that was killed before it could hand the head over is made up for.
    record.fill(practice_id, 1)
    Sealing(record.database, record.seals).seal(practice_id, "record")
    Sealer(record.database, record.seals, [witness], pace=0).run_once()
    newest = record.seals.newest(practice_id, "record")
    assert newest is not None
    assert held(witness, practice_id)[-1] == newest.note


def test_censuses_are_brought_too_and_two_of_one_size_are_an_alarm(
    record: Record, practice_id: PracticeId, witness: SimulatedWitness, sealer: Sealer
) -> None:
    desk = Desk.of(record, practice_id)
    client = desk.client()
    desk.bundle(client)
    sealer.run_once()
    desk.client()
    desk.bundle(client)
    desk.client()  # the next heads bring them along
    sealer.run_once()
    for log in LOGS:
        signed = [one.note for one in desk.seals.censuses(practice_id, log, 0)]
        assert len(signed) == 2
        assert held(witness, practice_id, census_of(log)) == signed
    assert sealer.couriers[0].refused == frozenset()

    # Somebody with the key tells another count of the same log, to another courier's face.
    newest = desk.seals.censuses(practice_id, "record", 0)[-1]
    other = desk.seals.signing_key(practice_id, census_of("record")).sign(newest.size, bytes(32))
    record.admin("ALTER TABLE record.census DISABLE TRIGGER append_only")
    record.admin(
        "UPDATE record.census SET note = %s WHERE log = 'record' AND size = %s",
        (other, newest.size),
    )
    again = Courier(witness, desk.seals, pace=0)
    again.offer(practice_id, "record")
    with capture_logs() as logs:
        again.run_once()
    assert [one["reason"] for one in logs if one["event"] == "witness_refused"] == ["forked"]
    assert again.refused == {(practice_id, "record")}

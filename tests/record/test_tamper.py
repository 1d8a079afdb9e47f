"""Is every way of changing the past noticed, and its place named?"""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.kernel.ids import PracticeId
from gateways.witness.simulator import SimulatedWitness
from record.checkpoint import SigningKey, VerifyKey
from record.faults import Fault, Kind, Tampered
from record.gate import Append
from record.sealing import Sealing
from record.seals import LOGS
from record.stored_log import StoredLog
from record.verify import Verified, held_by, verify
from record.witnessing import hand_over, rule, trusting
from tests.faults import figures
from tests.support.record import Record, Row, plain
from tests.support.tamper import CLASSES, Attacker

EDITS = figures.times(60, 200)
"""Of each class."""
EVENTS = 290


@dataclass(frozen=True)
class Guarded:
    """Two practices with two sealed and witnessed logs each."""

    record: Record
    witness: SimulatedWitness
    practices: tuple[PracticeId, PracticeId]

    def key(self, practice_id: UUID, log: str) -> VerifyKey:
        return SigningKey.of(self.record.kms, practice_id, log).verify_key

    def check(
        self, connection: psycopg.Connection[Row], practice_id: UUID, log: str
    ) -> Verified | Fault:
        """What a check says of one log, as it stands in this transaction."""
        key = self.key(practice_id, log)
        try:
            return verify(
                StoredLog(connection, practice_id, log), key, held_by([self.witness], key)
            )
        except Tampered as tampered:
            return tampered.fault


@pytest.fixture(scope="module")
def guarded(record: Record) -> Guarded:
    """A few streams of some versions, sealed again and again as they grew."""
    pick = random.Random(1)
    witness = SimulatedWitness(rule(trusting(record.kms)))
    practices = (record.new_practice(), record.new_practice())
    sealing = Sealing(record.database, record.seals)
    for practice_id in practices:
        for log in LOGS:
            streams = [uuid4() for _ in range(30)]
            versions = Counter[UUID]()
            done = 0
            while done < EVENTS:
                some = pick.sample(streams, min(pick.randrange(1, 25), EVENTS - done))
                versions.update(some)
                events = [plain(one, versions[one], pick.randbytes(30)) for one in some]
                record.gate.append(Append(practice_id, log, events))
                done += len(some)
                sealing.seal(practice_id, log)
                hand_over(witness, record.seals, practice_id, log)
    return Guarded(record, witness, practices)


@pytest.fixture(scope="module")
def admin(guarded: Guarded) -> Iterator[psycopg.Connection[Row]]:
    with psycopg.connect(guarded.record.ready.admin_url) as connection:
        yield connection


def all_clean(guarded: Guarded, admin: psycopg.Connection[Row]) -> None:
    for practice_id in guarded.practices:
        for log in LOGS:
            said = guarded.check(admin, practice_id, log)
            assert isinstance(said, Verified), said
            assert (said.events, said.sealed) == (EVENTS, EVENTS)
            assert said.witnessed == {"simulated": EVENTS}


@pytest.mark.parametrize("name", CLASSES)
def test_every_edit_of_a_kind_is_detected_and_its_place_named(
    guarded: Guarded,
    admin: psycopg.Connection[Row],
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: Counter[str] = Counter()
    widest = clean = 0
    for number in range(EDITS):
        pick = random.Random(f"{name} {number}")
        practice_id, log = pick.choice(guarded.practices), pick.choice(LOGS)
        key = SigningKey.of(guarded.record.kms, practice_id, log)
        with admin.transaction(force_rollback=True):
            attacker = Attacker(admin, key, practice_id, log)
            attack = CLASSES[name](attacker, pick)
            attacker.commit(attack)
            said = guarded.check(admin, practice_id, log)
            assert isinstance(said, Fault), (number, attack)
            assert said.kind in attack.kinds, (number, attack, said)
            assert said.log == log
            assert said.first <= attack.place <= said.last, (number, attack, said)
            if attack.is_exact and said.kind is not Kind.REWRITTEN:
                assert said.first == attack.place, (number, attack, said)
            if attack.depth in ("hashed", "treed"):  # the heads are there: between two of them
                widest = max(widest, said.last - said.first + 1)
            seen[f"{attack.depth}: {said.kind}"] += 1
            if number % figures.times(20, 1) == 0:  # and nobody else is suspected
                others = [(p, o) for p in guarded.practices for o in LOGS]
                others.remove((practice_id, log))
                assert all(isinstance(guarded.check(admin, *one), Verified) for one in others)
                clean += len(others)
    told = (
        f"{name}: {sum(seen.values())} of {EDITS} detected, {dict(seen)}, within {widest} rows; "
        f"0 of {clean} clean logs suspected"
    )
    with capsys.disabled() if figures.LONG else nullcontext():
        sys.stdout.write(told + "\n")
    all_clean(guarded, admin)

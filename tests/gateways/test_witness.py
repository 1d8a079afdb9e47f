"""Does every witness keep the heads that follow from each other, and refuse any other?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import boto3
import pytest

from gateways.kms.simulator import SimulatedKms
from gateways.witness import (
    ReadableWitness,
    Refused,
    Stale,
    Submission,
    Witness,
    WitnessUnavailable,
)
from gateways.witness.http import HttpWitness
from gateways.witness.simulator import SimulatedWitness
from gateways.witness.store import StoreWitness, bucket_witness, folder_witness
from record.checkpoint import SigningKey, origin_of
from record.merkle import Tree
from record.witnessing import rule, trusting
from tests.support.aws import Aws, running_aws
from tests.support.witness import witness_server

KMS = SimulatedKms()
RULE = rule(trusting(KMS))
KINDS = ["simulator", "folder", "bucket", "http"]


@dataclass(frozen=True)
class History:
    """A log, and the submissions that a sealer of it would make."""

    key: SigningKey
    leaves: list[bytes]

    @property
    def origin(self) -> str:
        return self.key.name

    def head(self, size: int, old: int = 0) -> Submission:
        tree = Tree(len(self.leaves), self._source)
        note = self.key.sign(size, tree.root(size))
        return Submission(self.origin, note, old, tree.consistency(old, size))

    def fork(self, at: int) -> "History":
        """The same log, with another event at a position."""
        leaves = list(self.leaves)
        leaves[at - 1] = sha256(b"another past").digest()
        return replace(self, leaves=leaves)

    def _source(self, height: int, first: int, count: int) -> list[bytes]:
        assert height == 0
        return self.leaves[first : first + count]


def history(practice_id: UUID | None = None, log: str = "record", size: int = 60) -> History:
    leaves = [sha256(bytes([number])).digest() for number in range(size)]
    return History(SigningKey.of(KMS, practice_id or uuid4(), log), leaves)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as server:
        boto3.client("s3", endpoint_url=server.endpoint).create_bucket(Bucket="heads")
        yield server


@pytest.fixture(params=KINDS)
def witness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Witness]:
    """Each kind of witness, empty; a new one is added to the list above."""
    with ExitStack() as stack:
        if request.param == "bucket":
            aws: Aws = request.getfixturevalue("aws")
            yield bucket_witness(f"s3://heads/{uuid4()}?endpoint={aws.endpoint}", RULE)
        elif request.param == "http":
            address = stack.enter_context(witness_server(SimulatedWitness(RULE)))
            yield stack.enter_context(closing(HttpWitness(address)))
        elif request.param == "folder":
            yield folder_witness(tmp_path / "not" / "there yet", RULE)
        else:
            yield SimulatedWitness(RULE)


@pytest.fixture
def ours() -> History:
    return history()


def refusal(witness: Witness, submission: Submission) -> str:
    with pytest.raises(Refused) as refused:
        witness.add(submission)
    return refused.value.reason


def test_heads_that_follow_from_each_other_are_kept(witness: Witness, ours: History) -> None:
    steps = [0, 1, 7, 8, 40, 60]
    for old, new in pairwise(steps):
        witness.add(ours.head(new, old))
    if isinstance(witness, ReadableWitness):
        kept = [witness.read(ours.origin, number) for number in range(witness.count(ours.origin))]
        assert kept == [ours.head(size).note for size in steps[1:]]


def test_the_same_head_again_changes_nothing(witness: Witness, ours: History) -> None:
    witness.add(ours.head(7))
    for _ in range(3):
        witness.add(ours.head(7, 7))
    if isinstance(witness, ReadableWitness):
        assert witness.count(ours.origin) == 1
    witness.add(ours.head(9, 7))


def test_who_builds_on_another_head_is_told_which_one_is_held(
    witness: Witness, ours: History
) -> None:
    for held, tried in ((0, 3), (7, 0), (7, 5)):
        if held:
            with pytest.raises(Stale):
                witness.add(ours.head(9, 1))
            if tried == 0:
                witness.add(ours.head(held))
        with pytest.raises(Stale) as stale:
            witness.add(ours.head(9, tried))
        assert stale.value.size == held
    witness.add(ours.head(9, 7))


def test_a_log_that_has_shrunk_is_refused(witness: Witness, ours: History) -> None:
    witness.add(ours.head(40))
    shrunk = replace(ours.head(20), old=40)
    assert refusal(witness, shrunk) == "shrunk"
    with pytest.raises(Stale):
        witness.add(ours.head(20))
    witness.add(ours.head(41, 40))


@pytest.mark.parametrize("at", [1, 20, 40])
@pytest.mark.parametrize("size", [40, 41, 60])
def test_another_past_is_refused(witness: Witness, ours: History, at: int, size: int) -> None:
    witness.add(ours.head(40))
    assert refusal(witness, ours.fork(at).head(size, 40)) == "forked"
    # Nor with the proof of the true log, nor with none.
    other = replace(ours.head(size, 40), note=ours.fork(at).head(size).note)
    assert refusal(witness, other) == "forked"
    if size > 40:
        assert refusal(witness, replace(ours.head(size, 40), proof=())) == "forked"
    witness.add(ours.head(60, 40))


def test_a_first_head_needs_no_proof_and_takes_none(witness: Witness, ours: History) -> None:
    assert refusal(witness, replace(ours.head(5), proof=[bytes(32)])) == "forked"
    witness.add(ours.head(5))


def test_what_our_key_has_not_signed_is_refused(witness: Witness, ours: History) -> None:
    stranger = replace(
        ours,
        key=replace(SigningKey.of(SimulatedKms(bytes(32)), uuid4(), "record"), name=ours.origin),
    )
    assert refusal(witness, stranger.head(5)) == "not_signed"
    good = ours.head(5)
    assert refusal(witness, replace(good, note=good.note.replace("\n5\n", "\n6\n"))) == "not_signed"


def test_a_log_that_is_not_ours_is_refused(witness: Witness, ours: History) -> None:
    for origin in (
        "example.com/log",
        ours.origin + "s",
        ours.origin.upper(),
        "palimpsest/1/record",
    ):
        key = replace(ours.key, name=origin)
        assert refusal(witness, replace(ours, key=key).head(5)) == "unknown_log"


def test_practices_and_logs_are_kept_apart(witness: Witness) -> None:
    one, other = uuid4(), uuid4()
    logs = [history(one), history(one, "access"), history(other)]
    for number, each in enumerate(logs):
        witness.add(each.head(10 + number))
    for number, each in enumerate(logs):
        with pytest.raises(Stale) as stale:
            witness.add(each.head(60))
        assert stale.value.size == 10 + number
    moved = replace(logs[2].head(60, 12), origin=logs[0].origin)
    if not isinstance(witness, HttpWitness):  # there the note itself names the log
        assert refusal(witness, moved) == "not_signed"


def test_of_two_that_build_on_one_head_only_one_is_taken(witness: Witness, ours: History) -> None:
    witness.add(ours.head(10))
    fork = ours.fork(30)
    rivals = [ours.head(40, 10), fork.head(41, 10)] * 4

    def offer(submission: Submission) -> str:
        try:
            witness.add(submission)
        except (Stale, Refused):
            return ""
        return submission.note

    with ThreadPoolExecutor(8) as pool:
        taken = set(pool.map(offer, rivals)) - {""}
    assert len(taken) == 1
    loser, size = (fork, 40) if ours.head(40).note in taken else (ours, 41)
    assert refusal(witness, loser.head(60, size)) == "forked"


def test_what_is_not_there_is_not_read(witness: Witness, ours: History) -> None:
    if isinstance(witness, ReadableWitness):
        assert witness.count(ours.origin) == 0
        for number in (0, -1, 5):
            with pytest.raises(IndexError):
                witness.read(ours.origin, number)


def test_a_witness_that_is_down_says_so(ours: History, tmp_path: Path, aws: Aws) -> None:
    down = SimulatedWitness(RULE)
    down.is_down = True
    spoilt = folder_witness(tmp_path, RULE)
    (tmp_path / "palimpsest").write_text("a file is in the way")
    with (
        witness_server(down) as address,
        closing(HttpWitness(address)) as failing,
        closing(HttpWitness("http://127.0.0.1:9/log", timeout=1)) as nobody,
    ):
        witnesses: list[Witness] = [
            down,
            spoilt,
            bucket_witness(f"s3://no-such-bucket/x?endpoint={aws.endpoint}", RULE),
            failing,
            nobody,
        ]
        for witness in witnesses:
            with pytest.raises(WitnessUnavailable):
                witness.add(ours.head(5))


# -- what is particular to a folder ----------------------------------------------------------------


def test_a_folder_is_read_again_by_the_next_process(tmp_path: Path, ours: History) -> None:
    folder_witness(tmp_path, RULE).add(ours.head(7))
    again = folder_witness(tmp_path, RULE)
    again.add(ours.head(20, 7))
    assert again.read(ours.origin, 0) == ours.head(7).note
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.read_text() for path in files] == [ours.head(7).note, ours.head(20).note]


def test_many_heads_are_spread_over_folders(
    tmp_path: Path, ours: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateways.witness.store.FOLDER_OF", 4)
    witness = folder_witness(tmp_path, RULE)
    for size in range(1, 12):
        witness.add(ours.head(size, size - 1))
    assert witness.count(ours.origin) == 11
    folders = [path for path in (tmp_path / ours.origin).iterdir() if path.is_dir()]
    assert len(folders) == 3
    assert witness.read(ours.origin, 10) == ours.head(11).note


def test_an_empty_file_left_by_a_power_cut_is_no_head(tmp_path: Path, ours: History) -> None:
    witness = folder_witness(tmp_path, RULE)
    witness.add(ours.head(7))
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    path.with_name("000000000001").write_text("")
    witness.add(ours.head(20, 7))
    assert witness.count(ours.origin) == 3


def test_an_empty_folder_left_by_a_kill_takes_the_next_head(tmp_path: Path, ours: History) -> None:
    witness = folder_witness(tmp_path, RULE)
    (tmp_path / ours.origin / "000000000").mkdir(parents=True)
    assert witness.count(ours.origin) == 0
    witness.add(ours.head(3))
    assert witness.count(ours.origin) == 1


def test_a_folder_with_something_else_in_it_takes_nothing(tmp_path: Path, ours: History) -> None:
    witness = folder_witness(tmp_path, RULE)
    witness.add(ours.head(7))
    path = next(path for path in tmp_path.rglob("*") if path.is_file())
    path.write_text("something else\n")
    assert refusal(witness, ours.head(20, 7)) == "spoilt"


def test_names_tell_where_and_no_secret(tmp_path: Path) -> None:
    assert folder_witness(tmp_path, RULE).name == str(tmp_path)
    with closing(HttpWitness("https://user:secret@witness.example/x")) as witness:
        assert witness.name == "https://witness.example/x"
    address = "s3://heads/some/where?endpoint=http://127.0.0.1:9"
    assert isinstance(bucket_witness(address, RULE), StoreWitness)
    assert bucket_witness(address, RULE).name == "s3://heads/some/where"
    assert origin_of(UUID(int=1), "record").endswith("/record")

"""Is whatever was changed in a bundle found, and named? Also where the manifest was signed anew."""

import json
import random
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy import verify_bundle
from record.bundle import MANIFEST
from tests.support.evidence import Desk, Files, Judge, rezip, unzip
from tests.support.record import Record

Json = dict[str, Any]
Lines = list[Json]
JSON = ("record.jsonl", "access.jsonl", "keys.json", "census.json")
RANDOM_CHANGES = 600


class Scene:
    """Bundles of one practice and of another, made once for all changes."""

    def __init__(self, record: Record, folder: Path) -> None:
        self.desk = Desk.of(record, record.new_practice())
        self.judge = Judge(folder)
        self.other_client = self.desk.client(notes=3, reads=3)
        self.client = self.desk.client(notes=4, reads=4)
        self.older = unzip(self.desk.bundle(self.client))
        self.desk.client(notes=2, reads=2)
        self.files = unzip(self.desk.bundle(self.client))
        self.others = unzip(self.desk.bundle(self.other_client))
        elsewhere = Desk.of(record, record.new_practice())
        self.elsewhere = unzip(elsewhere.bundle(elsewhere.client()))
        self.other_key = elsewhere.key

    def wrong(self, files: Files) -> str:
        return self.judge.wrong(rezip(files), self.desk.key)

    def wrong_though_signed(self, files: Files) -> str:
        return self.wrong(self.desk.signed(files))


@pytest.fixture(scope="module")
def scene(record: Record, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    made = Scene(record, tmp_path_factory.mktemp("bundles"))
    assert made.wrong(made.files) == ""
    assert made.wrong_though_signed(made.files) == ""
    return made


def lines_of(files: Files, log: str) -> Lines:
    return [json.loads(line) for line in files[f"{log}.jsonl"].splitlines()]


def with_lines(files: Files, log: str, lines: Lines) -> Files:
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return {**files, f"{log}.jsonl": text}


def at_line(number: int, change: Callable[[Json], Json], log: str = "record") -> Any:
    def changed(scene: Scene) -> Files:
        lines = lines_of(scene.files, log)
        lines[number] = {**lines[number], **change(lines[number])}
        return with_lines(scene.files, log, lines)

    return changed


def flipped(text: str) -> str:
    raw = bytearray(b64decode(text))
    raw[len(raw) // 2] ^= 1
    return b64encode(raw).decode()


def without(*numbers: int, log: str = "record") -> Any:
    return lambda scene: with_lines(
        scene.files,
        log,
        [one for n, one in enumerate(lines_of(scene.files, log)) if n not in numbers],
    )


def swapped(name: str) -> Any:
    """Two notes exchange something."""

    def changed(scene: Scene) -> Files:
        lines = lines_of(scene.files, "record")
        lines[1][name], lines[2][name] = lines[2][name], lines[1][name]
        return with_lines(scene.files, "record", lines)

    return changed


def one_more(scene: Scene) -> Files:
    lines = lines_of(scene.files, "record") + lines_of(scene.others, "record")
    return with_lines(scene.files, "record", sorted(lines, key=lambda one: one["position"]))


def doubled(scene: Scene) -> Files:
    lines = lines_of(scene.files, "record")
    return with_lines(scene.files, "record", [*lines[:2], *lines[1:]])


def reordered(scene: Scene) -> Files:
    return with_lines(scene.files, "record", lines_of(scene.files, "record")[::-1])


def from_another(bundle: str, *names: str) -> Any:
    return lambda scene: {**scene.files, **{one: getattr(scene, bundle)[one] for one in names}}


def census_of_another(scene: Scene) -> Files:
    census = json.loads(scene.files["census.json"])
    census["record"] = {
        str(scene.client): json.loads(scene.others["census.json"])["record"][
            str(scene.other_client)
        ]
    }
    return {**scene.files, "census.json": json.dumps(census).encode()}


def other_key(scene: Scene) -> Files:
    keys = json.loads(scene.files["keys.json"])
    return {
        **scene.files,
        "keys.json": json.dumps({one: flipped(keys[one]) for one in keys}).encode(),
    }


def about_more(scene: Scene) -> Files:
    text = scene.files[MANIFEST].decode().replace("clients ", f"clients {scene.other_client} ")
    return {**scene.files, MANIFEST: text.encode()}


def _set(name: str, value: object, _: Json) -> Json:
    return {name: value}


HEADER_CHANGES: Json = {
    "actor": str(UUID(int=7)),
    "on_behalf_of": None,
    "role": "auditor",
    "type": "note.retracted.v1",
    "purpose": "payment",
    "version": 2,
    "occurred_at": "2026-01-01T00:00:00.000000+00:00",
    "recorded_at": "2026-01-01T00:00:00.000001+00:00",
    "command_id": str(UUID(int=7)),
    "correlation_id": None,
    "causation_id": str(UUID(int=7)),
    "location": None,
    "stream_id": str(UUID(int=7)),
    "key_id": str(UUID(int=7)),
}
NOT_THERE = "is not in the log as it stands here"
MISSING = "not all entries of"
CHANGES: dict[str, tuple[Any, str]] = {
    "the first entry is left out": (without(0), MISSING),
    "one in the middle is left out": (without(2), MISSING),
    "the last one is left out": (without(4), MISSING),
    "all are left out": (without(*range(5)), MISSING),
    "an access is left out": (without(1, log="access"), MISSING),
    "the last access is left out": (without(3, log="access"), MISSING),
    "another client's are put in": (one_more, "is about somebody else"),
    "one stands there twice": (doubled, "is out of order or beyond the head"),
    "the order is turned": (reordered, "is out of order or beyond the head"),
    "a position is past the head": (
        at_line(4, lambda _: {"position": 10**6}), "is out of order or beyond the head"),
    "it is another client's": (
        at_line(2, lambda _: {"subject": str(UUID(int=7))}), "is about somebody else"),
    "a word of a body is changed": (
        at_line(1, lambda one: {"body": {**one["body"], "is_locked": 1}}),
        "the body is not what its ciphertext says"),
    "a body is left out": (
        at_line(1, lambda _: {"body": None}), "the body is not what its ciphertext says"),
    "two bodies change places": (swapped("body"), "the body is not what its ciphertext says"),
    "two ciphertexts change places": (swapped("ciphertext"), NOT_THERE),
    "two proofs change places": (swapped("proof"), NOT_THERE),
    "a bit of a ciphertext is turned": (
        at_line(3, lambda one: {"ciphertext": flipped(one["ciphertext"])}), NOT_THERE),
    "a bit of a proof is turned": (
        at_line(3, lambda one: {"proof": [flipped(one["proof"][0]), *one["proof"][1:]]}),
        NOT_THERE),
    "a proof is too long": (
        at_line(3, lambda one: {"proof": [*one["proof"], one["proof"][0]]}), "is too long or"),
    "a proof is too short": (
        at_line(3, lambda one: {"proof": one["proof"][:-1]}), "or too short"),
    "another leaf hash is named": (
        at_line(3, lambda _: {"leaf_hash": "00" * 32}), "names other hashes"),
    "another digest is named": (
        at_line(3, lambda _: {"ciphertext_sha256": "00" * 32}), "names other hashes"),
    "the keys are others": (other_key, "the key does not open the body"),
    "there are no keys": (
        lambda scene: {**scene.files, "keys.json": b"{}"}, "a body without its key"),
    "the head is an older one": (
        from_another("older", "record.checkpoint"), "the census is of another head"),
    "head and census are older ones": (
        from_another("older", "record.checkpoint", "record.census"), NOT_THERE),
    "the census is an older one": (
        from_another("older", "record.census"), "the census is of another head"),
    "the census is of the other log": (
        lambda scene: {**scene.files, "record.census": scene.files["access.census"]},
        "there is another note in the place of"),
    "the head is another practice's": (
        from_another("elsewhere", "record.checkpoint"), "there is another note in the place of"),
    "the count is another client's": (census_of_another, MISSING),
    "it says to be about more clients": (about_more, "the signature of"),
    **{
        f"the {name} of an entry is changed": (
            at_line(0 if value is None else 2, partial(_set, name, value)), NOT_THERE)
        for name, value in HEADER_CHANGES.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_bundle_is_refused_and_the_reason_named_when(scene: Scene, what: str) -> None:
    change, reason = CHANGES[what]
    files = change(scene)
    assert files != scene.files
    # As anybody could do it …
    altered = scene.wrong(files)
    assert altered.endswith("was altered") or altered.startswith("the signature of"), altered
    # … and as only the practice could: it signs what it changed.
    if files[MANIFEST] == scene.files[MANIFEST]:
        assert reason in scene.wrong_though_signed(files)
    else:
        assert reason in altered


def test_a_signer_cannot_say_less_of_whom_it_is_about(scene: Scene) -> None:
    both = unzip(scene.desk.bundle(scene.client, scene.other_client))
    text = both[MANIFEST].decode().replace(f" {scene.other_client}", "")
    files = {**both, MANIFEST: text.encode()}
    assert "is about somebody else" in scene.wrong_though_signed(files)
    more = {**scene.files, MANIFEST: scene.files[MANIFEST].replace(
        b"clients ", f"clients {scene.other_client} ".encode())}  # fmt: skip
    assert "no bundle" in scene.wrong_though_signed(more)  # there is no proof of her count


def test_every_bit_counts(scene: Scene) -> None:
    """Random bits of random files, signed anew or not; and random cuts of the ZIP itself."""
    chance = random.Random(14)
    bundle = rezip(scene.files)
    for number in range(RANDOM_CHANGES):
        name = chance.choice(sorted(scene.files))
        changed = bytearray(scene.files[name])
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        files = {**scene.files, name: bytes(changed)}
        # Nothing is let pass but another writing of the signature line below the signed text.
        assert scene.wrong(files) or _is_signed_alike(files, scene.files), (number, name)
        if name in JSON:
            assert scene.wrong_though_signed(files) or _meaning(name, files) == _meaning(
                name, scene.files
            )
        torn = bytearray(bundle)
        torn[chance.randrange(len(torn))] ^= 1 << chance.randrange(8)
        found = scene.judge.wrong(bytes(torn), scene.desk.key)
        assert found or _unzips_the_same(bytes(torn), scene.files)
        assert scene.judge.wrong(bundle[: chance.randrange(len(bundle))], scene.desk.key)


def _is_signed_alike(files: Files, before: Files) -> bool:
    """The dash before a signature, or the slack of its base64: the manifest's text is the same."""
    texts = {one[MANIFEST].rpartition(b"\n\n")[0] for one in (files, before)}
    rest = [{name: one[name] for name in one if name != MANIFEST} for one in (files, before)]
    return len(texts) == 1 and rest[0] == rest[1]


def _meaning(name: str, files: Files) -> Any:
    """What a file of JSON says: base64, ids, hashes and times can be written in several ways."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {plain(key): plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, str) and value.endswith("="):
            return b64decode(value)
        if isinstance(value, str):
            for read in (UUID, datetime.fromisoformat):
                with suppress(ValueError):
                    return read(value)
            return value.lower()
        return value

    return [plain(json.loads(line)) for line in files[name].splitlines()]


def _unzips_the_same(bundle: bytes, files: Files) -> bool:
    """A bit of a ZIP that nobody reads: a time, an owner, a comment."""
    return unzip(bundle) == files


@pytest.mark.parametrize(
    ("bundle", "reason"),
    [
        (b"", "no bundle"),
        (b"PK\x03\x04 not really", "no bundle"),
        (rezip({}), "no bundle"),
        (rezip({MANIFEST: b"\xff\xfe"}), "no bundle"),
        (rezip({MANIFEST: b"palimpsest/zero/bundle\n\n"}), "no bundle"),
        (rezip({"../../etc/passwd": b"x", MANIFEST: b"palimpsest/"}), "no bundle"),
        (rezip({MANIFEST: b'{"json": true}\n\n-- x y\n'}), "no bundle"),
    ],
)
def test_garbage_is_refused(scene: Scene, bundle: bytes, reason: str) -> None:
    assert reason in scene.judge.wrong(bundle, scene.desk.key)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("record.jsonl", b"[" * 100_000),
        ("record.jsonl", b'{"position": 1e400}\n'),
        ("record.jsonl", b"null\n"),
        ("record.jsonl", b'{"position": true, "ciphertext": "%%%"}\n'),
        ("keys.json", b"[]"),
        ("keys.json", b"{}{}"),
        ("census.json", b'{"record": null}'),
        ("census.json", b'{"record": {}, "access": {}}'),
        ("record.checkpoint", b"\n\n"),
    ],
)
def test_odd_content_is_refused_whoever_signed_it(scene: Scene, name: str, content: bytes) -> None:
    assert scene.wrong_though_signed({**scene.files, name: content})


def test_nothing_is_added_left_out_or_in_twice(scene: Scene) -> None:
    more = {**scene.files, "photo.jpg": b"x"}
    assert scene.wrong(more) == "the files are not those of the manifest"
    assert scene.wrong_though_signed(more) == ""  # room for attachments
    for name in scene.files.keys() - {MANIFEST}:
        less = {one: content for one, content in scene.files.items() if one != name}
        assert scene.wrong(less) == "the files are not those of the manifest"
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = rezip([*scene.files.items(), ("chart.pdf", b"another chart")])
    assert scene.judge.wrong(twice, scene.desk.key) == "a file is in it twice"


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, bytes(2**21))
    monkeypatch.setattr(verify_bundle, "LIMIT", 2**20)
    found = scene.judge.wrong(made.getvalue(), scene.desk.key)
    assert found == "it is larger than a bundle may be"

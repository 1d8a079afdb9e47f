"""Is a signed head a checkpoint as C2SP specifies it, and does a wrong one not open?"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateways.kms.simulator import SimulatedKms
from record.checkpoint import BadNote, Checkpoint, SigningKey, VerifyKey, _parse

PRACTICE = UUID("5f0c7a39-1f8d-5f0e-9a53-0d2f1b1f3a10")
ORIGIN = f"palimpsest/{PRACTICE}/record"
ROOT = hashlib.sha256(b"a root").digest()
EXAMPLE: str = json.loads((Path(__file__).parent / "merkle_vectors.json").read_text())["note"][
    "text"
]


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.of(SimulatedKms(), PRACTICE, "record")


@pytest.fixture
def note(key: SigningKey) -> str:
    return key.sign(1234, ROOT)


def test_the_published_example_is_read_as_a_checkpoint() -> None:
    text = EXAMPLE.rpartition("\n\n")[0] + "\n"
    read = _parse(text, "example.com/behind-the-sofa")
    assert read.size == 20852163
    assert read.root.hex().startswith("0ac5186a91863e8e")
    assert read.text == text


def test_a_note_has_the_lines_of_the_specification(key: SigningKey, note: str) -> None:
    lines = note.split("\n")
    assert lines[:4] == [ORIGIN, "1234", b64encode(ROOT).decode(), ""]
    assert lines[5:] == [""]
    dash, name, encoded = lines[4].split(" ")
    assert (dash, name) == ("—", ORIGIN)
    signature = b64decode(encoded)
    public = key.verify_key.public
    assert signature[:4] == hashlib.sha256(f"{ORIGIN}\n\x01".encode() + public).digest()[:4]
    # By another hand: the library's own key, over the text alone.
    Ed25519PublicKey.from_public_bytes(public).verify(
        signature[4:], f"{ORIGIN}\n1234\n{lines[2]}\n".encode()
    )


def test_the_key_that_signed_opens_it(key: SigningKey, note: str) -> None:
    assert key.verify_key.open(note) == Checkpoint(ORIGIN, 1234, ROOT)


def test_signatures_of_others_are_passed_over(key: SigningKey, note: str) -> None:
    other = SigningKey.of(SimulatedKms(bytes(32)), PRACTICE, "record").sign(1234, ROOT)
    witness = f"— witness.example {b64encode(bytes(76)).decode()}\n"
    theirs = other.rpartition("\n\n")[2]
    text, _, ours = note.rpartition("\n\n")
    for signed in (note + witness, note + theirs, f"{text}\n\n{theirs}{ours}"):
        assert key.verify_key.open(signed).size == 1234


def test_each_practice_log_and_root_key_has_a_key_of_its_own(key: SigningKey) -> None:
    others = [
        SigningKey.of(SimulatedKms(), UUID(int=1), "record"),
        SigningKey.of(SimulatedKms(), PRACTICE, "access"),
        SigningKey.of(SimulatedKms(bytes(32)), PRACTICE, "record"),
    ]
    assert len({str(one.verify_key) for one in (key, *others)}) == 4
    for other in others:
        with pytest.raises(BadNote):
            other.verify_key.open(key.sign(5, ROOT))


def test_every_changed_character_is_noticed(key: SigningKey, note: str) -> None:
    assert "\n1234\n" in note
    for place, was in enumerate(note):
        for other in ("A", "1", "\n", " "):
            changed = note[:place] + other + note[place + 1 :]
            # Base64 has spare bits at its end, so only its strict form is taken.
            if other != was:
                with pytest.raises(BadNote):
                    key.verify_key.open(changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "no note at all",
        f"{ORIGIN}\n1234\n",
        f"{ORIGIN}\n1234\n{b64encode(ROOT).decode()}\n",
        "x" * 5000,
    ],
)
def test_what_is_no_note_is_refused(key: SigningKey, text: str) -> None:
    with pytest.raises(BadNote):
        key.verify_key.open(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n01234\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n+1234\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1234\n{b64encode(ROOT[:-1]).decode()}\n",
        f"{ORIGIN}\n1234\n{b64encode(ROOT).decode()}\nan extension\n",
        f"palimpsest/{PRACTICE}/access\n1234\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n1234\n",
    ],
)
def test_a_signed_text_that_is_no_head_of_this_log_is_refused(key: SigningKey, text: str) -> None:
    signature = key.verify_key.id + key.private.sign(text.encode())
    with pytest.raises(BadNote, match="not a checkpoint"):
        key.verify_key.open(f"{text}\n— {ORIGIN} {b64encode(signature).decode()}\n")


def test_a_printed_key_is_read_back(key: SigningKey) -> None:
    printed = str(key.verify_key)
    assert VerifyKey.parse(f" {printed}\n") == key.verify_key
    name, key_id, encoded = printed.split("+", 2)
    assert (name, len(key_id)) == (ORIGIN, 8)
    assert b64decode(encoded) == b"\x01" + key.verify_key.public


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:0],
        lambda text: text[:-4],
        lambda text: text.replace("/record", "/access"),
        lambda text: text.partition("+")[0],
        lambda text: text.replace("+A", "+B"),
        lambda text: text[text.index("+") :],
    ],
)
def test_a_spoilt_key_is_refused(key: SigningKey, spoil: Callable[[str], str]) -> None:
    with pytest.raises(BadNote):
        VerifyKey.parse(spoil(str(key.verify_key)))

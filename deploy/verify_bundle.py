"""Does an evidence bundle prove what it says? With Python 3.11 and `cryptography`, and no network.

Usage: python verify_bundle.py FILE --key PUB, a vkey of the practice that is not from the bundle.
"""

import argparse
import json
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LIMIT = 2**29  # bytes that a bundle may unpack to
NOT_PROVEN = """PROVEN. No bundle proves that what was written is true or that all was written down,
who stands behind an id, or that the key's holder counted honestly: who has the log counts again."""
OPTIONAL = "subject on_behalf_of location command_id correlation_id causation_id key_id"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wrong(ValueError): ...  # the first thing that is not as it should be


def check(holds: object, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)


def digest(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def read_keys(vkeys: str) -> dict[str, bytes]:
    """The key of each practice, of its C2SP vkeys. Raises `ValueError`."""
    keys: dict[str, bytes] = {}
    for vkey in vkeys.split():
        name, number, coded = (*vkey.split("+", 2), "", "")[:3]
        raw, owner = b64decode(coded + "=="), name.rpartition("/")[0]
        id_ = digest(name.encode(), b"\n", raw)[:4].hex()
        check(raw[:1] == b"\x01" and number == id_, f"this is no public key: {vkey}")
        check(keys.setdefault(owner, raw[1:]) == raw[1:], f"two different keys of {owner}")
    return keys


def unpack(path: str) -> dict[str, bytes]:
    """Reads the ZIP, and no more of it than the limit, whatever it says of itself."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        check(sum(one.file_size for one in members) <= LIMIT, "it is larger than a bundle may be")
        check(len({one.filename for one in members}) == len(members), "a file is in it twice")
        return {one.filename: archive.open(one).read(one.file_size) for one in members}


def open_note(name: str, note: bytes, key: bytes) -> list[str]:
    """The lines of a signed note (C2SP), if the key signed it under that name."""
    text, _, signatures = note.decode().rpartition("\n\n")
    check(text.split("\n")[0] == name, f"there is another note in the place of {name}")
    signed = [b64decode(one.split(" ")[2]) for one in signatures.splitlines() if f" {name} " in one]
    ours = [one[4:] for one in signed if one[:4] == digest(name.encode(), b"\n\x01", key)[:4]]
    check(ours, f"{name} is not signed by the key given")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(ours[0], f"{text}\n".encode())
    except InvalidSignature:
        raise Wrong(f"the signature of {name} is false") from None
    return text.split("\n")


def leaf_hash(practice: UUID, log: str, entry: dict[str, Any], ciphertext: bytes) -> bytes:
    """The leaf of an entry (RFC 6962, 2.1): its whole header, and its ciphertext."""
    texts = [one.encode() for one in (log, entry["type"], entry["role"], entry["purpose"])]
    name, kind, role, purpose = (len(one).to_bytes(4, "big") + one for one in texts)
    ids = (
        b"\0" if entry[it] is None else b"\x01" + UUID(entry[it]).bytes for it in OPTIONAL.split()
    )
    subject, behalf, place, *causes, key = ids
    times = [datetime.fromisoformat(entry[it]) - EPOCH for it in ("occurred_at", "recorded_at")]
    micros = [(one // timedelta(microseconds=1)).to_bytes(8, "big", signed=True) for one in times]
    return digest(
        b"\x00\x01", practice.bytes, name, UUID(entry["stream_id"]).bytes,
        entry["version"].to_bytes(4, "big"), entry["position"].to_bytes(8, "big"), kind, subject,
        UUID(entry["actor"]).bytes, behalf, role, place, purpose, *causes, *micros, key, ciphertext
    )  # fmt: skip


def root_over(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that a leaf and its inclusion proof lead to (RFC 6962, 2.1.1)."""
    if size == 1 or not proof:
        check(size == 1 and not proof, "an inclusion proof is too long or too short")
        return leaf
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        return digest(b"\x01", root_over(leaf, index, left, proof[:-1]), proof[-1])
    return digest(b"\x01", proof[-1], root_over(leaf, index - left, size - left, proof[:-1]))


def census_over(client: UUID, leaves: list[bytes], siblings: list[bytes]) -> bytes:
    """The root over a client's count. Her place in the tree is fixed: one root, one count."""
    node = digest(b"\x00", client.bytes, len(leaves).to_bytes(8, "big"), digest(*leaves))
    place = int.from_bytes(digest(client.bytes), "big")
    for depth, sibling in reversed(list(enumerate(siblings))):
        pair = (sibling, node) if place >> (255 - depth) & 1 else (node, sibling)
        node = digest(b"\x01", *pair)
    return node


def check_body(place: bytes, entry: dict[str, Any], sealed: bytes, keys: dict[str, str]) -> bool:
    """Opens the ciphertext with the client's key and compares: true, or raises."""
    stream, key_id, subject = (UUID(entry[it]).bytes for it in ("stream_id", "key_id", "subject"))
    about = place + b"\x1f" + stream + entry["version"].to_bytes(4, "big") + key_id
    about += entry["type"].encode() + b"\x1f" + subject
    try:
        text = AESGCM(b64decode(keys[entry["key_id"]])).decrypt(sealed[1:13], sealed[13:], about)
    except InvalidTag:
        raise Wrong(f"position {entry['position']}: the key does not open the body") from None
    said, read = (json.dumps(one, sort_keys=True) for one in (entry["body"], json.loads(text)))
    check(said == read, f"position {entry['position']}: the body is not what its ciphertext says")
    return True


def check_log(origin: str, ids: str, files: dict[str, bytes], key: bytes) -> Iterator[str]:
    """The head of one log, the clients' entries in it, and that none of them is missing."""
    practice, log = UUID(origin.split("/")[1]), origin.split("/")[2]
    _, size, root = open_note(origin, files[f"{log}.checkpoint"], key)[:3]
    _, counted, census = open_note(f"{origin}-census", files[f"{log}.census"], key)[:3]
    check(size == counted, f"{log}: the census is of another head")
    yield f"{log}: a head of {size} entries is signed, root {root}"
    keys, proofs = json.loads(files["keys.json"]), json.loads(files["census.json"])[log]
    found: dict[UUID, list[bytes]] = {UUID(one): [] for one in ids.split(" ")}
    opened = last = 0
    for line in files[f"{log}.jsonl"].splitlines():
        entry = json.loads(line)
        sealed, at = b64decode(entry["ciphertext"], validate=True), entry["position"]
        check(last < at <= int(size), f"{log}: position {at} is out of order or beyond the head")
        check(UUID(entry["subject"]) in found, f"{log}: position {at} is about somebody else")
        leaf, last = leaf_hash(practice, log, entry, sealed), at
        over = root_over(leaf, at - 1, int(size), [b64decode(one) for one in entry["proof"]])
        check(over == b64decode(root), f"{log}: position {at} is not in the log as it stands here")
        named = [entry["leaf_hash"], entry["ciphertext_sha256"]]
        check(named == [leaf.hex(), digest(sealed).hex()], f"{log}: {at} names other hashes")
        is_open = entry["key_id"] in keys
        check(is_open or entry["body"] is None, f"{log}: position {at}: a body without its key")
        opened += is_open and check_body(practice.bytes + log.encode(), entry, sealed, keys)
        found[UUID(entry["subject"])].append(leaf)
    count = sum(map(len, found.values()))
    yield f"{log}: {count} entries, each in the log at its position"
    yield f"{log}: {opened} bodies are what their ciphertexts say; NOT PROVEN: {count - opened}"
    for client, leaves in found.items():
        over = census_over(client, leaves, [b64decode(one) for one in proofs[str(client)]])
        check(over == b64decode(census), f"{log}: not all entries of {client}, or not only hers")
        yield f"{log}: complete: the census counts {len(leaves)} entries of {client}"


def verify(path: str, keys: dict[str, bytes]) -> Iterator[str]:
    """What the bundle proves, line by line. Raises `Wrong`; garbage raises anything."""
    files = unpack(path)
    practice = f"palimpsest/{UUID(files['manifest'].decode().split('/')[1])}"
    check(practice in keys, f"no key of {practice} was given")
    _, *lines = open_note(f"{practice}/bundle", files["manifest"], keys[practice])
    told = dict(line.split(" ", 1) for line in lines if not line.startswith("file "))
    signed = dict(line.split(" ")[:0:-1] for line in lines if line.startswith("file "))
    check(told["format"] == "1", "this verifier knows format 1 only")
    yield f"the manifest is signed by {practice}, exported at {told['exported-at']}"
    check(signed.keys() | {"manifest"} == files.keys(), "the files are not those of the manifest")
    altered = [name for name, sha in signed.items() if digest(files[name]).hex() != sha]
    check(not altered, f"{', '.join(altered)} was altered")
    yield f"all {len(signed)} files are as they were signed"
    for log in ("record", "access"):
        yield from check_log(f"{practice}/{log}", told["clients"], files, keys[practice])
    yield f"chart.pdf is the file that was signed: the chart as known at {told['as-of']}"


def main(arguments: list[str] | None = None) -> None:
    """Prints what is proven; exits with 1 at the first thing wrong, with 2 if it cannot look."""
    parser = argparse.ArgumentParser(description="Checks an evidence bundle, offline.")
    parser.add_argument("file")
    parser.add_argument("--key", required=True, help="the practice's vkey, or a file of vkeys")
    asked = parser.parse_args(arguments)
    try:
        Path(asked.file).open("rb").close()
        keys = read_keys(asked.key if "+" in asked.key else Path(asked.key).read_text())
    except (OSError, ValueError) as error:
        parser.exit(2, f"cannot look: {error}\n")
    try:
        for line in verify(asked.file, keys):
            print("ok   ", ascii(line)[1:-1])
    except Exception as error:  # noqa: BLE001 - whatever stands in the file: no traceback
        said = str(error) if isinstance(error, Wrong) else f"no bundle ({type(error).__name__})"
        raise SystemExit(f"WRONG {ascii(said)[1:-1]}") from None
    print(NOT_PROVEN)


if __name__ == "__main__":
    main()

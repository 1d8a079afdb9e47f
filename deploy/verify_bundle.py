"""Does an evidence bundle prove what it says? Needs Python 3.11 and `cryptography`, nothing else.

Usage: python verify_bundle.py FILE --key PUB, where PUB is a public key of the practice (a C2SP
vkey), or a file of them: noted down before, not taken from the bundle. No network is used.
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
NOT_PROVEN = """PROVEN. No bundle proves that what was written is true, or that nothing was left out
before it was written; that the signing key's holder counted honestly for the census (whoever has
the whole log counts again, and two that differ convict him); or who stands behind an id."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wrong(Exception):
    """The first thing that is not as it should be."""


def check(holds: object, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)


def digest(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def unpack(path: str) -> dict[str, bytes]:
    """Reads the ZIP, and no more of it than the limit, whatever it says of itself."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        check(sum(one.file_size for one in members) <= LIMIT, "it is larger than a bundle may be")
        files = {one.filename: archive.open(one).read(one.file_size) for one in members}
    check(len(files) == len(members), "a file is in it twice")
    return files


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

    def text(value: str) -> bytes:
        return len(value.encode()).to_bytes(4, "big") + value.encode()

    def maybe(name: str) -> bytes:
        return b"\x00" if entry[name] is None else b"\x01" + UUID(entry[name]).bytes

    times = [datetime.fromisoformat(entry[name]) - EPOCH for name in ("occurred_at", "recorded_at")]
    micros = [(one // timedelta(microseconds=1)).to_bytes(8, "big", signed=True) for one in times]
    return digest(
        b"\x00\x01", practice.bytes, text(log), UUID(entry["stream_id"]).bytes,
        entry["version"].to_bytes(4, "big"), entry["position"].to_bytes(8, "big"),
        text(entry["type"]), maybe("subject"), UUID(entry["actor"]).bytes, maybe("on_behalf_of"),
        text(entry["role"]), maybe("location"), text(entry["purpose"]), maybe("command_id"),
        maybe("correlation_id"), maybe("causation_id"), *micros, maybe("key_id"), ciphertext,
    )  # fmt: skip


def root_over(node: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that a leaf and its inclusion proof lead to (RFC 9162, 2.1.3.2)."""
    last = size - 1
    for sibling in proof:
        check(last, "an inclusion proof is too long")
        if index & 1 or index == last:
            node = digest(b"\x01", sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = digest(b"\x01", node, sibling)
        index, last = index >> 1, last >> 1
    check(not last, "an inclusion proof is too short")
    return node


def census_over(client: UUID, leaves: list[bytes], siblings: list[bytes]) -> bytes:
    """The root over a client's count. Her place in the tree is fixed: one root, one count."""
    node = digest(b"\x00", client.bytes, len(leaves).to_bytes(8, "big"), digest(*leaves))
    place = int.from_bytes(digest(client.bytes), "big")
    for depth, sibling in reversed(list(enumerate(siblings))):
        is_right = place >> (255 - depth) & 1
        node = digest(b"\x01", sibling, node) if is_right else digest(b"\x01", node, sibling)
    return node


def check_body(place: bytes, entry: dict[str, Any], sealed: bytes, keys: dict[str, str]) -> bool:
    """Opens the ciphertext with the client's key and compares. False where there is no key."""
    if entry["key_id"] not in keys:
        check(entry["body"] is None, f"position {entry['position']}: a body without its key")
        return False
    about = b"".join((
        place, UUID(entry["stream_id"]).bytes, entry["version"].to_bytes(4, "big"),
        UUID(entry["key_id"]).bytes, entry["type"].encode(), b"\x1f", UUID(entry["subject"]).bytes,
    ))  # fmt: skip
    try:
        text = AESGCM(b64decode(keys[entry["key_id"]])).decrypt(sealed[1:13], sealed[13:], about)
    except InvalidTag:
        raise Wrong(f"position {entry['position']}: the key does not open the body") from None
    said, read = (json.dumps(one, sort_keys=True) for one in (entry["body"], json.loads(text)))
    check(said == read, f"position {entry['position']}: the body is not what its ciphertext says")
    return True


def check_log(origin: str, ids: list[UUID], files: dict[str, bytes], key: bytes) -> Iterator[str]:
    """The head of one log, the clients' entries in it, and that none of them is missing."""
    practice, log = UUID(origin.split("/")[1]), origin.split("/")[2]
    _, size, root = open_note(origin, files[f"{log}.checkpoint"], key)[:3]
    _, counted, census = open_note(f"{origin}-census", files[f"{log}.census"], key)[:3]
    check(size == counted, f"{log}: the census is of another head")
    yield f"{log}: a head of {size} entries is signed, root {root}"
    keys, proofs = json.loads(files["keys.json"]), json.loads(files["census.json"])[log]
    found: dict[UUID, list[bytes]] = {client: [] for client in ids}
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
        opened += check_body(practice.bytes + log.encode() + b"\x1f", entry, sealed, keys)
        found[UUID(entry["subject"])].append(leaf)
    count = sum(map(len, found.values()))
    yield f"{log}: {count} entries, each in the log at its position"
    yield f"{log}: {opened} bodies are what their ciphertexts say; NOT PROVEN: {count - opened}"
    for client, leaves in found.items():
        over = census_over(client, leaves, [b64decode(one) for one in proofs[str(client)]])
        check(over == b64decode(census), f"{log}: not all entries of {client}, or not only hers")
        yield f"{log}: complete: the census counts {len(leaves)} entries of {client}"


def verify(path: str, vkeys: list[str]) -> Iterator[str]:
    """What the bundle proves, line by line. Raises `Wrong`; garbage raises anything."""
    files = unpack(path)
    practice = UUID(files["manifest"].decode().split("/")[1])
    own = [one.split("+", 2)[2] for one in vkeys if one.startswith(f"palimpsest/{practice}/")]
    check(own, f"no key of practice {practice} was given")
    key = b64decode(own[0])[1:]
    _, *lines = open_note(f"palimpsest/{practice}/bundle", files["manifest"], key)
    told = dict(line.split(" ", 1) for line in lines if not line.startswith("file "))
    signed = dict(line.split(" ")[:0:-1] for line in lines if line.startswith("file "))
    check(told["format"] == "1", "this verifier knows format 1 only")
    yield f"the manifest is signed by practice {practice}, exported at {told['exported-at']}"
    check(signed.keys() | {"manifest"} == files.keys(), "the files are not those of the manifest")
    for name, sha in signed.items():
        check(digest(files[name]).hex() == sha, f"{name} was altered")
    yield f"all {len(signed)} files are as they were signed"
    clients = [UUID(one) for one in told["clients"].split(" ")]
    for log in ("record", "access"):
        yield from check_log(f"palimpsest/{practice}/{log}", clients, files, key)
    yield f"chart.pdf is the file that was signed: the chart as known at {told['as-of']}"


def main(arguments: list[str] | None = None) -> None:
    """Prints what is proven; at the first thing that is wrong it says so and exits with 1."""
    parser = argparse.ArgumentParser(description="Checks an evidence bundle, offline.")
    parser.add_argument("file")
    parser.add_argument("--key", required=True, help="the practice's vkey, or a file of vkeys")
    asked = parser.parse_args(arguments)
    try:
        given = asked.key if asked.key.count("+") > 1 else Path(asked.key).read_text()
        for line in verify(asked.file, given.split()):
            print("ok   ", ascii(line)[1:-1])
    except Exception as error:  # noqa: BLE001 - whatever stands in the file: no traceback
        said = str(error) if isinstance(error, Wrong) else f"no bundle ({type(error).__name__})"
        raise SystemExit(f"WRONG {ascii(said)[1:-1]}") from None
    print(NOT_PROVEN)


if __name__ == "__main__":
    main()

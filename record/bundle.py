"""How is evidence written down, so that anybody can check it with one public key? As a ZIP.

`deploy/verify_bundle.py` is the other half: it reads this format and shares no code with it.
"""

import json
import zipfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from record.checkpoint import origin_of
from record.export import BUNDLE, Entry, Evidence, Exports

FORMAT: Final = 1
MANIFEST: Final = "manifest"
README: Final = Path(__file__).with_name("bundle_readme.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Who took the evidence when, and of which moment its chart is."""

    practice: str
    people: Mapping[UUID, str]
    """What those who stand behind the entries are called."""
    as_of: datetime
    at: datetime
    by: UUID
    role: str


def write_bundle(
    exports: Exports, evidence: Evidence, export: Export, papers: Mapping[str, bytes]
) -> bytes:
    """The bundle's bytes. `papers` are files for people to read, such as the chart as a PDF."""
    files = {**_files(evidence, export), **papers}
    told = {
        "format": FORMAT,
        "clients": " ".join(map(str, evidence.clients)),
        "as-of": _moment(export.as_of),
        "exported-at": _moment(export.at),
        "exported-by": f"{export.by} {export.role}",
        "censuses-kept-by": f"{evidence.kept_by} witnesses",
    }
    lines = [origin_of(evidence.practice_id, BUNDLE)]
    lines += [f"{fact} {value}" for fact, value in told.items()]
    lines += [f"file {sha256(files[name]).hexdigest()} {name}" for name in sorted(files)]
    note = exports.sign(evidence.practice_id, "\n".join((*lines, "")))
    return _zip({MANIFEST: note.encode(), **dict(sorted(files.items()))})


def _files(evidence: Evidence, export: Export) -> dict[str, bytes]:
    actors = {one.header["actor"] for log in evidence.logs.values() for one in log.entries}
    files = {
        "README.txt": README.read_bytes(),
        "keys.json": _json({str(key_id): _base64(key) for key_id, key in evidence.keys.items()}),
        "names.json": _json(
            {
                "practice": export.practice,
                "people": {str(one): export.people.get(one, "unknown") for one in sorted(actors)},
            }
        ),
        "census.json": _json(
            {
                name: {str(client): _all(proof) for client, proof in log.counted.items()}
                for name, log in evidence.logs.items()
            }
        ),
    }
    for name, log in evidence.logs.items():
        files[f"{name}.checkpoint"] = log.head.note.encode()
        files[f"{name}.census"] = log.census.encode()
        files[f"{name}.jsonl"] = b"".join(_line(entry) for entry in log.entries)
    return files


def _line(entry: Entry) -> bytes:
    """One entry as JSON: what its leaf hash covers, what it says, and where it is in the tree."""
    header = {
        name: _moment(value) if isinstance(value, datetime) else value
        for name, value in entry.header.items()
    }
    return _json(
        {
            **header,
            "body": None if entry.text is None else json.loads(entry.text),
            "ciphertext": _base64(entry.ciphertext),
            "ciphertext_sha256": sha256(entry.ciphertext).hexdigest(),
            "leaf_hash": entry.recorded.leaf_hash.hex(),
            "proof": _all(entry.proof),
        }
    )


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The same files give the same bytes: no times, no owners."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            archive.writestr(member, content)
    return made.getvalue()


def _json(value: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(value, default=str, sort_keys=False).encode() + b"\n"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _all(hashes: Sequence[bytes]) -> list[str]:
    return [_base64(one) for one in hashes]

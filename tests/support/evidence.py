"""How does a test take an evidence bundle, take it apart, and put it together again, changed?"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from deploy.verify_bundle import Wrong, read_keys, verify
from domain.chart.aggregate import NOTE
from domain.client.aggregate import CLIENT
from domain.kernel.ids import PracticeId
from gateways.witness import Witness
from record.bundle import MANIFEST, Export, write_bundle
from record.export import Evidence, Exports
from record.seals import Seals
from tests.support.record import Record, context, register, sign

Files = dict[str, bytes]
PAPER = {"chart.pdf": b"a chart on paper"}
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """Where evidence is taken in tests of the record alone."""

    record: Record
    practice_id: PracticeId
    seals: Seals
    exports: Exports

    @classmethod
    def of(cls, record: Record, practice_id: PracticeId, *witnesses: Witness) -> "Desk":
        seals = Seals(record.database, record.kms)
        logs = record.practices, record.access_logs
        exports = Exports(record.database, seals, record.keys, logs, witnesses)
        return cls(record, practice_id, seals, exports)

    @property
    def key(self) -> str:
        """The public key, as people note it down."""
        return str(self.seals.verify_key(self.practice_id, "record"))

    def client(self, notes: int = 2, reads: int = 2) -> UUID:
        """A client with a few notes, who was looked at a few times."""
        client, practice = uuid4(), self.record.practices[self.practice_id]
        by = context(self.practice_id, on_behalf_of=uuid4(), location_id=uuid4())
        practice.handle(CLIENT, client, register(client, by), by)
        for number in range(notes):
            by = context(self.practice_id)
            practice.handle(NOTE, uuid4(), sign(client, by, f"Note {number} of {client}."), by)
        for _ in range(reads):
            self.record.accesses.note(context(self.practice_id), "read", "chart", clients=[client])
        return client

    def gather(self, *clients: UUID) -> Evidence:
        """The evidence about clients, by now."""
        return self.exports.gather(self.practice_id, clients)

    def bundle(self, *clients: UUID, papers: Mapping[str, bytes] = PAPER) -> bytes:
        """The bundle of clients."""
        evidence = self.gather(*clients)
        export = Export(
            practice="A practice", people={}, as_of=NOW, at=NOW, by=UUID(int=1), role="auditor"
        )
        return write_bundle(self.exports, evidence, export, papers)

    def signed(self, files: Files) -> Files:
        """The files with a manifest that fits them: what only the practice itself could do."""
        text = files[MANIFEST].decode().rpartition("\n\n")[0]
        lines = [line for line in text.split("\n") if not line.startswith("file ")]
        rest = sorted(files.keys() - {MANIFEST})
        lines += [f"file {sha256(files[name]).hexdigest()} {name}" for name in rest]
        note = self.exports.sign(self.practice_id, "\n".join((*lines, "")))
        return {**files, MANIFEST: note.encode()}


def unzip(bundle: bytes) -> Files:
    """The files of a bundle."""
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(files: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> bytes:
    """Files as a ZIP, in the order given."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, content)
    return made.getvalue()


class Judge:
    """Asks the verifier about bundles, which it reads from a file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "bundle.zip"

    def proven(self, bundle: bytes, *keys: str) -> list[str]:
        """What is proven, line by line. Raises `Wrong`, and anything else for garbage."""
        self._file.write_bytes(bundle)
        return list(verify(str(self._file), read_keys("\n".join(keys))))

    def wrong(self, bundle: bytes, *keys: str) -> str:
        """What is wrong; empty if nothing is."""
        try:
            self.proven(bundle, *keys)
        except Wrong as wrong:
            return str(wrong)
        except Exception as error:  # noqa: BLE001 - whatever the verifier refuses with
            return f"no bundle: {type(error).__name__}"
        return ""


Change = Callable[[Files], Files]
Json = dict[str, Any]

"""What is all that the two logs hold about a client, and what proves it?"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.kernel.events import Recorded
from domain.kernel.ids import PracticeId
from gateways.witness import ReadableWitness, Refused, Stale, Witness, WitnessUnavailable
from record.checkpoint import BadNote, VerifyKey
from record.counting import CensusDiffers, Counting, sign
from record.database import Database
from record.envelope import EnvelopeMapper, StoredEntry
from record.errors import ExportUnderWay, SealsBehind
from record.keys import DataKey, KeyRing
from record.practice import Practices
from record.sealing import Sealing
from record.seals import LOGS, Seal, Seals
from record.verify import held_by
from record.witnessing import hand_over_censuses

log = structlog.get_logger()

WAIT_SECONDS = 2.0
"""How long a head is waited for that covers all there is: another sealer may be at it."""
POLL_SECONDS = 0.05
BUNDLE: Final = "bundle"
"""Under this name the practice's key signs manifests."""
HEADER: Final[tuple[LiteralString, ...]] = (
    "position", "stream_id", "version", "type", "subject", "actor", "on_behalf_of", "role",
    "location", "purpose", "command_id", "correlation_id", "causation_id", "occurred_at",
    "recorded_at", "key_id",
)  # fmt: skip
"""The header of an entry, by name; its leaf hash covers all of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log as it stands, what it says, and the proof that it is in the log."""

    header: Mapping[str, Any]
    ciphertext: bytes
    text: bytes | None
    """The body; none if its key was destroyed, or is not the client's own to hand out."""
    recorded: Recorded
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """All entries about some clients in a log, the head they lie under, and the census of it."""

    head: Seal
    entries: Sequence[Entry]
    census: str
    counted: Mapping[UUID, Sequence[bytes]]
    """The proof of each client's count."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one person, who may have several records, and what proves it."""

    practice_id: PracticeId
    clients: Sequence[UUID]
    logs: Mapping[str, LogEvidence]
    kept_by: int
    """How many witnesses held the censuses before anybody had the bundle."""
    keys: Mapping[UUID, bytes]
    """The clients' own keys that sealed these entries, as far as they exist."""


class Exports:
    """Gathers evidence. It holds keys: it is for those who may have the whole record."""

    def __init__(
        self,
        database: Database,
        seals: Seals,
        keys: KeyRing,
        logs: tuple[Practices, Practices],
        witnesses: Sequence[Witness] = (),
    ) -> None:
        self._database = database
        self._seals = seals
        self._sealing = Sealing(database, seals)
        self._counting = Counting(seals)
        # To others a census is no head of any log.
        self._witnesses = [one for one in witnesses if isinstance(one, ReadableWitness)]
        self._brought: dict[tuple[str, UUID, str], int] = {}
        self._lock = Lock()
        self._under_way: set[UUID] = set()
        self._keys = keys
        self._logs = dict(zip(LOGS, logs, strict=True))

    def verify_key(self, practice_id: PracticeId) -> VerifyKey:
        """What a bundle is checked with; the logs and censuses are signed by the same key."""
        return self._seals.verify_key(practice_id, BUNDLE)

    def sign(self, practice_id: PracticeId, text: str) -> str:
        """The signed note of a bundle's manifest."""
        return self._seals.signing_key(practice_id, BUNDLE).sign_text(text)

    @contextmanager
    def turn(self, practice_id: UUID) -> Iterator[None]:
        """One bundle of a practice is made at a time. Raises `ExportUnderWay`."""
        with self._lock:
            if practice_id in self._under_way:
                raise ExportUnderWay
            self._under_way.add(practice_id)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(practice_id)

    def gather(self, practice_id: PracticeId, clients: Sequence[UUID]) -> Evidence:
        """Everything about the clients that both logs hold by now.

        The keys leave the house: what is written about these clients from now on is sealed under
        new ones. Raises `SealsBehind`, `SealBroken`, `CensusDiffers`.
        """
        # Before ours are read: then none that a witness holds is larger than ours.
        seen = {log: self._seen(practice_id, log) for log in LOGS}
        heads = {log: self._head(practice_id, log) for log in LOGS}
        for of_log in LOGS:
            if heads[of_log].size < seen[of_log]:
                raise CensusDiffers(of_log, seen[of_log])
        rows = {log: self._rows(practice_id, log, clients, heads[log].size) for log in LOGS}
        used = {row["key_id"] for log in LOGS for row in rows[log]}
        keys = self._keys.hand_out(practice_id, clients, used)
        logs = {
            log: self._evidence(_Of(practice_id, log, clients), heads[log], rows[log], keys)
            for log in LOGS
        }
        kept_by = sum(self._bring(witness, practice_id) for witness in self._witnesses)
        return Evidence(practice_id, tuple(clients), logs, kept_by, keys)

    def _bring(self, witness: ReadableWitness, practice_id: UUID) -> bool:
        """Hands the censuses to a witness, which cannot lose them; false if it is down.

        Nobody waits for her record because of a witness: the courier brings it what it has missed.
        """
        for of_log in LOGS:
            place = witness.name, practice_id, of_log
            try:
                self._brought[place] = hand_over_censuses(
                    witness, self._seals, practice_id, of_log, self._brought.get(place, 0)
                )
            except Refused as refused:
                raise CensusDiffers(of_log, refused.reason) from refused
            except (Stale, WitnessUnavailable):
                log.warning("census_not_witnessed", witness=witness.name, log=of_log)
                return False
        return True

    def _head(self, practice_id: PracticeId, log: str) -> Seal:
        """A head that covers all there is by now, whoever signs it first. Raises `SealBroken`."""
        position = self._logs[log][practice_id].position()
        until = monotonic() + WAIT_SECONDS
        while True:
            head = self._seals.newest(practice_id, log)
            if head is None or head.size < position:
                head = self._sealing.seal(practice_id, log)
            if head is not None and head.size >= position:
                return head
            if monotonic() > until:
                raise SealsBehind
            sleep(POLL_SECONDS)

    def _seen(self, practice_id: PracticeId, of_log: str) -> int:
        """How long a log was when a witness last took a head of it: it was not cut since."""
        key, sizes = self._seals.verify_key(practice_id, of_log), [0]
        for witness in self._witnesses:
            try:
                for held in held_by([witness], key):
                    sizes += [held.read(held.count - 1).size] if held.count else []
            except BadNote as error:
                raise CensusDiffers(of_log, witness.name) from error
            except WitnessUnavailable:
                log.warning("witness_unavailable", witness=witness.name)
        return max(sizes)

    def _rows(
        self, practice_id: PracticeId, log: str, clients: Sequence[UUID], until: int
    ) -> list[dict[str, Any]]:
        with self._database.practice(practice_id) as connection:
            found = connection.execute(_ROWS, (practice_id, log, list(clients), until), binary=True)
            return [dict(zip((*HEADER, "body", "leaf_hash"), row, strict=True)) for row in found]

    def _evidence(
        self, of: "_Of", head: Seal, rows: Sequence[dict[str, Any]], keys: Mapping[UUID, bytes]
    ) -> LogEvidence:
        place = of.practice_id, of.log
        mapper = EnvelopeMapper(self._keys, *place)
        proofs = self._seals.inclusions(*place, [row["position"] for row in rows], head.size)
        census, counted = self._count(of, head, rows)
        return LogEvidence(
            head=head,
            entries=[
                _entry(mapper, row, keys.get(row["key_id"]), proof)
                for row, (_, proof) in zip(rows, proofs, strict=True)
            ],
            census=census,
            counted=counted,
        )

    def _count(
        self, of: "_Of", head: Seal, rows: Sequence[dict[str, Any]]
    ) -> tuple[str, dict[UUID, list[bytes]]]:
        """The signed census, and the proof of each client's count, which must be of these rows."""
        place = of.practice_id, of.log
        with (
            self._database.practice(of.practice_id) as connection,
            self._counting.up_to(connection, *place, head) as census,
        ):
            for client in of.clients:
                leaves = [row["leaf_hash"] for row in rows if row["subject"] == client]
                if not census.holds(client, leaves):
                    raise CensusDiffers(of.log, head.size)
            note = sign(connection, self._seals, *place, head.size, census.root)
            return note, {client: census.proof(client) for client in of.clients}


class _Of(NamedTuple):
    practice_id: PracticeId
    log: str
    clients: Sequence[UUID]


def _entry(
    mapper: EnvelopeMapper, row: Mapping[str, Any], key: bytes | None, proof: Sequence[bytes]
) -> Entry:
    stored = StoredEntry(
        originator_id=row["stream_id"],
        originator_version=row["version"],
        topic=row["type"],
        state=row["body"],
        subject=row["subject"],
        key_id=row["key_id"],
        occurred_at=row["occurred_at"],
        id=row["position"],
        actor=row["actor"],
        role=row["role"],
        purpose=row["purpose"],
        recorded_at=row["recorded_at"],
        leaf_hash=row["leaf_hash"],
    )
    text = None if key is None else mapper.text(stored, DataKey(row["key_id"], AESGCM(key)))
    header = {name: row[name] for name in HEADER}
    return Entry(header, row["body"], text, mapper.recorded(stored, text), proof)


_ROWS: Final = f"""SELECT {", ".join(HEADER)}, body, leaf_hash FROM record.event
    WHERE practice_id = %s AND log = %s AND subject = ANY (%s) AND position <= %s
    ORDER BY position"""  # noqa: S608 - the names of the columns, above

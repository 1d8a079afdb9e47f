"""Do the signed heads belong to the rows that are stored, all of them to one history?"""

import hashlib
from collections.abc import Collection, Iterator, Sequence

import psycopg

from gateways.witness import ReadableWitness
from record.checkpoint import BadNote, Checkpoint, VerifyKey, origin_of
from record.faults import Tampered
from record.stored_log import StoredLog
from record.verify import held_by, verify
from tests.faults.checker import Log, Objection, stored
from tests.support.record import Record

_UNSEALED = """SELECT count(*) FROM record.head AS h
    WHERE h.position > (SELECT coalesce(max(c.size), 0) FROM record.checkpoint AS c
        WHERE c.practice_id = h.practice_id AND c.log = h.log)"""


def have_caught_up(admin_url: str) -> bool:
    """Whether every log is sealed to its end."""
    with psycopg.connect(admin_url) as connection:
        return connection.execute(_UNSEALED).fetchone() == (0,)


def objections(record: Record, witness: ReadableWitness | None = None) -> list[Objection]:
    """Compares each head with the rows, and what a witness keeps with the heads."""
    events = stored(record.ready.admin_url).events
    notes: dict[Log, list[str]] = {}
    for practice_id, log, note in record.admin(
        "SELECT practice_id, log, note FROM record.checkpoint ORDER BY practice_id, log, size"
    ):
        notes.setdefault((practice_id, log), []).append(note)
    return [
        *(one for log in notes | events for one in _of_log(record, log, notes, events)),
        *(one for log in notes | events for one in _verified(record, log, witness)),
        *(() if witness is None else _of_witness(witness, notes)),
    ]


def _verified(record: Record, log: Log, witness: ReadableWitness | None) -> Iterator[Objection]:
    """What `palimpsest verify` says of it."""
    key = record.seals.verify_key(*log)
    held = held_by([] if witness is None else [witness], key)
    with record.database.practice(log[0]) as connection:
        try:
            verify(StoredLog(connection, *log), key, held)
        except Tampered as tampered:
            yield Objection("verify", str(tampered.fault))


def _of_log(
    record: Record, log: Log, notes: dict[Log, list[str]], events: dict[Log, list[dict[str, bytes]]]
) -> Iterator[Objection]:
    key = record.seals.verify_key(*log)
    heads = [head for note in notes.get(log, []) if (head := _opened(key, note))]
    if len(heads) < len(notes.get(log, [])):
        yield Objection("seal", f"a head of {log} is not signed")
    leaves = [row["leaf_hash"] for row in events.get(log, [])]
    if not heads or heads[-1].size != len(leaves):
        yield Objection("seal", f"{log} is not sealed to its end")
    found = roots(leaves, {head.size for head in heads})
    for head in heads:
        if found.get(head.size) != head.root:
            yield Objection("seal", f"head {head.size} of {log} is not that of the rows")


def _opened(key: VerifyKey, note: str) -> Checkpoint | None:
    try:
        return key.open(note)
    except BadNote:
        return None


def _of_witness(witness: ReadableWitness, notes: dict[Log, list[str]]) -> Iterator[Objection]:
    for log, ours in notes.items():
        origin = origin_of(*log)
        theirs = [witness.read(origin, number) for number in range(witness.count(origin))]
        if [note for note in ours if note in theirs] != theirs:
            yield Objection("witness", f"what is kept of {log} is not what was signed, in order")
        if theirs[-1:] != ours[-1:]:
            yield Objection("witness", f"the newest head of {log} was not brought")


def roots(leaves: Sequence[bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """The roots of the first so many leaves (RFC 6962, 2.1), written a second time."""
    found: dict[int, bytes] = {}
    peaks: list[tuple[int, bytes]] = []
    for size, leaf in enumerate(leaves, start=1):
        peaks.append((1, leaf))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (width, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((2 * width, _node(left, right)))
        if size in sizes:
            root = peaks[-1][1]
            for _, left in reversed(peaks[:-1]):
                root = _node(left, root)
            found[size] = root
    return found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()

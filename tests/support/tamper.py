"""Who tampers with a log? An administrator who may do anything in the database, and knows how.

He works in a transaction that is rolled back. The signing key is not in the database, so he has it
only where a test says so: then he makes the sealer sign for him.
"""

import hashlib
import random
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from record.checkpoint import SigningKey
from record.faults import Kind
from record.merkle import Frontier
from tests.support.leaf import leaf_hash
from tests.support.record import Row

Rows = list[dict[str, Any]]
Depth = Literal["naive", "hashed", "treed", "stripped", "posed", "signed"]
"""How far he covers it up: not at all; leaf hashes made to fit; and nodes; and heads taken away, or
altered without the key; or signed anew."""
COVERED: tuple[Depth, ...] = ("hashed", "treed", "stripped", "posed")
DEPTHS: tuple[Depth, ...] = ("naive", *COVERED)
CUTS: tuple[Depth, ...] = ("naive", "treed", "stripped")
K = Kind


@dataclass
class Attack:
    """What was done, where it begins, and what may be said of it."""

    name: str
    depth: Depth
    place: int
    kinds: set[Kind]
    rows: Rows = field(repr=False)
    is_exact: bool = False
    """The very position must be named, not only the heads it lies between."""
    head: int | None = None
    """What the log is made to say of its length; by default, the truth."""


class Attacker:
    """Holds one sealed log of one practice, in a transaction of an administrator."""

    def __init__(
        self, connection: psycopg.Connection[Row], key: SigningKey, practice_id: UUID, log: str
    ) -> None:
        self._connection = connection
        self._key = key
        self._place = (practice_id, log)
        connection.execute("SET LOCAL session_replication_role = replica")  # no triggers, no keys
        with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            self.rows: Rows = cursor.execute(
                """SELECT * FROM record.event WHERE practice_id = %s AND log = %s
                ORDER BY position""",
                self._place,
            ).fetchall()
        heads = connection.execute(
            "SELECT size FROM record.checkpoint WHERE practice_id = %s AND log = %s ORDER BY size",
            self._place,
        )
        self.sizes: list[int] = [row[0] for row in heads]

    def copy(self) -> Rows:
        return [dict(row) for row in self.rows]

    def commit(self, attack: Attack) -> None:
        """Writes it all down."""
        if attack.depth != "naive":
            known = {row["position"]: row for row in self.rows}
            for row in attack.rows:
                if row != known.get(row["position"]):
                    row["leaf_hash"] = leaf_hash(row)
        columns = list(self.rows[0])
        self._execute("DELETE FROM record.event WHERE practice_id = %s AND log = %s")
        statement = sql.SQL("COPY record.event ({}) FROM STDIN").format(
            sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.cursor().copy(statement) as copy:
            for row in attack.rows:
                copy.write_row([row[name] for name in columns])
        head = len(attack.rows) if attack.head is None else attack.head
        self._execute(
            "UPDATE record.head SET position = %s WHERE practice_id = %s AND log = %s", head
        )
        if attack.depth not in ("naive", "hashed"):
            self._grow(attack)

    def _grow(self, attack: Attack) -> None:
        """Nodes, and as he can, heads."""
        leaves = [row["leaf_hash"] for row in attack.rows]
        self._execute("DELETE FROM record.tree_node WHERE practice_id = %s AND log = %s")
        frontier = Frontier()
        for node in frontier.extend(leaves):
            self._connection.execute(
                "INSERT INTO record.tree_node VALUES (%s, %s, %s, %s, %s)", (*self._place, *node)
            )
        if attack.depth == "treed":
            return
        grown = Frontier()
        for size in self.sizes:
            grown.extend(leaves[grown.size : size])
            root = grown.root()
            if size < attack.place:
                continue
            match attack.depth:
                case "posed" if size <= len(leaves):
                    self._execute(
                        """UPDATE record.checkpoint SET root = %s,
                            note = replace(note, encode(root, 'base64'), %s)
                        WHERE practice_id = %s AND log = %s AND size = %s""",
                        root,
                        _base64(root),
                        after=(size,),
                    )
                case "signed" if size <= len(leaves):
                    self._execute(
                        """UPDATE record.checkpoint SET root = %s, note = %s
                        WHERE practice_id = %s AND log = %s AND size = %s""",
                        root,
                        self._key.sign(size, root),
                        after=(size,),
                    )
                case _:
                    self._execute(
                        """DELETE FROM record.checkpoint
                        WHERE practice_id = %s AND log = %s AND size = %s""",
                        after=(size,),
                    )

    def _execute(self, statement: str, *before: object, after: tuple[object, ...] = ()) -> None:
        self._connection.execute(statement.encode(), (*before, *self._place, *after))


def _base64(root: bytes) -> str:
    return b64encode(root).decode()


# -- the seven classes -----------------------------------------------------------------------------


def _covered(depth: Depth, naive: set[Kind]) -> set[Kind]:
    """What heads and witnesses say where the rows say nothing any more."""
    return naive if depth == "naive" else {K.REWRITTEN, K.FORGED, K.CUT}


def change(by: Attacker, pick: random.Random) -> Attack:
    rows, depth = by.copy(), pick.choice(DEPTHS)
    row = pick.choice(rows)
    was = dict(row)
    while row == was:
        match pick.choice(["body", "who", "when", "what", "text", "hash"]):
            case "body":
                body = bytearray(row["body"] or b"\x00")
                body[pick.randrange(len(body))] ^= 1 << pick.randrange(8)
                row["body"] = bytes(body)
            case "who":
                row[pick.choice(["actor", "subject", "on_behalf_of", "key_id"])] = uuid4()
            case "when":
                name = pick.choice(["occurred_at", "recorded_at"])
                row[name] += timedelta(microseconds=pick.randrange(-(10**12), 10**12))
            case "what":
                row["stream_id"] = uuid4()
            case "text":
                row[pick.choice(["type", "role", "purpose"])] += "x"
            case _ if depth == "naive":
                row["leaf_hash"] = hashlib.sha256(pick.randbytes(8)).digest()
    place = row["position"]
    return Attack("change", depth, place, _covered(depth, {K.CHANGED}), rows, depth == "naive")


def delete(by: Attacker, pick: random.Random) -> Attack:
    rows, depth = by.copy(), pick.choice(DEPTHS)
    place, length = pick.randrange(1, len(rows)), pick.choice([1, 1, 1, 2, 5])
    del rows[place - 1 : min(place - 1 + length, len(rows) - 1)]
    is_shifted = depth != "naive" or pick.random() < 0.5
    if is_shifted:
        _renumber(rows)
    head = len(by.rows) if pick.random() < 0.5 and not is_shifted else rows[-1]["position"]
    return Attack(
        "delete", depth, place, _covered(depth, {K.MISSING}), rows, depth == "naive", head
    )


def insert(by: Attacker, pick: random.Random) -> Attack:
    rows, depth = by.copy(), pick.choice(DEPTHS)
    place = pick.randrange(1, len(rows) + 2)
    made = dict(pick.choice(rows)) | {"stream_id": uuid4(), "version": 1, "position": place}
    made["body"] = pick.randbytes(20)
    made["leaf_hash"] = leaf_hash(made)
    rows.insert(place - 1, made)
    _renumber(rows)
    if place == len(rows):  # at the very end it is simply an event more; uncounted it is not
        return Attack("insert", "naive", place, {K.INSERTED}, rows, is_exact=True, head=place - 1)
    # A head may stand right above it: that contradicts before the row after it does.
    kinds = _covered(depth, {K.INSERTED, K.REWRITTEN})
    return Attack("insert", depth, place, kinds, rows, depth == "naive")


def reorder(by: Attacker, pick: random.Random) -> Attack:
    rows, depth = by.copy(), pick.choice(DEPTHS)
    one, other = sorted(pick.sample(range(len(rows)), 2))
    if pick.random() < 0.3:
        other = one + 1 if one + 1 < len(rows) else one - 1
        one, other = sorted((one, other))
    rows[one], rows[other] = rows[other], rows[one]
    _renumber(rows)
    kinds = _covered(depth, {K.REORDERED})
    return Attack("reorder", depth, one + 1, kinds, rows, depth == "naive")


def cut(by: Attacker, pick: random.Random) -> Attack:
    rows, depth = by.copy(), pick.choice(CUTS)
    length = pick.choice([1, 2, 10, pick.randrange(1, len(rows))])
    del rows[-length:]
    head = len(by.rows) if depth == "naive" and pick.random() < 0.5 else None
    return Attack("cut", depth, len(rows) + 1, {K.CUT}, rows, head=head)


def rewrite(by: Attacker, pick: random.Random) -> Attack:
    """The whole log, from some place on, with hashes that fit."""
    rows, depth = by.copy(), pick.choice(COVERED)
    place = pick.choice([1, pick.randrange(1, len(rows) + 1)])
    for row in rows[place - 1 :]:
        row["body"] = pick.randbytes(12)
        row["recorded_at"] += timedelta(seconds=1)
    return Attack("rewrite", depth, place, {K.REWRITTEN, K.FORGED}, rows)


def fork(by: Attacker, pick: random.Random) -> Attack:
    """Another history from some place on, of another length, signed by the true key."""
    rows = by.copy()
    place = pick.randrange(1, len(rows) + 1)
    del rows[place - 1 :]
    for position in range(place, place + pick.randrange(1, 60)):
        made = by.rows[0] | {"stream_id": uuid4(), "version": 1, "position": position}
        rows.append(made | {"body": pick.randbytes(12)})
    return Attack("fork", "signed", place, {K.FORKED, K.REWRITTEN, K.CUT}, rows)


def _renumber(rows: Rows) -> None:
    for position, row in enumerate(rows, start=1):
        row["position"] = position


CLASSES: dict[str, Callable[[Attacker, random.Random], Attack]] = {
    one.__name__: one for one in (change, delete, insert, reorder, cut, rewrite, fork)
}

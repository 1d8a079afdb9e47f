"""How is a log sealed? Its new leaves go into the tree, and the head is signed: one transaction.

What is already sealed is trusted only as far as its signature: the newest head must be signed by
our key, and the stored nodes must lead to its root, before anything is built on them.
"""

from copy import copy
from threading import Lock
from typing import Final
from uuid import UUID

from cachetools import LRUCache
from psycopg import Connection

from record.checkpoint import BadNote
from record.database import Database, Row
from record.errors import Contradicted
from record.merkle import Frontier, MissingNode, Node, Tree
from record.seals import Seal, Seals, leaf_hashes, newest, stored_nodes

BATCH: Final = 20_000
"""Leaves per transaction at most: a long log is sealed in several heads."""
LOGS_IN_MEMORY = 10_000


class SealBroken(Contradicted):
    """The log does not go on from its signed head. Nothing more is signed on top of it."""

    def __init__(self, reason: str, size: int) -> None:
        super().__init__(reason, size)
        self.reason = reason
        self.size = size


class Sealing:
    """Seals logs, one at a time, and remembers where each tree stands."""

    def __init__(self, database: Database, seals: Seals, *, batch: int = BATCH) -> None:
        self._database = database
        self._seals = seals
        self._batch = batch
        self._lock = Lock()
        self._frontiers: LRUCache[tuple[UUID, str], Frontier] = LRUCache(LOGS_IN_MEMORY)

    def seal(self, practice_id: UUID, log: str) -> Seal | None:
        """Signs a log's head, if there is anything new, and returns the newest one.

        None if the log is empty, or another sealer is at it. Raises `SealBroken`.
        """
        with self._database.practice(practice_id) as connection:
            if not connection.execute(_CLAIM, (practice_id, log)).fetchall()[0][0]:
                return None
            head = newest(connection, practice_id, log)
            (position,) = connection.execute(_POSITION, (practice_id, log)).fetchall()[0]
            sealed = 0 if head is None else head.size
            remembered = self._remembered(practice_id, log).size
            if position < max(sealed, remembered):
                raise SealBroken("the log is shorter than a head that was signed", sealed)
            if sealed < remembered:
                raise SealBroken("a head that was signed is gone", remembered)
            if position == sealed:
                return head
            frontier = self._frontier(connection, practice_id, log, head)
            end = min(position, frontier.size + self._batch)
            seal = self._extend(connection, practice_id, log, frontier, end)
        with self._lock:
            self._frontiers[practice_id, log] = frontier
        return seal

    def _remembered(self, practice_id: UUID, log: str) -> Frontier:
        with self._lock:
            return copy(self._frontiers.get((practice_id, log), Frontier()))

    def _frontier(
        self, connection: Connection[Row], practice_id: UUID, log: str, head: Seal | None
    ) -> Frontier:
        """Where the tree stands: remembered, or built again where another sealer has gone on."""
        known = self._remembered(practice_id, log)
        if head is None:
            return known
        if known.size != head.size:
            try:
                self._seals.verify_key(practice_id, log).open(head.note)
                tree = Tree(head.size, stored_nodes(connection, practice_id, log))
                known = tree.frontier(head.size)
            except (BadNote, MissingNode) as error:
                raise SealBroken(str(error), head.size) from error
        if known.root() != head.root:
            raise SealBroken("the log does not lead to a head that was signed", head.size)
        return known

    def _extend(
        self, connection: Connection[Row], practice_id: UUID, log: str, frontier: Frontier, end: int
    ) -> Seal:
        leaves = leaf_hashes(connection, practice_id, log, frontier.size, end)
        if len(leaves) != end - frontier.size:
            raise SealBroken("positions are missing", frontier.size)
        _keep(connection, log, frontier.extend(leaves))
        root = frontier.root()
        note = self._seals.signing_key(practice_id, log).sign(end, root)
        row = connection.execute(_SIGN, (log, end, root, note)).fetchall()[0]
        return Seal(end, root, note, row[0])


def _keep(connection: Connection[Row], log: str, nodes: list[Node]) -> None:
    if nodes:
        heights, numbers, hashes = (list(column) for column in zip(*nodes, strict=True))
        connection.execute(_KEEP, (log, heights, numbers, hashes))


_CLAIM: Final = (
    "SELECT pg_try_advisory_xact_lock(hashtextextended('seal ' || %s::uuid || ' ' || %s, 0))"
)
_POSITION: Final = "SELECT position FROM record.head WHERE practice_id = %s AND log = %s"
_KEEP: Final = """INSERT INTO record.tree_node (log, height, number, hash)
    SELECT %s, * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[])"""
_SIGN: Final = """INSERT INTO record.checkpoint (log, size, root, note) VALUES (%s, %s, %s, %s)
    RETURNING signed_at"""

"""Is a log still what it was? Leaves and roots are taken anew and held against what was signed.

Nothing that the database says of itself is believed: hashes are taken anew of the rows as they
stand, heads count only with our signature, and the witnesses' heads were never in the database.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn
from uuid import UUID

from gateways.witness import ReadableWitness, Refused, Witness
from record.checkpoint import BadNote, Checkpoint, VerifyKey
from record.faults import Fault, Kind, Tampered
from record.leaf import leaf_hash
from record.merkle import Frontier, Node, Tree
from record.seals import NotSealedYet, Seals
from record.stored_log import StoredHead, StoredLog, StoredRow
from record.witnessing import hand_over

MOST: Final = 2**63 - 1
CLOSE: Final = 1000
"""Positions behind the end of a log at which a row that stands in it may have been hashed."""
Watch = Callable[[int], None]
"""Told how many rows of the log have been looked at."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A log in which nothing was found to be wrong."""

    log: str
    events: int
    sealed: int
    """How many of them are under a signed head."""
    note: str | None
    """The newest head."""
    witnessed: dict[str, int]
    """The size of the newest head that each witness holds."""


@dataclass(frozen=True, slots=True)
class Held:
    """The heads of one log at one witness, as many as there were before the log was read."""

    witness: ReadableWitness
    key: VerifyKey
    count: int

    def read(self, number: int) -> Checkpoint:
        """One of the heads. Raises `BadNote`, `WitnessUnavailable`."""
        # A power cut may leave an empty file in a folder: then the head before it.
        notes = (self.witness.read(self.key.name, n) for n in range(number, -1, -1))
        return self.key.open(next(filter(None, notes), ""))


def held_by(witnesses: Iterable[ReadableWitness], key: VerifyKey) -> list[Held]:
    """What witnesses hold of a log; to be asked before the log is read, which only grows."""
    return [Held(one, key, one.count(key.name)) for one in witnesses]


def verify(
    stored: StoredLog, key: VerifyKey, held: Sequence[Held] = (), watch: Watch = lambda _: None
) -> Verified:
    """Checks one log from its first row to its last. Raises `Tampered`, for the first fault."""
    return _Check(stored, key, watch).run(held)


def ask(witness: Witness, seals: Seals, practice_id: UUID, log: str) -> int:
    """Has a witness that cannot be read compare the newest head with the one it holds.

    Returns its size; 0 for a log without one. Raises `Tampered`, `WitnessUnavailable`.
    """
    try:
        return hand_over(witness, seals, practice_id, log).size
    except NotSealedYet:
        return 0
    except Refused as refused:
        head = seals.newest(practice_id, log)
        kind = Kind.CUT if refused.reason == "shrunk" else Kind.FORKED
        detail = f"{witness.name} refuses the newest head: {refused.reason}"
        raise Tampered(Fault(log, kind, 1, head.size if head else 1, detail)) from refused


class _Check:
    """One pass over one log."""

    def __init__(self, stored: StoredLog, key: VerifyKey, watch: Watch) -> None:
        self._stored = stored
        self._key = key
        self._watch = watch
        self._frontier = Frontier()
        self._nodes: list[Node] = []
        self._sealed: StoredHead | None = None

    def run(self, held: Sequence[Held]) -> Verified:
        """Rows and the heads over them, then the witnesses, the length, the streams, the tree."""
        end = self._stored.end()
        for rows in self._stored.chunks(end):
            leaves = [leaf_hash(self._stored.begins, row.columns) for row in rows]
            bad = self._first_bad(rows, leaves)
            self._take(leaves[:bad])
            if bad is not None:
                self._explain(rows[bad])
            self._watch(self._frontier.size)
        self._beyond()
        witnessed = {one.witness.name: self._witness(one) for one in held}
        self._count()
        place = self._stored.out_of_step()
        if place is not None:
            self._fault(Kind.REORDERED, place, detail="the event does not continue its stream")
        self._tree()
        return Verified(
            log=self._stored.log,
            events=self._frontier.size,
            sealed=self._sealed.size if self._sealed else 0,
            note=self._sealed.note if self._sealed else None,
            witnessed=witnessed,
        )

    # -- rows --------------------------------------------------------------------------------------

    def _first_bad(self, rows: Sequence[StoredRow], leaves: Sequence[bytes]) -> int | None:
        """Which of the next rows is the first that is out of place, or not as it was hashed."""
        position = self._frontier.size
        for row, leaf in zip(rows, leaves, strict=True):
            position += 1
            if row.leaf_hash != leaf or row.position != position:
                return position - self._frontier.size - 1
        return None

    def _explain(self, row: StoredRow) -> NoReturn:
        wanted, found = self._frontier.size + 1, row.position
        if found < wanted:
            self._fault(Kind.INSERTED, found, detail="the position is there twice")
        if found > wanted:
            self._fault(Kind.MISSING, wanted, found - 1, "the positions run on without it")
        self._not_as_hashed(row)

    def _not_as_hashed(self, row: StoredRow) -> NoReturn:
        """Says what happened to a row that its own hash contradicts: was it hashed elsewhere?"""
        was = self._hashed_at(row)
        if was is None:
            self._fault(Kind.CHANGED, row.position, detail="the row is not what was hashed")
        after = self._stored.rows(row.position, row.position + 1)
        together = not after or self._is_hashed_at(after[0], was + 1)
        if not together:
            self._fault(Kind.REORDERED, row.position, detail=f"the row was hashed at {was}")
        if was < row.position:
            self._fault(Kind.INSERTED, was, row.position - 1, "the rows after it have moved up")
        self._fault(Kind.MISSING, row.position, was - 1, "the rows after it have moved down")

    def _hashed_at(self, row: StoredRow) -> int | None:
        near = sorted(
            range(1, self._stored.end() + CLOSE), key=lambda place: abs(place - row.position)
        )
        return next((place for place in near if self._is_hashed_at(row, place)), None)

    def _is_hashed_at(self, row: StoredRow, place: int) -> bool:
        return leaf_hash(self._stored.begins, row.moved(place)) == row.leaf_hash

    # -- heads -------------------------------------------------------------------------------------

    def _take(self, leaves: Sequence[bytes]) -> None:
        """Grows the tree, and holds it against each head on the way."""
        start = self._frontier.size
        for head in self._stored.heads(start, start + len(leaves)):
            done = self._frontier.size - start
            self._nodes += self._frontier.extend(leaves[done : head.size - start])
            self._signed(head)
            if self._frontier.root() != head.root:
                self._fault(
                    Kind.REWRITTEN,
                    self._sealed.size + 1 if self._sealed else 1,
                    head.size,
                    f"they do not lead to the head that was signed at {head.size}",
                )
            self._sealed = head
        self._nodes += self._frontier.extend(leaves[self._frontier.size - start :])

    def _signed(self, head: StoredHead) -> None:
        """No head counts that our key has not signed; nor do the rows up to it then."""
        since = self._sealed.size + 1 if self._sealed else 1
        try:
            signed = self._key.open(head.note)
        except BadNote as error:
            self._fault(Kind.FORGED, since, head.size, f"the head at {head.size}: {error}")
        if (signed.size, signed.root) != (head.size, head.root):
            self._fault(Kind.FORGED, since, head.size, f"the head at {head.size} is another's")

    def _beyond(self) -> None:
        """A head above the last row: rows are gone that led to it."""
        for head in self._stored.heads(self._frontier.size, MOST):
            self._signed(head)
            # What is missing need not be the last rows: those above it may have been moved down.
            since = self._sealed.size + 1 if self._sealed else 1
            detail = f"a head was signed at {head.size}, and the rows end at {self._frontier.size}"
            self._fault(Kind.CUT, since, head.size, detail)

    def _count(self) -> None:
        size, head = self._frontier.size, self._stored.head()
        if size > head:
            self._fault(Kind.INSERTED, head + 1, size, "the log has not counted so far")
        if size < head:
            self._fault(Kind.CUT, size + 1, head, "the log has counted so far")

    def _tree(self) -> None:
        """The kept nodes: proofs are made from them."""
        sealed = self._sealed.size if self._sealed else 0
        wanted = sorted(node for node in self._nodes if (node.number + 1) << node.height <= sealed)
        stored = self._stored.nodes()
        for found, node in zip(stored, wanted, strict=False):
            if found != node:
                self._misgrown(node)
        if len(stored) < len(wanted):
            self._misgrown(wanted[len(stored)])
        if len(stored) > len(wanted):
            self._misgrown(stored[len(wanted)])

    def _misgrown(self, node: Node) -> NoReturn:
        first = (node.number << node.height) + 1
        last = (node.number + 1) << node.height
        self._fault(Kind.MISGROWN, first, last, f"the node above them at height {node.height}")

    # -- witnesses ---------------------------------------------------------------------------------

    def _witness(self, held: Held) -> int:
        """The size of the newest head that a witness holds; what the log is held against."""
        if held.count == 0:
            if self._stored.is_signed_long_since():
                detail = f"{held.witness.name} holds no head of it: was it emptied?"
                self._fault(Kind.UNWITNESSED, 1, max(1, self._frontier.size), detail)
            return 0
        newest = self._agreeing(held, held.count - 1)
        if newest is not None:
            return newest
        # Heads agree up to some place and not from there on: find the first that does not.
        good, bad = -1, held.count - 1
        while bad - good > 1:
            middle = (good + bad) // 2
            if self._agreeing(held, middle) is None:
                bad = middle
            else:
                good = middle
        since = held.read(good).size if good >= 0 else 0
        return self._contradicted(held, since, held.read(bad).size)

    def _agreeing(self, held: Held, number: int) -> int | None:
        """The size of one of the heads, if the log leads to it."""
        try:
            head = held.read(number)
        except BadNote as error:
            detail = f"what {held.witness.name} holds is {error}"
            self._fault(Kind.FORGED, 1, max(1, self._frontier.size), detail)
        if head.size > self._frontier.size:
            return None
        tree = Tree(self._frontier.size, self._computed)
        return head.size if tree.root(head.size) == head.root else None

    def _contradicted(self, held: Held, since: int, size: int) -> NoReturn:
        """The log left what a witness holds somewhere after one size and up to the other."""
        by = f"{held.witness.name} holds another head at {size}"
        if size > self._frontier.size:
            self._fault(Kind.CUT, since + 1, size, by)
        is_signed_too = self._sealed is not None and self._sealed.size > since
        self._fault(Kind.FORKED if is_signed_too else Kind.REWRITTEN, since + 1, size, by)

    def _computed(self, height: int, first: int, count: int) -> Sequence[bytes]:
        """Nodes as they follow from the rows, for the few roots that were not met on the way."""
        if height == 0:
            rows = self._stored.rows(first, first + count)
            return [leaf_hash(self._stored.begins, row.columns) for row in rows]
        known = {node.number: node.hash for node in self._nodes if node.height == height}
        return [known[number] for number in range(first, first + count)]

    def _fault(self, kind: Kind, first: int, last: int | None = None, detail: str = "") -> NoReturn:
        raise Tampered(Fault(self._stored.log, kind, first, last or first, detail))

"""What an auditor takes home: signed heads of a log, and proofs that lead to them."""

from base64 import b64encode
from typing import Literal

from api.asking import Asking
from domain.kernel.events import Frozen
from record.seals import Seal

Log = Literal["record", "access"]


class InclusionOut(Frozen):
    """Leads from one entry to a signed head (RFC 9162, 2.1.3); hashes are SHA-256, in base64.

    The leaf's index in the tree is `position - 1`.
    """

    log: Log
    position: int
    size: int
    leaf_hash: str
    proof: list[str]
    checkpoint: str


class ConsistencyOut(Frozen):
    """Leads from an earlier signed head to a later one (RFC 9162, 2.1.4); hashes in base64."""

    log: Log
    old_size: int
    new_size: int
    proof: list[str]
    old_checkpoint: str
    new_checkpoint: str


def read_checkpoint(asking: Asking, log: Log) -> str:
    """The newest signed head of a log. Raises `NotSealedYet`."""
    head = _head(asking, log, None)
    asking.note("read", "checkpoint")
    return head.note


def prove_inclusion(asking: Asking, log: Log, position: int, size: int | None) -> InclusionOut:
    """Proves an entry. Raises `NotSealedYet`, `NoSuchHead`, `BeyondHead`."""
    seals, practice_id = asking.platform.seals, asking.context.practice_id
    head = _head(asking, log, size)
    [(leaf, proof)] = seals.inclusions(practice_id, log, [position], head.size)
    asking.note("read", "inclusion proof")
    return InclusionOut(
        log=log,
        position=position,
        size=head.size,
        leaf_hash=_text(leaf),
        proof=[_text(step) for step in proof],
        checkpoint=head.note,
    )


def prove_consistency(asking: Asking, log: Log, old: int, new: int | None) -> ConsistencyOut:
    """Proves that a head grew out of another. Raises `NotSealedYet`, `NoSuchHead`, `BeyondHead`."""
    seals, practice_id = asking.platform.seals, asking.context.practice_id
    later = _head(asking, log, new)
    proof = seals.consistency(practice_id, log, old, later.size)
    earlier = _head(asking, log, old)
    asking.note("read", "consistency proof")
    return ConsistencyOut(
        log=log,
        old_size=earlier.size,
        new_size=later.size,
        proof=[_text(step) for step in proof],
        old_checkpoint=earlier.note,
        new_checkpoint=later.note,
    )


def _head(asking: Asking, log: Log, size: int | None) -> Seal:
    return asking.platform.seals.head(asking.context.practice_id, log, size)


def _text(hash_: bytes) -> str:
    return b64encode(hash_).decode()

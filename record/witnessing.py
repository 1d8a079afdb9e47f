"""When may a witness take a head, and how is one handed to it?"""

import re
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from gateways.kms import Kms
from gateways.witness import Refused, Rule, Stale, Submission, Witness
from record.checkpoint import BadNote, Checkpoint, SigningKey, VerifyKey, origin_of
from record.merkle import verify_consistency
from record.seals import LOGS, NotSealedYet, Seal, Seals, census_of

Trusted = Callable[[str], VerifyKey | None]
"""The key that a log's heads must be signed with; none for a log that is not ours."""

_ORIGIN: Final = re.compile(
    rf"palimpsest/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})/((?:{'|'.join(LOGS)})(?:-census)?)"
)


def trusting(kms: Kms) -> Trusted:
    """Trusts the logs under a root key."""

    def key(origin: str) -> VerifyKey | None:
        found = _ORIGIN.fullmatch(origin)
        if found is None:
            return None
        return SigningKey.of(kms, UUID(found[1]), found[2]).verify_key

    return key


def rule(trusted: Trusted) -> Rule:
    """The rule of every witness of ours, in the order of c2sp.org/tlog-witness."""

    def judge(submission: Submission, held: str | None) -> None:
        key = trusted(submission.origin)
        if key is None:
            raise Refused("unknown_log")
        try:
            new = key.open(submission.note)
        except BadNote:
            raise Refused("not_signed") from None
        if submission.old > new.size:
            raise Refused("shrunk")
        try:
            last = None if held is None else key.open(held)
        except BadNote:
            raise Refused("spoilt") from None  # what it holds itself is no head of this log
        if submission.old != (last.size if last else 0):
            raise Stale(last.size if last else 0)
        if not _follows(last, new, submission.proof):
            raise Refused("forked")

    return judge


def _follows(last: Checkpoint | None, new: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Whether a head begins with the last one, as proven; of censuses, there is one for a size."""
    if new.origin.endswith(census_of("")):
        return last is None or last.size < new.size or last.root == new.root
    if last is None:
        return not proof
    return verify_consistency(last.size, new.size, last.root, new.root, proof)


def hand_over_censuses(
    witness: Witness, seals: Seals, practice_id: UUID, log: str, known: int = 0
) -> int:
    """Hands the censuses of a log to a witness that has those up to a size, as far as we know.

    Returns the size of the last one. Raises `Refused`, `WitnessUnavailable`.
    """
    origin = origin_of(practice_id, census_of(log))
    for census in seals.censuses(practice_id, log, known):
        if census.size < known:
            continue  # brought before our time
        try:
            witness.add(Submission(origin, census.note, known))
        except Stale as stale:
            known = stale.size
            if known <= census.size:
                witness.add(Submission(origin, census.note, known))
        known = max(known, census.size)
    return known


def hand_over(witness: Witness, seals: Seals, practice_id: UUID, log: str, known: int = 0) -> Seal:
    """Hands a log's newest head to a witness that holds the one of size `known`, as far as we know.

    Returns the head. Raises `NotSealedYet`, `Refused`, `WitnessUnavailable`.
    """
    origin = origin_of(practice_id, log)
    while True:
        head = seals.newest(practice_id, log)
        if head is None:
            raise NotSealedYet
        if known > head.size:
            raise Refused("shrunk")
        proof = seals.consistency(practice_id, log, known, head.size)
        try:
            witness.add(Submission(origin, head.note, known, proof))
        except Stale as stale:
            if stale.size == known:
                raise Refused("forked") from stale
            known = stale.size
        else:
            return head

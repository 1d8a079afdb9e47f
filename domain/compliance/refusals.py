"""Why is something not held, not released, or not erased?"""

from domain.kernel.errors import Conflict, Forbidden, Invalid


class SecondPersonNeeded(Forbidden):
    """She has asked for it herself: another person must agree."""

    code = "second_person_needed"


class UnderLegalHold(Conflict):
    """Nothing may be erased while a hold lies on the record; `holds` names them."""

    code = "under_legal_hold"


class UnderRetention(Conflict):
    """It must be kept until the end of `kept_until`, by the policy named."""

    code = "under_retention"


class LegalHoldUnknown(Conflict):
    """No such hold lies on this record."""

    code = "legal_hold_unknown"


class ErasureNotAgreed(Conflict):
    """Nobody has agreed to this erasure."""

    code = "erasure_not_agreed"


class ErasureNotRequested(Conflict):
    """There is nothing to agree to or to withdraw: not asked for, or the request has lapsed."""

    code = "erasure_not_requested"


class ErasureAlreadyRequested(Conflict):
    """`requested_by` has asked for it, `requested_at` a moment: who means to agree must say so."""

    code = "erasure_already_requested"


class ErasureAlreadyAgreed(Conflict):
    """It is decided: what remains is to carry it out."""

    code = "erasure_already_agreed"


class AlreadyErased(Conflict):
    """It was destroyed `erased_at` a moment, by the decision of two; nothing was written since."""

    code = "already_erased"


class NotErasable(Invalid):
    """What the practice did for the client, and who read her record, is not hers to erase."""

    code = "not_erasable"
    field = "of_category"

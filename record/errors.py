"""What can go wrong between a decision and the log."""

from domain.kernel.errors import Conflict, DomainError, Invalid


class StaleVersion(Conflict):
    """Somebody else wrote to the stream first; `current_version` says how far it is."""

    code = "stale_version"


class IdempotencyMismatch(Invalid):
    """The key was used before, for another request."""

    code = "idempotency_mismatch"
    field = "Idempotency-Key"


class GateBusy(DomainError):
    """More waits to be appended than the database can take. Nothing was done; come again."""

    code = "gate_busy"


class AccessNotLogged(DomainError):
    """The access entry could not be written, so nothing is shown."""

    code = "access_log_unavailable"


class SealsBehind(DomainError):
    """No signed head covers the newest entries yet; a second after a commit one does."""

    code = "seals_behind"


class ExportUnderWay(DomainError):
    """Somebody else's bundle of this practice is being made; one at a time is enough to do."""

    code = "export_under_way"


class Contradicted(Exception):
    """What is stored contradicts what was signed: somebody has changed one of the two."""


class Unreadable(Exception):
    """A stored body does not open: it was moved or altered. Names its place, never its content."""

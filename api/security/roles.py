"""The roles a new practice starts with: bundles of permissions, as data."""

from domain.kernel.permissions import Permission

ROLES: dict[str, tuple[str, tuple[Permission, ...]]] = {
    # An owner runs the business; without a licence she sees no clinical content.
    "owner": (
        "Owner",
        (
            Permission.CLIENT_SEARCH,
            Permission.CLIENT_READ,
            Permission.CLIENT_WRITE,
            Permission.CLIENT_MERGE,
            Permission.LOG_VERIFY,
            Permission.RETENTION_HOLD,
            Permission.KEY_SHRED,
        ),
    ),
    "clinician": (
        "Clinician",
        (
            Permission.CLIENT_SEARCH,
            Permission.CLIENT_READ,
            Permission.CLIENT_WRITE,
            Permission.CLIENT_MERGE,
            Permission.CHART_READ,
            Permission.NOTE_WRITE,
            Permission.NOTE_SIGN,
            Permission.NOTE_AMEND,
            Permission.RECORD_REPLAY,
            Permission.RECORD_EXPORT,
            Permission.ACCESS_READ,
        ),
    ),
    "front_desk": (
        "Front desk",
        (Permission.CLIENT_SEARCH, Permission.CLIENT_READ, Permission.CLIENT_WRITE),
    ),
    # An auditor reads everything and writes nothing; with the owner she decides what is erased.
    "auditor": (
        "Auditor",
        (
            Permission.CLIENT_SEARCH,
            Permission.CLIENT_READ,
            Permission.CHART_READ,
            Permission.RECORD_REPLAY,
            Permission.RECORD_EXPORT,
            Permission.ACCESS_READ,
            Permission.LOG_VERIFY,
            Permission.RETENTION_HOLD,
            Permission.KEY_SHRED,
        ),
    ),
}

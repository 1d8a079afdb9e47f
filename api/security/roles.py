"""The roles a new practice starts with: bundles of permissions, as data."""

from domain.kernel.permissions import Permission as P

ROLES: dict[str, tuple[str, tuple[P, ...]]] = {
    # An owner runs the business; without a licence she sees no clinical content.
    "owner": ("Owner", (P.CLIENT_SEARCH, P.CLIENT_READ, P.CLIENT_WRITE, P.CLIENT_MERGE)),
    "clinician": (
        "Clinician",
        (
            P.CLIENT_SEARCH,
            P.CLIENT_READ,
            P.CLIENT_WRITE,
            P.CLIENT_MERGE,
            P.CHART_READ,
            P.NOTE_WRITE,
            P.NOTE_SIGN,
            P.NOTE_AMEND,
            P.RECORD_REPLAY,
            P.ACCESS_READ,
        ),
    ),
    "front_desk": ("Front desk", (P.CLIENT_SEARCH, P.CLIENT_READ, P.CLIENT_WRITE)),
    # An auditor reads everything and writes nothing.
    "auditor": (
        "Auditor",
        (P.CLIENT_SEARCH, P.CLIENT_READ, P.CHART_READ, P.RECORD_REPLAY, P.ACCESS_READ),
    ),
}

"""Making two records of one person into one, and back. Neither stream is rewritten."""

from datetime import datetime

from domain.client.aggregate import CLIENT
from domain.client.commands import AbsorbClient, MergeAway, ReleaseClient, RestoreClient
from domain.kernel.events import Act
from domain.kernel.ids import ActorId, ClientId


def merge(
    kept: ClientId, other: ClientId, reason: str, *, by: ActorId, at: datetime
) -> tuple[Act, ...]:
    """The kept record takes the other in; the other points at the kept one."""
    return (
        Act(CLIENT, kept, AbsorbClient(by=by, at=at, other_client_id=other, reason=reason)),
        Act(CLIENT, other, MergeAway(by=by, at=at, into_client_id=kept, reason=reason)),
    )


def unmerge(
    kept: ClientId, other: ClientId, reason: str, *, by: ActorId, at: datetime
) -> tuple[Act, ...]:
    """Both records stand by themselves again; what was written since stays where it was written."""
    return (
        Act(CLIENT, kept, ReleaseClient(by=by, at=at, other_client_id=other, reason=reason)),
        Act(CLIENT, other, RestoreClient(by=by, at=at, from_client_id=kept, reason=reason)),
    )

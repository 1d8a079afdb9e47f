"""What was erased of a client, told to those who may know it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from api.asking import Asking
from domain.compliance.aggregate import stream_of
from domain.kernel.events import Category, Frozen
from domain.kernel.ids import ClientId
from domain.kernel.permissions import Permission
from projections.chart_view.document import ChartDocument, fold
from projections.chart_view.erased import Erasure


class ErasureOut(Frozen):
    """A category of the client's texts that was destroyed, by the decision of two people."""

    category: Category
    at: datetime
    requested_by: str
    agreed_by: str
    legal_basis: str
    reason: str | None
    """None for who may not read charts: a reason may tell of one."""


def folded(asking: Asking, client_id: UUID, stream_id: UUID) -> ChartDocument:
    """What one stream says, and the one that tells what was erased of the client."""
    told = asking.practice.streams([stream_id, stream_of(ClientId(client_id))])
    return fold(recorded for stream in told.values() for recorded in stream)


def erasures_out(asking: Asking, erasures: Iterable[Erasure]) -> tuple[ErasureOut, ...]:
    """For reading, people by name."""
    names = asking.platform.identity.names(asking.context.practice_id)
    may_know_why = asking.member.may(Permission.CHART_READ)
    return tuple(
        ErasureOut(
            category=one.category,
            at=one.at,
            requested_by=names.get(one.requested_by, "unknown"),
            agreed_by=names.get(one.agreed_by, "unknown"),
            legal_basis=one.legal_basis,
            reason=one.reason if may_know_why else None,
        )
        for one in erasures
    )

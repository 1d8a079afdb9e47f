"""What the routes stand on: one object made at start-up, handed to each request."""

from dataclasses import dataclass

from api.security.identity import Identity
from domain.kernel.clock import Clock
from projections.chart_view.reader import ChartView
from projections.client_search.reader import ClientSearch
from record.access import AccessLog
from record.database import Database
from record.drafts import Drafts
from record.export import Exports
from record.practice import Practices
from record.seals import Seals


@dataclass(frozen=True, slots=True)
class Platform:
    """The record, its projections and who may use them."""

    clock: Clock
    database: Database
    practices: Practices
    accesses: AccessLog
    drafts: Drafts
    identity: Identity
    chart_view: ChartView
    client_search: ClientSearch
    seals: Seals
    exports: Exports

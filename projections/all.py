"""Which projections are there?"""

from projections.base import Projection
from projections.chart_view.projection import ChartViewProjection
from projections.client_search.projection import ClientSearchProjection
from record.keys import KeyRing
from record.practice import Practices


def all_projections(keys: KeyRing, practices: Practices) -> tuple[Projection, ...]:
    """One of each, over the tables that people read."""
    return (ClientSearchProjection(), ChartViewProjection(keys, practices))

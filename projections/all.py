"""Which projections are there?"""

from typing import Final

from projections.base import Projection
from projections.chart_view.projection import ChartViewProjection
from projections.client_search.projection import ClientSearchProjection
from record.keys import KeyRing
from record.practice import Practices

NAMES: Final = {
    one.name.rpartition("_v")[0]: one.name for one in (ClientSearchProjection, ChartViewProjection)
}
"""The question that people know each by, and the name of the version in use."""


def all_projections(keys: KeyRing, practices: Practices) -> tuple[Projection, ...]:
    """One of each, over the tables that people read."""
    return (ClientSearchProjection(), ChartViewProjection(keys, practices))

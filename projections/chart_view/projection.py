"""Which events make up a chart, and how is it kept?"""

from collections.abc import Iterable

from domain.chart.events import (
    AddendumAdded,
    NoteCorrected,
    NoteLocked,
    NoteMovedAway,
    NoteMovedIn,
    NoteRetracted,
    NoteSigned,
)
from domain.client.events import (
    ClientAbsorbed,
    ClientMergedAway,
    ClientRegistered,
    ClientReleased,
    ClientRestored,
    ContactDetailsChanged,
    DeathRecorded,
    DeathWithdrawn,
)
from domain.compliance.events import ErasureCarriedOut
from domain.kernel.events import Category, Recorded
from projections.chart_view.document import ChartDocument, fold
from projections.documents import DocumentProjection


class ChartViewProjection(DocumentProjection[ChartDocument]):
    """A client's identity and notes, with every version of each."""

    name = "chart_view_v2"
    tables = ("chart_view_v2",)
    handles = (
        ClientRegistered,
        ContactDetailsChanged,
        DeathRecorded,
        DeathWithdrawn,
        ClientAbsorbed,
        ClientMergedAway,
        ClientReleased,
        ClientRestored,
        NoteSigned,
        NoteLocked,
        AddendumAdded,
        NoteCorrected,
        NoteRetracted,
        NoteMovedAway,
        NoteMovedIn,
        ErasureCarriedOut,
    )
    begins_anew_after = (ErasureCarriedOut,)
    category = Category.CLINICAL

    def fold(
        self, events: Iterable[Recorded], document: ChartDocument | None = None
    ) -> ChartDocument:
        return fold(events, document)

    def read(self, text: bytes) -> ChartDocument:
        # Strictly: as it stands, which spares the checks of entering and is several times faster.
        return ChartDocument.model_validate_json(text, strict=True)

"""What does a client's chart say now? The stored document and whatever was recorded after it."""

from collections.abc import Sequence
from uuid import UUID

from domain.kernel.ids import PracticeId
from projections.chart_view.document import ChartDocument
from projections.chart_view.projection import ChartViewProjection
from record.database import Database
from record.envelope import StoredEntry
from record.keys import KeyRing
from record.practice import Practices
from record.recorder import COLUMNS

_CHARTS = f"SELECT {COLUMNS} FROM projection.charts(%s, %s, %s::text[])"  # noqa: S608 - a constant


class ChartView:
    """Charts as they stand. Never behind the record: the projector only makes reading quick."""

    name = ChartViewProjection.name

    def __init__(self, database: Database, keys: KeyRing, practices: Practices) -> None:
        self._database = database
        self._practices = practices
        self._projection = ChartViewProjection(keys, practices)
        # An array as PostgreSQL writes it: rendered once, not for every chart.
        self._types = f"{{{','.join(self._projection.types)}}}"

    def chart(self, practice_id: PracticeId, client_id: UUID) -> ChartDocument | None:
        """One client's own chart, without those merged into it; none if nothing is known."""
        return self.documents(practice_id, [client_id]).get(client_id)

    def charts(self, practice_id: PracticeId, client_id: UUID) -> tuple[list[ChartDocument], int]:
        """A client's own chart, then those it has absorbed, and the newest position in them.

        One read, and one more for each generation of merges. For an unknown client the first
        document is empty.
        """
        found: list[ChartDocument] = []
        seen: set[UUID] = set()
        wanted = [client_id]
        while wanted:
            seen.update(wanted)
            documents = self.documents(practice_id, wanted)
            found += [documents.get(one) or ChartDocument() for one in wanted]
            wanted = [
                one
                for document in documents.values()
                for one in document.absorbed
                if one not in seen
            ]
        return found, max(document.position for document in found)

    def documents(
        self, practice_id: PracticeId, clients: Sequence[UUID]
    ) -> dict[UUID, ChartDocument]:
        """The charts of some clients, those of them that are known, in one statement."""
        with self._database.connection() as connection:
            rows = connection.execute(
                _CHARTS, (practice_id, list(clients), self._types), binary=True
            ).fetchall()
        found: dict[UUID, ChartDocument] = {}
        later: dict[UUID, list[StoredEntry]] = {}
        for row in rows:
            if row[0] is None:  # no stream: a stored document
                found[row[4]] = self._stored(practice_id, row[4], row[5], row[7], row[3])
            else:
                later.setdefault(row[4], []).append(StoredEntry(*row))
        for client_id, entries in later.items():
            events = self._practices[practice_id].open_all(entries)
            found[client_id] = self._projection.folded(
                practice_id, client_id, events, found.get(client_id)
            )
        return found

    def _stored(
        self, practice_id: PracticeId, client_id: UUID, key_id: UUID, position: int, body: bytes
    ) -> ChartDocument:
        text = self._projection.open(practice_id, client_id, key_id, position, body)
        if text is not None:
            return self._projection.read(text)
        # Its key was destroyed since. What other keys still open is read again from the record.
        history = self._projection.history(practice_id, client_id, until=position)
        return self._projection.fold(history)

"""What may be read of a client, each reading noted in the access log before it is handed out."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import Field

from api.asking import Asking
from api.erasures import ErasureOut, erasures_out, folded
from api.problems import AsOfInFuture
from domain.chart.aggregate import NOTE, Note
from domain.chart.events import EarlierEntry, NoteEvent, Sections
from domain.client.aggregate import ClientMerged, ClientUnknown
from domain.kernel.errors import NotFound
from domain.kernel.events import Frozen, Recorded
from projections.chart_view.document import ChartDocument, View, as_of, fold
from projections.chart_view.note import NoteStatus, NoteView
from record.drafts import Draft
from record.envelope import Shredded

CLOCK_SLACK = timedelta(seconds=5)
"""How far an asker's clock may be ahead before a moment counts as the future."""


class ClientOut(Frozen):
    """Who the client is, as far as it was known at the moment asked for."""

    id: UUID
    given_name: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    died_on: date | None = None
    merged_into: UUID | None = None
    absorbed: tuple[UUID, ...] = ()
    version: int = 0
    erasures: tuple[ErasureOut, ...] = ()
    """What was destroyed of her record; the fields of an erased category are none."""


class VersionOut(Frozen):
    """One act on a note."""

    version: int
    kind: str
    author: str
    author_id: UUID
    role: str
    occurred_at: datetime
    recorded_at: datetime
    position: int
    sections: Sections
    changed: tuple[str, ...]
    addendum: str | None
    reason: str | None
    linked_client_id: UUID | None
    linked_note_id: UUID | None
    history: tuple[EarlierEntry, ...] = ()
    is_erased: bool = False


class DraftOut(Frozen):
    """Unsigned text, as it was last saved."""

    sections: Sections
    occurred_at: datetime
    revision: int
    author: str
    author_id: UUID
    saved_at: datetime


class NoteOut(Frozen):
    """A note with all of its versions; `version` is what If-Match takes."""

    id: UUID
    client_id: UUID
    status: NoteStatus
    version: int
    is_locked: bool
    occurred_at: datetime
    versions: list[VersionOut] = Field(default_factory=list)
    draft: DraftOut | None = None
    erased_at: datetime | None = None


class ChartOut(Frozen):
    """A client's chart at a moment, or now."""

    client: ClientOut
    notes: list[NoteOut]
    as_of: datetime | None
    view: View
    position: int


class DraftText(Frozen):
    """What a draft holds."""

    sections: Sections
    occurred_at: datetime


def read_client(asking: Asking, client_id: UUID) -> ClientOut:
    """Identity and contact. Raises `ClientUnknown`, `ClientMerged`, `AccessNotLogged`."""
    document = folded(asking, client_id, client_id)
    if document.client_id is None:
        asking.note("read", "client", [client_id], outcome="not_found")
        raise ClientUnknown
    asking.note("read", "client", [client_id])
    if document.merged_into is not None:
        raise ClientMerged(merged_into=document.merged_into)
    return client_out(document, client_id, erasures_out(asking, document.erasures))


def read_chart(
    asking: Asking, client_id: UUID, moment: datetime | None = None, view: View = "known"
) -> ChartOut:
    """The chart now, or as it was known or true at a moment, with the notes of merged records.

    Raises `ClientUnknown`, `ClientMerged`, `AsOfInFuture`, `AccessNotLogged`.
    """
    if moment is None:
        documents, position = asking.platform.chart_view.charts(
            asking.context.practice_id, client_id
        )
    else:
        if moment > asking.context.at + CLOCK_SLACK:
            raise AsOfInFuture
        moment = min(moment, asking.context.at)
        documents, position = _replayed(asking, client_id, moment, view)
    if not documents or (moment is None and documents[0].client_id is None):
        asking.note("read", "chart", [client_id], outcome="not_found")
        raise ClientUnknown
    own = documents[0]
    absorbed = [one.client_id for one in documents[1:] if one.client_id is not None]
    charts = [client_id, *absorbed]
    asking.note("read", "chart", charts)
    if own.merged_into is not None:
        raise ClientMerged(merged_into=own.merged_into)
    names = asking.platform.identity.names(asking.context.practice_id)
    notes = [note_out(note, names) for document in documents for note in document.notes]
    if moment is None:
        notes = _with_drafts(asking, charts, notes, names)
    notes.sort(key=lambda note: (note.occurred_at, note.id), reverse=True)
    erasures = erasures_out(asking, own.erasures)
    return ChartOut(
        client=client_out(own, client_id, erasures),
        notes=notes,
        as_of=moment,
        view=view,
        position=position,
    )


def _replayed(
    asking: Asking, client_id: UUID, moment: datetime, view: View
) -> tuple[list[ChartDocument], int]:
    """The client's own document first, then those of the records it had absorbed by then.

    With the newest position that any of them stands on. None at all for an unknown client.
    """
    documents: list[ChartDocument] = []
    wanted, seen = [client_id], set[UUID]()
    while wanted:
        seen.update(wanted)
        events = asking.practice.about(wanted)
        if not documents and not events:
            break
        found = [
            as_of((one for one in events if one.subject == subject), moment, view)
            for subject in wanted
        ]
        documents.extend(found)
        wanted = [one for document in found for one in document.absorbed if one not in seen]
    return documents, max((document.position for document in documents), default=0)


def read_note(asking: Asking, note_id: UUID) -> NoteOut:
    """A note with all versions and, unsigned, its draft. Raises `NotFound`, `AccessNotLogged`."""
    events = asking.practice.stream(note_id)
    draft = asking.platform.drafts.find(asking.context.practice_id, note_id)
    names = asking.platform.identity.names(asking.context.practice_id)
    document = fold(events)
    if document.notes:
        if document.notes[0].status == "erased":  # since when, another stream tells
            document = folded(asking, document.notes[0].client_id, note_id)
        note = note_out(document.notes[0], names)
    elif draft is not None and not events:
        note = _draft_note(draft, names)
    else:
        asking.note("read", "note", thing_id=note_id, outcome="not_found")
        raise NotFound
    if draft is not None and draft.base_version == note.version and not note.is_locked:
        note = note.model_copy(update={"draft": _draft_out(draft, names)})
    asking.note("read", "note", [note.client_id], thing_id=note_id)
    return note


def live_draft(asking: Asking, note_id: UUID) -> tuple[Draft | None, list[Recorded]]:
    """The note's draft if it is not spent, and the note's events."""
    events = asking.practice.stream(note_id)
    draft = asking.platform.drafts.find(asking.context.practice_id, note_id)
    if draft is None and not events:
        raise NotFound
    if events and not isinstance(events[0].event, NoteEvent | Shredded):
        raise NotFound  # the id of something else
    return draft, events


def client_out(
    document: ChartDocument, client_id: UUID, erasures: tuple[ErasureOut, ...] = ()
) -> ClientOut:
    """The identity part of a chart."""
    details = {} if document.details is None else dict(document.details)
    return ClientOut(
        id=client_id,
        died_on=document.died_on,
        merged_into=document.merged_into,
        absorbed=document.absorbed,
        version=document.version,
        erasures=erasures,
        **details,
    )


def note_out(note: NoteView, names: dict[UUID, str]) -> NoteOut:
    """A note for reading, its authors by name."""
    return NoteOut(
        id=note.id,
        client_id=note.client_id,
        status=note.status,
        version=note.version,
        is_locked=note.is_locked,
        occurred_at=note.occurred_at,
        erased_at=note.erased_at,
        versions=[
            VersionOut(
                **{**dict(one), "author": names.get(one.author, "unknown"), "author_id": one.author}
            )
            for one in note.versions
        ],
    )


def _with_drafts(
    asking: Asking, clients: Iterable[UUID], notes: Iterable[NoteOut], names: dict[UUID, str]
) -> list[NoteOut]:
    """Adds the drafts that are not spent: unsigned notes, and re-drafted unlocked ones."""
    by_id = {note.id: note for note in notes}
    drafts = asking.platform.drafts
    for draft in (
        one for client in clients for one in drafts.of_client(asking.context.practice_id, client)
    ):
        note = by_id.get(draft.stream_id)
        if note is None:
            if draft.base_version == 0:
                by_id[draft.stream_id] = _draft_note(draft, names).model_copy(
                    update={"draft": _draft_out(draft, names)}
                )
        elif note.version == draft.base_version and not note.is_locked:
            by_id[note.id] = note.model_copy(update={"draft": _draft_out(draft, names)})
    return list(by_id.values())


def _draft_note(draft: Draft, names: dict[UUID, str]) -> NoteOut:
    return NoteOut(
        id=draft.stream_id,
        client_id=draft.client_id,
        status="draft",
        version=0,
        is_locked=False,
        occurred_at=_draft_out(draft, names).occurred_at,
    )


def _draft_out(draft: Draft, names: dict[UUID, str]) -> DraftOut:
    text = DraftText.model_validate_json(draft.text)
    return DraftOut(
        sections=text.sections,
        occurred_at=text.occurred_at,
        revision=draft.revision,
        author=names.get(draft.author, "unknown"),
        author_id=draft.author,
        saved_at=draft.saved_at,
    )


def note_of(events: Iterable[Recorded]) -> Note:
    """The note as its decider sees it."""
    return NOTE.fold([one.event for one in events])

"""How does a chart become rows: the notes at a moment, and the moments there are?"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from api.asking import Asking
from api.reading import ChartOut, ClientOut, NoteOut, VersionOut, client_out, note_out
from api.web.page import Page
from api.web.views.chart import (
    Addendum,
    Chart,
    Kind,
    NoteCard,
    Section,
    Status,
    Tick,
    TimeControl,
    Withdrawn,
)
from api.web.words import EVENT, STATUS, role_words
from domain.chart.events import SECTIONS, NoteSigned, Sections
from domain.kernel.events import Recorded
from domain.kernel.permissions import Permission
from projections.chart_view.document import ChartDocument, View, as_of, fold
from projections.chart_view.note import NoteStatus
from record.envelope import Shredded

SHOWN: dict[NoteStatus, Status] = {
    "draft": "draft",
    "signed": "signed",
    "amended": "amended",
    "entered_in_error": "retracted",
    "moved": "moved",
    "erased": "erased",
}
_KINDS: dict[str, Kind] = {
    "note.signed.v1": "signed",
    "note.moved_in.v1": "signed",
    "note.addendum_added.v1": "addendum",
    "note.corrected.v1": "correction",
    "note.retracted.v1": "retraction",
    "note.moved_away.v1": "move",
    "erasure.carried_out.v1": "retraction",
}


def history(asking: Asking, client_id: UUID) -> list[Recorded]:
    """Everything recorded about a client and the records merged into hers, in order.

    Noted by whoever reads the chart of the same request.
    """
    wanted, seen = [client_id], set[UUID]()
    events: list[Recorded] = []
    while wanted:
        seen.update(wanted)
        found = asking.practice.about(wanted)
        events += found
        wanted = [
            one
            for subject in wanted
            for one in fold(event for event in found if event.subject == subject).absorbed
            if one not in seen
        ]
    return sorted(events, key=lambda one: one.position)


def identity(events: Sequence[Recorded], client_id: UUID) -> ClientOut:
    """Who the client is now."""
    return client_out(fold(one for one in events if one.subject == client_id), client_id)


def documents_at(
    events: Sequence[Recorded], client_id: UUID, moment: datetime, view: View
) -> list[ChartDocument]:
    """The client's own chart at a moment, then those of the records it had absorbed by then."""
    documents: list[ChartDocument] = []
    wanted, seen = [client_id], set[UUID]()
    while wanted:
        subject = wanted.pop(0)
        seen.add(subject)
        document = as_of((one for one in events if one.subject == subject), moment, view)
        documents.append(document)
        wanted += [one for one in document.absorbed if one not in seen]
    return documents


def notes_at(
    asking: Asking, events: Sequence[Recorded], client_id: UUID, moment: datetime
) -> list[NoteOut]:
    """The notes as they were known at a moment, newest first."""
    names = asking.platform.identity.names(asking.context.practice_id)
    documents = documents_at(events, client_id, moment, "known")
    notes = [note_out(note, names) for document in documents for note in document.notes]
    return sorted(notes, key=lambda note: (note.occurred_at, note.id), reverse=True)


def chart_of(page: Page, found: ChartOut, events: Sequence[Recorded]) -> Chart:
    """The chart for the page, and how many changes came after the moment it shows."""
    moment = found.as_of
    later = 0
    if moment is not None:
        later = sum(_time(one, found.view) > moment for one in events)
    return Chart(
        view=found.view,
        notes=tuple(card(page, note) for note in found.notes),
        shown=None if moment is None else page.time.moment(moment),
        hidden_changes=later,
    )


def time_control(
    page: Page,
    client_id: UUID,
    events: Sequence[Recorded],
    moment: datetime | None,
    view: View,
    *,
    as_of: str = "",
    error: str = "",
) -> TimeControl:
    """The moments at which something changed, and where among them the chart stands."""
    ordered = sorted(events, key=lambda one: (_time(one, view), one.position))
    moments = [(at, list(same)) for at, same in groupby(ordered, key=lambda one: _time(one, view))]
    ticks = [_tick(page, at, same) for at, same in moments]
    now = Tick(as_of="", label="Now", kind="now", what="everything recorded so far")
    here = len(ticks)
    if moment is not None:
        # Before the first change there is nothing to stand on but the first tick itself.
        here = max(sum(at <= moment for at, _ in moments) - 1, 0)
    typed = page.time.typed(moment) if moment is not None else as_of if error else ""
    return TimeControl(
        action=f"/clients/{client_id}",
        view=view,
        typed=typed,
        here=here if ticks else 0,
        ticks=(*ticks, now),
        error=error,
    )


def _time(one: Recorded, view: View) -> datetime:
    return one.recorded_at if view == "known" else one.occurred_at


def _tick(page: Page, at: datetime, same: Sequence[Recorded]) -> Tick:
    last = same[-1]
    kind = _KINDS.get(event_type(last), "client")
    what = event_words(last)
    if len(same) > 1:
        what += f" and {len(same) - 1} more"
    return Tick(as_of=page.time.moment(at).iso, label=page.time.label(at), kind=kind, what=what)


def event_words(one: Recorded) -> str:
    """An event in plain words."""
    if isinstance(one.event, NoteSigned) and one.event.is_late_entry:
        return "Late entry signed"
    return EVENT.get(event_type(one), event_type(one))


def event_type(one: Recorded) -> str:
    """The stored name, of what can be read no more as well."""
    return one.event.stored_type if isinstance(one.event, Shredded) else one.event.type


def card(page: Page, note: NoteOut, *, touched: UUID | None = None) -> NoteCard:
    """A note for the timeline."""
    first = note.versions[0] if note.versions else None
    draft = note.draft
    writer = (first.author, first.role) if first else (draft.author if draft else "", "clinician")
    is_mine = draft is not None and draft.author_id == page.asking.member.member_id
    may_write = note.status == "draft" and is_mine and page.may(Permission.NOTE_WRITE)
    text = note.versions[-1].sections if note.versions else draft.sections if draft else Sections()
    kinds = [one.kind for one in note.versions]
    label = STATUS[note.status]
    if note.status == "amended":
        label = "Corrected" if "correction" in kinds else "Addendum added"
    return NoteCard(
        id=str(note.id),
        href=f"/notes/{note.id}/edit" if note.status == "draft" else f"/notes/{note.id}",
        status=SHOWN[note.status],
        status_label=label,
        author=writer[0],
        role=role_words(writer[1]),
        occurred=page.time.moment(note.occurred_at),
        recorded=page.time.moment(_first_recorded(first)) if first else None,
        sections=sections_of(text),
        version_count=len(note.versions),
        is_late="late_entry" in kinds
        or any(one.is_late_entry for one in (first.history if first else ())),
        is_locked=note.is_locked,
        came_from_elsewhere="moved_in" in kinds,
        addenda=addenda_of(page, note),
        withdrawn=_withdrawn(page, note),
        is_erased=note.status == "erased",
        erased=None if note.erased_at is None else page.time.moment(note.erased_at),
        is_touched=note.id == touched,
        may_continue=may_write,
    )


def sections_of(text: Sections) -> tuple[Section, ...]:
    """The four sections, each with its letter and label."""
    return tuple(
        Section(key=name, letter=name[0].upper(), label=name.capitalize(), text=getattr(text, name))
        for name in SECTIONS
    )


def addenda_of(page: Page, note: NoteOut) -> tuple[Addendum, ...]:
    """Every addendum, those written on the chart a note came from included."""
    asking = page.asking
    found = []
    for one in note.versions:
        if one.history:
            names = asking.platform.identity.names(asking.context.practice_id)
            found += [
                Addendum(
                    text=earlier.text,
                    author=names.get(earlier.author, "unknown"),
                    recorded=page.time.moment(earlier.recorded_at),
                )
                for earlier in one.history
                if earlier.text is not None
            ]
        elif one.addendum is not None:
            recorded = page.time.moment(one.recorded_at)
            found.append(Addendum(text=one.addendum, author=one.author, recorded=recorded))
    return tuple(found)


def _first_recorded(first: VersionOut) -> datetime:
    return first.history[0].recorded_at if first.history else first.recorded_at


def _withdrawn(page: Page, note: NoteOut) -> Withdrawn | None:
    if note.status not in {"entered_in_error", "moved"}:
        return None
    last = note.versions[-1]
    is_error = note.status == "entered_in_error"
    return Withdrawn(
        heading="Entered in error" if is_error else "Moved to another client’s chart",
        reason=last.reason or "",
        author=last.author,
        at=page.time.moment(last.recorded_at),
    )

"""How does the record itself become rows: event by event, and two dates side by side?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from api.reading import NoteOut, note_out
from api.replay import EventItem
from api.web.charts import card, sections_of
from api.web.page import Page
from api.web.views.audit import (
    BodyField,
    EventPanel,
    EventRow,
    NoteChange,
    TwoDates,
)
from api.web.views.chart import Chart
from api.web.views.notes import SectionDiff
from api.web.worddiff import word_diff
from api.web.words import EVENT, role_words
from domain.chart.events import Sections
from domain.kernel.events import Recorded
from projections.chart_view.document import fold
from projections.chart_view.note import NoteStatus

_HIDDEN = frozenset({"client_id", "occurred_at", "receipt", "rule", "history"})
_LABELS = {
    "retention.rule": "Retention policy",
    "retention.position": "Record read up to position",
}
"""What a field within another is called where its own name says too little."""
_GONE: frozenset[NoteStatus] = frozenset({"entered_in_error", "moved", "erased"})
"""A note that is one of these says nothing on its chart any more."""


def event_row(page: Page, item: EventItem, client_id: UUID, *, here: int) -> EventRow:
    """One event of the list."""
    is_late = bool(item.body.get("is_late_entry"))
    signed = item.type == "note.signed.v1"
    what = "Late entry signed" if is_late and signed else EVENT.get(item.type, item.type)
    return EventRow(
        position=item.position,
        what=what,
        type=item.type,
        actor=item.actor,
        role=role_words(item.role),
        occurred=page.time.moment(item.occurred_at),
        recorded=page.time.moment(item.recorded_at),
        is_late=is_late,
        leaf_hash=item.leaf_hash,
        href=f"/audit/clients/{client_id}?at={item.position}",
        is_here=item.position == here,
    )


def event_panel(
    page: Page, items: Sequence[EventItem], rows: Sequence[EventRow], events: Sequence[Recorded]
) -> EventPanel | None:
    """The event in view, and the chart that it and those before it make.

    `rows` and `items` run in step.
    """
    number = next((index for index, row in enumerate(rows) if row.is_here), None)
    if number is None:
        return None
    item = items[number]
    return EventPanel(
        row=rows[number],
        stream_id=str(item.stream_id),
        version=item.version,
        body=() if item.is_erased else tuple(body_fields(page, item.body)),
        is_erased=item.is_erased,
        chart=chart_after(page, events, item),
        number=number + 1,
        earlier=rows[number - 1].href if number else "",
        later=rows[number + 1].href if number + 1 < len(rows) else "",
    )


def chart_after(page: Page, events: Sequence[Recorded], item: EventItem) -> Chart:
    """The client's own chart up to and with an event: the very fold that the chart view is."""
    asking = page.asking
    names = asking.platform.identity.names(asking.context.practice_id)
    document = fold(one for one in events if one.position <= item.position)
    notes = [note_out(note, names) for note in document.notes]
    return Chart(
        view="known", notes=tuple(card(page, note, touched=item.stream_id) for note in notes)
    )


def body_fields(page: Page, body: Mapping[str, Any], within: str = "") -> list[BodyField]:
    """What an event says, field by field; ids of members become their names."""
    asking = page.asking
    names = asking.platform.identity.names(asking.context.practice_id)
    fields: list[BodyField] = []
    for name, value in body.items():
        label = _LABELS.get(f"{within}.{name}")
        if (name in _HIDDEN and label is None) or value in (None, "", [], {}):
            continue
        if isinstance(value, dict):
            fields += body_fields(page, value, name)
            continue
        said = _said(page, name, value, names)
        fields.append(BodyField(label=label or _label(name), value=said))
    return fields


def _label(name: str) -> str:
    return name.removeprefix("is_").removesuffix("_id").replace("_", " ").capitalize()


def _said(page: Page, name: str, value: Any, names: Mapping[UUID, str]) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "\n\n".join(str(one) for one in value)
    text = str(value)
    if name.endswith("_by"):
        return names.get(UUID(text), text)
    if name.endswith("_at"):
        return page.time.label(datetime.fromisoformat(text))
    return text


def two_dates(
    page: Page, left: str, right: str, before: Sequence[NoteOut], after: Sequence[NoteOut]
) -> TwoDates:
    """What became of each note between two moments, word by word."""
    now = page.asking.context.at
    earlier = {note.id: note for note in before}
    later = {note.id: note for note in after}
    changes, same = [], 0
    ids = dict.fromkeys([*later, *earlier])
    for note_id in ids:
        found = _change(page, earlier.get(note_id), later.get(note_id))
        if found is None:
            same += 1
        else:
            changes.append(found)
    return TwoDates(
        left=left,
        right=right,
        left_shown=page.time.moment(page.time.ended(left, now)),
        right_shown=page.time.moment(page.time.ended(right, now)),
        changes=tuple(changes),
        same_count=same,
    )


def _change(page: Page, before: NoteOut | None, after: NoteOut | None) -> NoteChange | None:
    if before and after and before.version == after.version:
        return None
    shown = after or before
    if shown is None:
        return None
    new = card(page, shown)
    label, tone = new.status_label, "sand"
    if before is None:
        label, tone = ("New" if shown.status == "signed" else f"New · {label}"), "sage"
    elif after is None:
        label, tone = "Not there", "rose"
    elif shown.status in _GONE:
        tone = "rose"
    elif shown.status == "amended":
        tone = "clay"
    return NoteChange(
        label=label,
        tone=tone,
        author=new.author,
        occurred=new.occurred,
        sections=_differences(page, before, after),
    )


def _differences(
    page: Page, before: NoteOut | None, after: NoteOut | None
) -> tuple[SectionDiff, ...]:
    found = section_diffs(_text(before), _text(after))
    old, new = ("\n\n".join(_addenda(page, note)) for note in (before, after))
    if old or new:
        runs = word_diff(old, new)
        found += (SectionDiff(letter="+", label="Addenda", runs=runs, is_changed=old != new),)
    return found


def _addenda(page: Page, note: NoteOut | None) -> list[str]:
    return [one.text for one in card(page, note).addenda] if note else []


def _text(note: NoteOut | None) -> Sections:
    if note is None or not note.versions or note.status in _GONE:
        return Sections()
    return note.versions[-1].sections


def section_diffs(before: Sections, after: Sections) -> tuple[SectionDiff, ...]:
    """Four sections, word by word."""
    return tuple(
        SectionDiff(
            letter=new.letter,
            label=new.label,
            runs=word_diff(old.text, new.text),
            is_changed=old.text != new.text,
        )
        for old, new in zip(sections_of(before), sections_of(after), strict=True)
    )


def day_range(page: Page, from_: str, to: str) -> tuple[datetime | None, datetime | None]:
    """The instants that two typed days mean. Raises `NotAMoment`."""
    first = page.time.begun(from_, page.asking.context.at) if from_ else None
    last = page.time.ended(to, page.asking.context.at) if to else None
    return first, last

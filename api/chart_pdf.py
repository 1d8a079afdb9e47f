"""How is a chart put on paper, for people who have no access to the record?"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import typst

from domain.chart.events import SECTIONS, EarlierEntry, Sections
from projections.chart_view.document import ChartDocument
from projections.chart_view.erased import Erasure
from projections.chart_view.note import NoteVersion, NoteView

TEMPLATE = Path(__file__).with_name("chart.typ")
STANDARD: Final = "a-2a"
"""PDF/A-2a (ISO 19005-2): readable in decades, by screen readers too."""
ROUNDS = 20
"""The compiler names the characters that its fonts lack; more rounds than this are no progress."""

_STATUS: Final = {
    "signed": "Signed",
    "amended": "Amended",
    "entered_in_error": "Entered in error",
    "moved": "Moved to another client’s chart",
    "erased": "Text erased",
}
_ACT: Final = {
    "signed": "Signed",
    "late_entry": "Signed as a late entry",
    "addendum": "Addendum",
    "correction": "Corrected",
    "retraction": "Retracted, as entered in error,",
    "moved_away": "Moved to another client’s chart",
    "moved_in": "Moved here from another client’s chart; signed",
}
_EARLIER: Final = {
    "signature": "Signed, on the chart it was moved from,",
    "addendum": "Addendum, on the chart it was moved from,",
    "correction": "Corrected, on the chart it was moved from,",
}
_GONE: Final = (
    "Entries of this record that nobody can read any more, because their key was destroyed: {:,}."
)
_ERASED: Final = "This was erased and can never be read again."
_LACKING: Final = (
    "The fonts of this paper lack some characters; each stands as its Unicode number, such as "
    "<U+5C71>. The entries in record.jsonl hold the text itself."
)
_GLYPH = re.compile(r'the (?:text|PDF contains the codepoint) `"((?:[^"\\]|\\.)+)"`')
_CODE = re.compile(r"\\u\{([0-9a-f]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose chart it is on paper, of which moment, and what it stands on."""

    practice: str
    zone: ZoneInfo
    names: Mapping[UUID, str]
    as_of: datetime
    exported_at: datetime
    exported_by: str
    position: int
    """Entries of the record under the signed head …"""
    root: str
    """… and the root of the tree over them, in hexadecimal."""
    unreadable: int = 0
    """Entries whose key was destroyed."""

    def moment(self, at: datetime) -> str:
        """A point in time on the practice's wall clock."""
        local = at.astimezone(self.zone)
        return f"{local.day} {local:%B %Y, %H:%M:%S} {local.tzname()}"

    def name(self, member: UUID) -> str:
        """Who that is, as far as it is known."""
        return self.names.get(member, f"an unknown member ({member})")


def chart_pdf(documents: Sequence[ChartDocument], standing: Standing) -> bytes:
    """The charts of one person as a PDF: her own first, then those merged into it.

    The same input gives the same bytes.
    """
    chart = _chart(documents, standing)
    lacking: set[str] = set()
    for _ in range(ROUNDS):
        try:
            return _printed(_spelt(chart, lacking), standing.exported_at, STANDARD)
        except typst.TypstError as error:
            found = set("".join(map(_plain, _GLYPH.findall(error.diagnostic)))) - lacking
            if not found:
                break
            lacking |= found
    # What the standard refuses for a reason unknown here is printed all the same, without its mark.
    return _printed(_spelt(chart, lacking), standing.exported_at)


def _printed(chart: dict[str, Any], at: datetime, standard: Literal["a-2a"] | None = None) -> bytes:
    with _PRESS:
        made = _compiler().compile(
            format="pdf",
            sys_inputs={"chart": json.dumps(chart)},
            pdf_standards=standard,
            timestamp=int(at.timestamp()),
        )
    return cast("bytes", made)


_PRESS: Final = Lock()
"""A compiler prints one paper at a time; asked from two threads it raises."""


@cache
def _compiler() -> typst.Compiler:
    # Only the fonts that the compiler brings along, so that every machine prints the same bytes.
    return typst.Compiler(str(TEMPLATE), ignore_system_fonts=True)


def _plain(quoted: str) -> str:
    return _CODE.sub(lambda one: chr(int(one.group(1), 16)), quoted).replace("\\", "")


def _spelt(chart: dict[str, Any], lacking: set[str]) -> dict[str, Any]:
    """Characters that no font has stand as their Unicode number, and the first page says so."""
    if not lacking:
        return chart
    numbers = {ord(one): f"<U+{ord(one):04X}>" for one in lacking}

    def spelt(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            return {name: spelt(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [spelt(one) for one in value]
        return value.translate(numbers) if isinstance(value, str) else value

    remarks = [*chart["remarks"], _LACKING]
    return {**spelt(chart), "remarks": remarks}


def _chart(documents: Sequence[ChartDocument], standing: Standing) -> dict[str, Any]:
    own = documents[0]
    notes = [note for document in documents for note in document.notes]
    notes.sort(key=lambda note: (note.occurred_at, note.id), reverse=True)
    name = _name(own)
    return {
        "title": f"Chart of {name}",
        "practice": standing.practice,
        "known": f"As known at {standing.moment(standing.as_of)}",
        "client": {"name": name, "facts": list(_facts(documents))},
        "stands": [
            ("As known at", standing.moment(standing.as_of)),
            ("Stands on", f"the record up to entry {standing.position:,}"),
            ("Its signed root", standing.root),
            ("Exported", f"{standing.moment(standing.exported_at)}, by {standing.exported_by}"),
        ],
        "remarks": [
            *([_GONE.format(standing.unreadable)] if standing.unreadable else []),
            *(_erasure(one, standing) for one in own.erasures),
        ],
        "notes": [_note(note, standing) for note in notes],
    }  # fmt: skip


def _erasure(one: Erasure, standing: Standing) -> str:
    return (
        f"Erased on {standing.moment(one.at)}, the {one.category.value} texts: asked for by "
        f"{standing.name(one.requested_by)}, agreed to by {standing.name(one.agreed_by)} "
        f"({one.legal_basis}). Reason: {one.reason}"
    )


def _name(document: ChartDocument) -> str:
    known = document.details
    return "Name unknown" if known is None else f"{known.given_name} {known.family_name}"


def _facts(documents: Sequence[ChartDocument]) -> Iterator[tuple[str, str]]:
    own, *merged = documents
    if own.details is not None:
        born = own.details.birth_date
        yield "Born", f"{born.day} {born:%B %Y}"
        for label, value in (("Phone", own.details.phone), ("E-mail", own.details.email)):
            if value is not None:
                yield label, value
    if own.died_on is not None:
        yield "Died", f"{own.died_on.day} {own.died_on:%B %Y}"
    yield "Record", str(own.client_id)
    for other in merged:
        yield "Merged into it", f"{_name(other)}, {other.client_id}"
    if own.merged_into is not None:
        yield "Merged into", str(own.merged_into)


def _note(note: NoteView, standing: Standing) -> dict[str, Any]:
    return {
        "id": str(note.id),
        "title": f"Note of {standing.moment(note.occurred_at)}",
        "status": _STATUS[note.status] + (", locked" if note.is_locked else ""),
        "acts": [act for version in note.versions for act in _acts(version, standing)],
    }


def _acts(version: NoteVersion, standing: Standing) -> Iterator[dict[str, Any]]:
    for entry in version.history:
        yield _earlier(entry, standing)
    when = f"recorded {standing.moment(version.recorded_at)}"
    if standing.moment(version.occurred_at) != standing.moment(version.recorded_at):
        when += f", care at {standing.moment(version.occurred_at)}"
    sections: list[tuple[str, str]] = []
    if version.kind in {"signed", "late_entry", "moved_in"}:
        sections = _written(version.sections)
    elif version.kind == "correction":
        sections = [
            (f"{name.capitalize()}, from then on", getattr(version.sections, name) or "(nothing)")
            for name in SECTIONS
            if name in version.changed
        ]
    if version.addendum is not None:
        sections.append(("Added", version.addendum))
    if version.is_erased:
        sections = [("Text", _ERASED)]
    yield {
        "what": _ACT[version.kind],
        "author": f"{standing.name(version.author)}, {version.role.replace('_', ' ')}",
        "when": when,
        "reason": version.reason,
        "sections": sections,
        "is_amendment": version.kind not in {"signed", "moved_in"},
    }


def _earlier(entry: EarlierEntry, standing: Standing) -> dict[str, Any]:
    sections = [("Added", entry.text)] if entry.text else _written(entry.sections)
    return {
        "what": _EARLIER[entry.kind],
        "author": standing.name(entry.author),
        "when": f"recorded {standing.moment(entry.recorded_at)}"
        + (", as a late entry" if entry.is_late_entry else ""),
        "reason": entry.reason,
        "sections": sections,
        "is_amendment": entry.kind != "signature",
    }


def _written(sections: Sections) -> list[tuple[str, str]]:
    return [(name.capitalize(), text) for name in SECTIONS if (text := getattr(sections, name))]

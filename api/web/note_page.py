"""How does a signed note become rows: every act on it, and any two of its texts compared?"""

from collections.abc import Mapping
from uuid import UUID

from api.reading import NoteOut, VersionOut
from api.web.charts import card
from api.web.page import Page
from api.web.replays import section_diffs
from api.web.views.chart import Kind
from api.web.views.notes import Acts, Comparison, NotePage, Version
from api.web.worddiff import counts
from api.web.words import VERSION, role_words
from domain.chart.events import EarlierEntry, Sections
from domain.kernel.permissions import Permission

_KINDS: dict[str, Kind] = {
    "signed": "signed",
    "late_entry": "signed",
    "signature": "signed",
    "addendum": "addendum",
    "correction": "correction",
    "retraction": "retraction",
    "moved_away": "move",
    "moved_in": "move",
}
_WITH_TEXT = frozenset({"signed", "late_entry", "correction"})


def note_page(
    page: Page,
    note: NoteOut,
    *,
    left: int = 0,
    right: int = 0,
    opened: str = "",
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> NotePage:
    """The note, its versions, two of its texts compared, and what may still be done to it."""
    names = page.asking.platform.identity.names(page.asking.context.practice_id)
    versions: list[Version] = []
    texts: list[tuple[str, Sections]] = []
    for one in note.versions:
        for earlier in one.history:
            versions.append(_earlier(page, note, earlier, names))
            if earlier.kind != "addendum":
                texts.append((_choice(versions[-1]), earlier.sections))
        versions.append(_version(page, one))
        if one.kind in _WITH_TEXT or (one.kind == "moved_in" and not one.history):
            texts.append((_choice(versions[-1]), one.sections))
    return NotePage(
        card=card(page, note),
        version=note.version,
        versions=tuple(versions),
        comparison=_comparison(texts, left, right),
        acts=_acts(page, note, opened, typed or {}, errors or {}),
    )


def _version(page: Page, one: VersionOut) -> Version:
    return Version(
        version=str(one.version),
        kind=_KINDS[one.kind],
        label=VERSION[one.kind],
        author=one.author,
        role=role_words(one.role),
        occurred=page.time.moment(one.occurred_at),
        recorded=page.time.moment(one.recorded_at),
        is_late=one.kind == "late_entry",
        reason=one.reason or "",
        text=(one.addendum or "") if not one.history else "",
    )


def _earlier(page: Page, note: NoteOut, one: EarlierEntry, names: Mapping[UUID, str]) -> Version:
    """An act on the chart the note came from; its place there has no number here."""
    return Version(
        version="·",
        kind=_KINDS[one.kind],
        label=VERSION[one.kind],
        author=names.get(one.author, "unknown"),
        role="on the chart it came from",
        occurred=page.time.moment(note.occurred_at),
        recorded=page.time.moment(one.recorded_at),
        is_late=one.is_late_entry,
        reason=one.reason or "",
        text=one.text or "",
    )


def _choice(version: Version) -> str:
    return f"{version.label}, {version.recorded.day}, {version.recorded.clock}"


def _comparison(texts: list[tuple[str, Sections]], left: int, right: int) -> Comparison | None:
    """The two texts asked for; else the last one and the one before it."""
    last = len(texts)
    if last < 2:  # noqa: PLR2004 - a comparison takes two
        return None
    if not (1 <= left <= last and 1 <= right <= last):
        left, right = last - 1, last
    sections = section_diffs(texts[left - 1][1], texts[right - 1][1])
    added, removed = counts([run for section in sections for run in section.runs])
    return Comparison(
        left=left,
        right=right,
        choices=tuple((number, f"{number}: {label}") for number, (label, _) in enumerate(texts, 1)),
        sections=sections,
        added=added,
        removed=removed,
    )


def _acts(
    page: Page, note: NoteOut, opened: str, typed: Mapping[str, str], errors: Mapping[str, str]
) -> Acts:
    is_open = note.status in {"signed", "amended"}
    may = is_open and page.may(Permission.NOTE_AMEND)
    me = page.asking.member.member_id
    is_author = bool(note.versions) and note.versions[0].author_id == me
    return Acts(
        resume=is_open and not note.is_locked and is_author and page.may(Permission.NOTE_WRITE),
        addendum=may,
        correction=may and is_author,
        retraction=may,
        move=may,
        opened=opened,
        typed=typed,
        errors=errors,
    )

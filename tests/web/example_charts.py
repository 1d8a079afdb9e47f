"""What could a chart hold? Notes in every state, moments, a draft, two texts, versions."""

from dataclasses import replace

from api.web.views.chart import (
    Addendum,
    Chart,
    NoteCard,
    Status,
    Tick,
    TimeControl,
    Withdrawn,
)
from api.web.views.frame import Moment
from api.web.views.notes import (
    Acts,
    Comparison,
    Conflict,
    ConflictSection,
    Draft,
    NotePage,
    SectionDiff,
    Version,
)
from api.web.worddiff import counts, word_diff
from tests.web.example_people import (
    HREF,
    LABELS,
    an_id,
    moment,
    sections,
)

FIRST = (
    (
        "Here for glabellar lines. Last toxin 13 weeks ago, pleased with the result, no headache, "
        "no droop. Not pregnant, no new medicines."
    ),
    "Glabella: dynamic lines grade 3, static grade 1. Brow symmetric. Skin intact.",
    "Glabellar lines, good candidate for repeat treatment.",
    (
        "OnabotulinumtoxinA 20 units to the glabella in five points (4-4-4-4-4). Ice after. "
        "No exercise for 4 hours. Review in two weeks."
    ),
)
SECOND = (
    FIRST[0],
    FIRST[1],
    FIRST[2],
    (
        "OnabotulinumtoxinA 24 units to the glabella in five points (5-5-4-5-5), lot C7214C3. "
        "Ice after. No exercise for 4 hours. Review in two weeks."
    ),
)
NOTE_HREF = f"/notes/{an_id('note-1')}"


def card(name: str, status: Status, label: str, when: Moment, texts: tuple[str, ...]) -> NoteCard:
    return NoteCard(
        id=an_id(name),
        href=f"/notes/{an_id(name)}",
        status=status,
        status_label=label,
        author="Noor Haddad",
        role="Clinician",
        occurred=when,
        recorded=when,
        sections=sections(*texts),
        version_count=1,
        is_locked=status != "draft",
    )


DRAFT_CARD = NoteCard(
    id=an_id("note-5"),
    href=f"/notes/{an_id('note-5')}/edit",
    status="draft",
    status_label="Draft",
    author="Noor Haddad",
    role="Clinician",
    occurred=moment(2026, 11, 22, 10, 5),
    recorded=None,
    sections=sections("Two-week review. Happy with the brow.", "", "", ""),
    version_count=0,
    may_continue=True,
)
AMENDED = NoteCard(
    id=an_id("note-1"),
    href=NOTE_HREF,
    status="amended",
    status_label="Corrected",
    author="Noor Haddad",
    role="Clinician",
    occurred=moment(2026, 11, 3, 14, 2),
    recorded=moment(2026, 11, 3, 14, 41),
    sections=sections(*SECOND),
    version_count=3,
    is_locked=True,
    addenda=(
        Addendum(
            text="Client telephoned: small bruise at the left corrugator, no other complaint. "
            "Advised arnica and to call again if it spreads.",
            author="Dr. Ava Lindqvist",
            recorded=moment(2026, 11, 5, 9, 12),
        ),
    ),
)
LATE = NoteCard(
    id=an_id("note-2"),
    href=f"/notes/{an_id('note-2')}",
    status="signed",
    status_label="Signed",
    author="Dr. Ava Lindqvist",
    role="Clinician",
    occurred=moment(2026, 8, 4, 16, 30),
    recorded=moment(2026, 8, 7, 8, 55),
    sections=sections(
        "Telephone consultation: asks about dermal filler for the cheeks, first time.",
        "",
        "Suitable in principle; wants time to think.",
        "Sent written information on hyaluronic acid filler. Good-faith exam at the next visit.",
    ),
    version_count=1,
    is_late=True,
    is_locked=True,
)
RETRACTED = NoteCard(
    id=an_id("note-3"),
    href=f"/notes/{an_id('note-3')}",
    status="retracted",
    status_label="Retracted",
    author="Noor Haddad",
    role="Clinician",
    occurred=moment(2026, 7, 21, 11, 0),
    recorded=moment(2026, 7, 21, 11, 14),
    sections=sections(
        "Here for laser hair reduction, axilla, session 3.",
        "Fitzpatrick V. No tan.",
        "Proceed.",
        "1064 nm, 14 J/cm², no reaction.",
    ),
    version_count=2,
    is_locked=True,
    withdrawn=Withdrawn(
        heading="Entered in error",
        reason="Written on the wrong chart; this treatment was not given to this client.",
        author="Noor Haddad",
        at=moment(2026, 7, 21, 15, 3),
    ),
)
ERASED = replace(
    card("note-6", "erased", "Text erased", moment(2026, 2, 3, 9, 30), ("",) * 4),
    is_erased=True,
    erased=moment(2026, 11, 20, 16, 5),
)
PLAIN = card("note-4", "signed", "Signed", moment(2026, 4, 12, 10, 0), FIRST)
NOTES = (DRAFT_CARD, AMENDED, LATE, RETRACTED, PLAIN)

TICKS = (
    Tick(
        as_of="2026-04-12T09:41:00-04:00",
        label="12 April 2026, 09:41 EDT",
        kind="client",
        what="Registered",
    ),
    Tick(
        as_of="2026-04-12T10:00:11-04:00",
        label="12 April 2026, 10:00 EDT",
        kind="signed",
        what="Note signed",
    ),
    Tick(
        as_of="2026-07-21T11:14:00-04:00",
        label="21 July 2026, 11:14 EDT",
        kind="signed",
        what="Note signed",
    ),
    Tick(
        as_of="2026-07-21T15:03:00-04:00",
        label="21 July 2026, 15:03 EDT",
        kind="retraction",
        what="Note retracted",
    ),
    Tick(
        as_of="2026-08-07T08:55:00-04:00",
        label="7 August 2026, 08:55 EDT",
        kind="signed",
        what="Late entry signed",
    ),
    Tick(
        as_of="2026-11-03T14:41:00-05:00",
        label="3 November 2026, 14:41 EST",
        kind="signed",
        what="Note signed",
    ),
    Tick(
        as_of="2026-11-04T08:30:00-05:00",
        label="4 November 2026, 08:30 EST",
        kind="correction",
        what="Note corrected",
    ),
    Tick(
        as_of="2026-11-05T09:12:00-05:00",
        label="5 November 2026, 09:12 EST",
        kind="addendum",
        what="Addendum",
    ),
    Tick(as_of="", label="Now", kind="now", what="everything recorded so far"),
)
TIME_NOW = TimeControl(action=HREF, view="known", typed="", here=8, ticks=TICKS)
TIME_THEN = TimeControl(action=HREF, view="known", typed="2026-08-07T08:55", here=4, ticks=TICKS)
CHART_NOW = Chart(view="known", notes=NOTES)
CHART_THEN = Chart(
    view="known",
    notes=(LATE, RETRACTED, PLAIN),
    shown=moment(2026, 8, 7, 8, 55),
    hidden_changes=3,
)
CHART_ERASED = Chart(view="known", notes=(PLAIN, ERASED))
CHART_EMPTY = Chart(view="known", notes=())

DRAFT = Draft(
    note_id=an_id("note-5"),
    revision=4,
    sections=sections("Two-week review. Happy with the brow, no headache.", FIRST[1], "", ""),
    occurred_at="2026-11-22T10:05",
    occurred_max="2026-11-22T23:59",
    saved=moment(2026, 11, 22, 10, 9),
)
CONFLICT = Conflict(
    revision=6,
    author="Noor Haddad",
    saved=moment(2026, 11, 22, 10, 12),
    sections=(
        ConflictSection(
            key="subjective",
            label="Subjective",
            theirs="Two-week review. Happy with the brow, slight headache on day two.",
            mine="Two-week review. Happy with the brow, no headache.",
        ),
    ),
)


def section_diffs(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[SectionDiff, ...]:
    found = []
    for (_, letter, label), old, new in zip(LABELS, before, after, strict=True):
        runs = word_diff(old, new)
        found.append(SectionDiff(letter=letter, label=label, runs=runs, is_changed=old != new))
    return tuple(found)


DIFF = section_diffs(FIRST, SECOND)
ADDED, REMOVED = counts([run for section in DIFF for run in section.runs])
VERSIONS = (
    Version(
        version="1",
        kind="signed",
        label="Signed",
        author="Noor Haddad",
        role="Clinician",
        occurred=moment(2026, 11, 3, 14, 2),
        recorded=moment(2026, 11, 3, 14, 41),
    ),
    Version(
        version="2",
        kind="correction",
        label="Corrected",
        author="Noor Haddad",
        role="Clinician",
        occurred=moment(2026, 11, 3, 14, 2),
        recorded=moment(2026, 11, 4, 8, 30),
        reason="Dose and lot were entered from memory; corrected from the vial log.",
    ),
    Version(
        version="3",
        kind="addendum",
        label="Addendum",
        author="Dr. Ava Lindqvist",
        role="Clinician",
        occurred=moment(2026, 11, 3, 14, 2),
        recorded=moment(2026, 11, 5, 9, 12),
        text=AMENDED.addenda[0].text,
    ),
)
NOTE = NotePage(
    card=AMENDED,
    version=3,
    versions=VERSIONS,
    comparison=Comparison(
        left=1,
        right=2,
        choices=((1, "1: Signed, 3 November 2026, 14:41"), (2, "2: Corrected, 4 November 2026")),
        sections=DIFF,
        added=ADDED,
        removed=REMOVED,
    ),
    acts=Acts(addendum=True, correction=True, retraction=True, move=True),
)

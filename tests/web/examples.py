"""What could stand on each page? Realistic rows, to look at pages without a server."""

import datetime as dt
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from api.web import times
from api.web.views.audit import (
    Accesses,
    AccessRow,
    BodyField,
    EventPanel,
    EventRow,
    NoteChange,
    Replay,
    TwoDates,
)
from api.web.views.chart import (
    Addendum,
    Chart,
    NoteCard,
    Section,
    Status,
    Tick,
    TimeControl,
    Withdrawn,
)
from api.web.views.clients import ClientForm, ClientHead, ClientLink, ClientRow, ReasonForm, Search
from api.web.views.frame import Action, Flash, Frame, Member, Moment, Place, Problem
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

ZONE = ZoneInfo("America/New_York")
CLOCK = times.PracticeTime(ZONE)
LABELS = (
    ("subjective", "S", "Subjective"),
    ("objective", "O", "Objective"),
    ("assessment", "A", "Assessment"),
    ("plan", "P", "Plan"),
)
ATTESTATION = (
    "I attest that I wrote this note or have read every word of it, that it is accurate and "
    "complete to the best of my knowledge, and that this electronic signature is the equal of my "
    "handwritten one."
)


def an_id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def at(year: int, month: int, day: int, hour: int, minute: int) -> dt.datetime:
    return dt.datetime(year, month, day, hour, minute, 11, 482913, tzinfo=ZONE)


def moment(year: int, month: int, day: int, hour: int, minute: int) -> Moment:
    return CLOCK.moment(at(year, month, day, hour, minute))


def sections(*texts: str) -> tuple[Section, ...]:
    return tuple(
        Section(key=key, letter=letter, label=label, text=text)
        for (key, letter, label), text in zip(LABELS, texts, strict=True)
    )


def frame(name: str, role: str, here: str, *, flash: Flash | None = None) -> Frame:
    places = [
        Place(key="clients", label="Clients", href="/clients", is_here=here == "clients"),
        Place(key="audit", label="Auditor's desk", href="/audit", is_here=here == "audit"),
    ]
    if role in {"Clinician", "Front desk"}:
        places.pop()
    return Frame(
        practice="Linden & Oak Aesthetics",
        csrf="token",
        ticket=an_id("ticket"),
        member=Member(name=name, role=role, initials="".join(word[0] for word in name.split())),
        places=tuple(places),
        flash=flash,
    )


CLINICIAN = frame("Noor Haddad", "Clinician", "clients")
FRONT_DESK = frame("Rae Kim", "Front desk", "clients")
AUDITOR = frame("Iris Vance", "Auditor", "audit")
NOBODY = Frame(practice="", csrf="token", ticket=an_id("ticket"))

ANA = ClientRow(
    id=an_id("ana"),
    name="Ana Whitfield",
    born="14 May 1984",
    age=42,
    phone="+1 212 555 0134",
    email="ana.whitfield@example.com",
)
PEOPLE = (
    ANA,
    ClientRow(
        id=an_id("anna"),
        name="Anna Whitfeld",
        born="14 May 1984",
        age=42,
        phone="+1 212 555 0134",
        email="",
        is_merged=True,
    ),
    ClientRow(
        id=an_id("anton"),
        name="Anton Whitaker-Sørensen",
        born="2 January 1951",
        age=75,
        phone="+1 646 555 0177",
        email="anton.whitaker-sorensen@mail.example.com",
        is_deceased=True,
    ),
    ClientRow(
        id=an_id("diana"),
        name="Diana Whitcombe",
        born="30 September 1999",
        age=27,
        phone="",
        email="diana@example.com",
    ),
)
FOUND = Search(state="found", q="whit", rows=PEOPLE)

HREF = f"/clients/{ANA.id}"
ACTIONS = (
    Action(key="contact", label="Contact details", href=f"{HREF}/contact-details"),
    Action(key="merge", label="Merge", href=f"{HREF}/merge"),
    Action(key="death", label="Record death", href=f"{HREF}/death"),
    Action(key="accesses", label="Who has looked", href=f"{HREF}/accesses"),
)
CLIENT = ClientHead(
    id=ANA.id,
    name=ANA.name,
    born=ANA.born,
    age=ANA.age,
    phone=ANA.phone,
    email=ANA.email,
    href=HREF,
    actions=ACTIONS,
)
OTHER = ClientLink(
    id=an_id("anna"),
    name="Anna Whitfeld",
    href=f"/clients/{an_id('anna')}",
    undo=f"{HREF}/unmerge/{an_id('anna')}",
)
MERGED = ClientHead(
    id=an_id("anna"),
    name="Anna Whitfeld",
    born=ANA.born,
    age=42,
    phone=ANA.phone,
    email="",
    href=f"/clients/{an_id('anna')}",
    merged_into=ClientLink(id=ANA.id, name=ANA.name, href=HREF, undo=f"{HREF}/unmerge/x"),
    merged_at=moment(2026, 4, 9, 11, 20),
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


def event(position: int, what: str, type_: str, when: Moment, *, here: bool = False) -> EventRow:
    return EventRow(
        position=position,
        what=what,
        type=type_,
        actor="Rae Kim" if type_.startswith("client.") else "Noor Haddad",
        role="Front desk" if type_.startswith("client.") else "Clinician",
        occurred=when,
        recorded=when,
        is_late=what.startswith("Late"),
        leaf_hash=an_id(what).replace("-", "") * 2,
        href=f"/audit/clients/{ANA.id}?at={position}",
        is_here=here,
    )


EVENTS = (
    event(118, "Client registered", "client.registered.v1", moment(2026, 4, 12, 9, 41)),
    event(121, "Note signed", "note.signed.v1", moment(2026, 4, 12, 10, 0)),
    event(1407, "Note signed", "note.signed.v1", moment(2026, 7, 21, 11, 14)),
    event(1422, "Note retracted", "note.retracted.v1", moment(2026, 7, 21, 15, 3)),
    event(1688, "Late entry signed", "note.signed.v1", moment(2026, 8, 7, 8, 55)),
    event(
        2013,
        "Contact details changed",
        "client.contact_details_changed.v1",
        moment(2026, 9, 30, 13, 20),
    ),
    event(2540, "Note signed", "note.signed.v1", moment(2026, 11, 3, 14, 41)),
    event(2561, "Note corrected", "note.corrected.v1", moment(2026, 11, 4, 8, 30), here=True),
    event(2577, "Addendum added", "note.addendum_added.v1", moment(2026, 11, 5, 9, 12)),
)
PANEL = EventPanel(
    row=EVENTS[7],
    stream_id=an_id("note-1"),
    version=2,
    body=(
        BodyField(label="Plan", value=SECOND[3]),
        BodyField(label="Reason", value=VERSIONS[1].reason),
    ),
    chart=Chart(view="known", notes=(AMENDED, LATE, PLAIN)),
    number=8,
    earlier=EVENTS[6].href,
    later=EVENTS[8].href,
)
REPLAY = Replay(events=EVENTS, panel=PANEL, total=len(EVENTS))
TWO_DATES = TwoDates(
    left="2026-11-03T18:00",
    right="2026-11-06T18:00",
    left_shown=moment(2026, 11, 3, 18, 0),
    right_shown=moment(2026, 11, 6, 18, 0),
    changes=(
        NoteChange(
            label="Corrected",
            tone="clay",
            author="Noor Haddad",
            occurred=AMENDED.occurred,
            sections=DIFF,
        ),
        NoteChange(
            label="New",
            tone="sage",
            author="Dr. Ava Lindqvist",
            occurred=moment(2026, 11, 5, 9, 0),
            sections=section_diffs(("",) * 4, ("Telephone call about a bruise.", "", "", "Ice.")),
        ),
    ),
    same_count=3,
)


def access(position: int, when: Moment, who: str, did: str, what: str, outcome: str) -> AccessRow:
    name, role = who.split(", ")
    return AccessRow(
        position=position,
        at=when,
        actor=name,
        role=role,
        action=did,
        what=what,
        purpose="Treatment" if role == "Clinician" else "Operations",
        is_allowed=outcome == "Allowed",
        outcome=outcome,
    )


ACCESSES = Accesses(
    action_path=f"/audit/clients/{ANA.id}/accesses",
    rows=(
        access(
            9120,
            moment(2026, 11, 22, 10, 4),
            "Noor Haddad, Clinician",
            "Read",
            "Chart, 4 notes",
            "Allowed",
        ),
        access(
            9101, moment(2026, 11, 22, 9, 58), "Rae Kim, Front desk", "Read", "Chart", "Refused"
        ),
        access(
            9100,
            moment(2026, 11, 22, 9, 58),
            "Rae Kim, Front desk",
            "Searched",
            "Name, phone, e-mail, date of birth",
            "Allowed",
        ),
        access(
            8844,
            moment(2026, 11, 5, 9, 11),
            "Dr. Ava Lindqvist, Clinician",
            "Read",
            "Note, 2 versions",
            "Allowed",
        ),
    ),
    people=((an_id("noor"), "Noor Haddad"), (an_id("rae"), "Rae Kim")),
    more=f"/audit/clients/{ANA.id}/accesses?before=8844",
)

PROBLEM = Problem(
    status=403,
    title="Your role does not open this",
    text="Charts are open to the people who treat clients.",
    advice="If you need it for your work, ask the owner of the practice. The attempt was recorded.",
    request_id="01jd3k9p7q8z",
    back=Action(key="back", label="Back to the client", href=HREF),
)

PAGES: dict[str, tuple[str, dict[str, object]]] = {
    "sign-in": (
        "sign_in.html",
        {"frame": NOBODY, "email": "", "next": "/clients", "error": "", "notice": ""},
    ),
    "sign-in-idle": (
        "sign_in.html",
        {
            "frame": NOBODY,
            "email": "noor@example.com",
            "next": "/clients",
            "error": "That e-mail and password do not go together.",
            "notice": "You were signed out after 15 minutes without activity.",
        },
    ),
    "clients": (
        "clients/index.html",
        {"frame": CLINICIAN, "search": Search(state="start"), "may_register": True},
    ),
    "clients-found": (
        "clients/index.html",
        {"frame": FRONT_DESK, "search": FOUND, "may_register": True},
    ),
    "clients-none": (
        "clients/index.html",
        {"frame": CLINICIAN, "search": Search(state="none", q="zzz"), "may_register": True},
    ),
    "client-new": ("clients/new.html", {"frame": CLINICIAN, "form": ClientForm()}),
    "client-new-matches": (
        "clients/new.html",
        {
            "frame": CLINICIAN,
            "form": ClientForm(
                given_name="Ana",
                family_name="Whitfield",
                birth_date="2084-05-14",
                phone="12",
                errors={
                    "birth_date": "The date of birth lies in the future.",
                    "phone": "This is not a phone number.",
                },
                possible_matches=PEOPLE[:2],
            ),
        },
    ),
    "client": (
        "clients/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "chart": CHART_NOW,
            "time": TIME_NOW,
            "may_write": True,
        },
    ),
    "client-then": (
        "clients/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "chart": CHART_THEN,
            "time": TIME_THEN,
            "may_write": True,
        },
    ),
    "client-front-desk": (
        "clients/show.html",
        {
            "frame": FRONT_DESK,
            "client": ClientHead(
                id=ANA.id,
                name=ANA.name,
                born=ANA.born,
                age=ANA.age,
                phone=ANA.phone,
                email=ANA.email,
                href=HREF,
                actions=ACTIONS[:1],
                merged_from=(OTHER,),
            ),
            "chart": None,
            "time": None,
            "may_write": False,
        },
    ),
    "client-empty": (
        "clients/show.html",
        {
            "frame": frame(
                "Noor Haddad",
                "Clinician",
                "clients",
                flash=Flash(tone="sage", text="Client registered."),
            ),
            "client": CLIENT,
            "chart": CHART_EMPTY,
            "time": TimeControl(
                action=HREF, view="known", typed="", here=1, ticks=(TICKS[0], TICKS[-1])
            ),
            "may_write": True,
        },
    ),
    "client-merged": ("clients/merged.html", {"frame": CLINICIAN, "client": MERGED}),
    "contact": (
        "clients/contact.html",
        {
            "frame": FRONT_DESK,
            "client": CLIENT,
            "form": ClientForm(given_name="Ana", family_name="Whitfield", birth_date="1984-05-14"),
        },
    ),
    "merge": (
        "clients/merge.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "search": FOUND,
            "form": ReasonForm(errors={"other_client_id": "Choose the other record."}),
            "chosen": "",
            "version": 2,
        },
    ),
    "unmerge": (
        "clients/unmerge.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "other": OTHER,
            "form": ReasonForm(),
            "version": 3,
        },
    ),
    "death": (
        "clients/death.html",
        {"frame": CLINICIAN, "client": CLIENT, "form": ReasonForm(), "version": 2},
    ),
    "death-withdrawal": (
        "clients/withdraw_death.html",
        {"frame": CLINICIAN, "client": CLIENT, "form": ReasonForm(), "version": 2},
    ),
    "client-accesses": (
        "clients/accesses.html",
        {"frame": CLINICIAN, "client": CLIENT, "accesses": ACCESSES},
    ),
    "note-edit": (
        "notes/edit.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "draft": DRAFT,
            "conflict": None,
            "attestation": ATTESTATION,
        },
    ),
    "note-conflict": (
        "notes/edit.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "draft": DRAFT,
            "conflict": CONFLICT,
            "attestation": ATTESTATION,
        },
    ),
    "note": (
        "notes/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "note": NOTE,
            "search": Search(state="start"),
        },
    ),
    "audit": ("audit/index.html", {"frame": AUDITOR, "search": Search(state="start")}),
    "audit-client": (
        "audit/client.html",
        {"frame": AUDITOR, "client": CLIENT, "tab": "replay", "replay": REPLAY},
    ),
    "audit-compare": (
        "audit/compare.html",
        {"frame": AUDITOR, "client": CLIENT, "tab": "compare", "two": TWO_DATES},
    ),
    "audit-accesses": (
        "audit/accesses.html",
        {"frame": AUDITOR, "client": CLIENT, "tab": "accesses", "accesses": ACCESSES},
    ),
    "error": ("error.html", {"frame": FRONT_DESK, "problem": PROBLEM}),
    "error-signed-out": ("error_signed_out.html", {"frame": NOBODY, "problem": PROBLEM}),
}

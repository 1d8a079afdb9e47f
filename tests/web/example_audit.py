"""What could the auditor see? Events, two dates, accesses, a refusal."""

from api.web.views.audit import (
    Accesses,
    AccessRow,
    BodyField,
    EventPanel,
    EventRow,
    Evidence,
    NoteChange,
    Replay,
    TwoDates,
)
from api.web.views.chart import (
    Chart,
)
from api.web.views.frame import Action, Moment, Problem
from tests.web.example_charts import (
    AMENDED,
    DIFF,
    LATE,
    PLAIN,
    SECOND,
    VERSIONS,
    section_diffs,
)
from tests.web.example_people import (
    ANA,
    HREF,
    an_id,
    moment,
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

EVIDENCE = Evidence(
    key=f"palimpsest/{an_id('practice')}/bundle+d1ce5e57+"
    "AUDPlnV0M5kMMbLxpTXTPBqzkk7Fy0uP0UTHWMMHbGVh",
    as_of="2999-01-01T12:00",
    error="The moment lies in the future; nothing is known of it yet.",
)
PROBLEM = Problem(
    status=403,
    title="Your role does not open this",
    text="Charts are open to the people who treat clients.",
    advice="If you need it for your work, ask the owner of the practice. The attempt was recorded.",
    request_id="01jd3k9p7q8z",
    back=Action(key="back", label="Back to the client", href=HREF),
)

"""Who could stand on the pages? Members, clients, and the frame around them."""

import datetime as dt
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from api.web import times
from api.web.views.chart import (
    Section,
)
from api.web.views.clients import ClientHead, ClientLink, ClientRow, ErasureNotice, Search
from api.web.views.frame import Action, Flash, Frame, Member, Moment, Place

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
ERASURE = ErasureNotice(
    what="Clinical text",
    at=moment(2026, 11, 20, 16, 5),
    requested_by="Olga Brandt",
    agreed_by="Iris Vance",
    legal_basis="CCPA 1798.105",
    reason="She asked for it in her letter of 2 November.",
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

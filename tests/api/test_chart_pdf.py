"""Does the paper say what the chart says, whatever people have written in it?"""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.chart_pdf import Standing, _chart, chart_pdf
from domain.chart.events import EarlierEntry, Sections
from domain.client.events import Details
from domain.kernel.events import Category
from domain.kernel.ids import ActorId
from projections.chart_view.document import ChartDocument
from projections.chart_view.erased import Erasure
from projections.chart_view.note import NoteVersion, NoteView, VersionKind

CLIENT, NOTE, AVA, NOOR = (UUID(int=number) for number in range(1, 5))
NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
STANDING = Standing(
    practice="Linden & Oak",
    zone=ZoneInfo("America/New_York"),
    names={AVA: "Dr. Ava Lindqvist"},
    as_of=NOON,
    exported_at=NOON,
    exported_by="Tobias Grant, auditor",
    position=2577,
    root="5f" * 32,
)


def version(number: int, kind: VersionKind, **said: object) -> NoteVersion:
    facts = {
        "version": number,
        "kind": kind,
        "author": AVA,
        "role": "clinician",
        "occurred_at": NOON,
        "recorded_at": NOON + timedelta(hours=number),
        "position": number,
        "sections": Sections(subjective="Frown lines.", plan="20 units."),
    }
    return NoteVersion.model_validate(facts | said)


def note(*versions: NoteVersion, **said: object) -> NoteView:
    facts = {"id": NOTE, "client_id": CLIENT, "status": "amended", "occurred_at": NOON}
    return NoteView.model_validate(facts | {"versions": versions} | said)


def document(*notes: NoteView, given_name: str = "Ana") -> ChartDocument:
    details = Details(given_name=given_name, family_name="Lopez", birth_date=date(1990, 3, 1))
    return ChartDocument(client_id=CLIENT, details=details, notes=notes)


def test_what_was_erased_is_on_paper_as_such() -> None:
    erasure = Erasure(
        category=Category.CLINICAL, reason="She asked.", legal_basis="CCPA 1798.105",
        requested_by=AVA, agreed_by=NOOR, at=NOON, position=9,
    )  # fmt: skip
    gone = note(version(1, "signed", sections=Sections(), is_erased=True), status="erased")
    made = _chart([document(gone).model_copy(update={"erasures": (erasure,)})], STANDING)
    (remark,) = made["remarks"]
    assert "Erased on 2 March 2026" in remark
    assert "Dr. Ava Lindqvist, agreed to by an unknown member" in remark
    (shown,) = made["notes"]
    assert shown["status"] == "Text erased"
    assert shown["acts"][0]["sections"] == [
        ("Text", "This was erased and can never be read again.")
    ]


def test_every_act_on_a_note_is_on_paper_in_order() -> None:
    amended = note(
        version(1, "late_entry"),
        version(2, "correction", reason="Miscounted.", changed=("plan",),
                sections=Sections(subjective="Frown lines.", plan="24 units.")),
        version(3, "addendum", addendum="Called: well.", author=NOOR),
        version(4, "retraction", reason="Wrong visit."),
        is_locked=True,
    )  # fmt: skip
    chart = _chart([document(amended)], STANDING)
    (shown,) = chart["notes"]
    assert shown["title"] == "Note of 2 March 2026, 12:00:00 EST"
    assert shown["status"] == "Amended, locked"
    assert [(act["what"], act["reason"], act["sections"]) for act in shown["acts"]] == [
        ("Signed as a late entry", None, [("Subjective", "Frown lines."), ("Plan", "20 units.")]),
        ("Corrected", "Miscounted.", [("Plan, from then on", "24 units.")]),
        ("Addendum", None, [("Added", "Called: well.")]),
        ("Retracted, as entered in error,", "Wrong visit.", []),
    ]
    assert [act["author"] for act in shown["acts"]][1:3] == [
        "Dr. Ava Lindqvist, clinician",
        f"an unknown member ({NOOR}), clinician",
    ]
    assert shown["acts"][0]["when"] == (
        "recorded 2 March 2026, 13:00:00 EST, care at 2 March 2026, 12:00:00 EST"
    )
    assert chart_pdf([document(amended)], STANDING).startswith(b"%PDF-")


def test_a_note_that_was_moved_here_brings_its_history() -> None:
    history = (
        EarlierEntry(kind="signature", author=ActorId(AVA), recorded_at=NOON,
                     sections=Sections(plan="20 units."), is_late_entry=True),
        EarlierEntry(kind="addendum", author=ActorId(AVA), recorded_at=NOON,
                     sections=Sections(plan="20 units."), text="Called: well."),
    )  # fmt: skip
    moved = note(version(1, "moved_in", reason="Wrong chart.", history=history), status="signed")
    acts = _chart([document(moved)], STANDING)["notes"][0]["acts"]
    assert [(act["what"], act["sections"][0]) for act in acts] == [
        ("Signed, on the chart it was moved from,", ("Plan", "20 units.")),
        ("Addendum, on the chart it was moved from,", ("Added", "Called: well.")),
        (
            "Moved here from another client’s chart; signed",
            ("Subjective", "Frown lines."),
        ),
    ]
    assert acts[0]["when"].endswith(", as a late entry")


def test_the_first_page_says_of_whom_of_when_and_what_it_stands_on() -> None:
    gone = Standing(
        **{name: getattr(STANDING, name) for name in STANDING.__slots__} | {"unreadable": 3}
    )
    merged = ChartDocument(client_id=NOTE)
    chart = _chart([document(), merged], gone)
    assert chart["client"]["name"] == "Ana Lopez"
    assert ("Merged into it", f"Name unknown, {NOTE}") in chart["client"]["facts"]
    assert ("As known at", "2 March 2026, 12:00:00 EST") in chart["stands"]
    assert ("Stands on", "the record up to entry 2,577") in chart["stands"]
    assert ("Its signed root", "5f" * 32) in chart["stands"]
    assert chart["remarks"][0].endswith("their key was destroyed: 3.")


def test_the_same_chart_gives_the_same_bytes_and_is_made_to_last() -> None:
    chart = [document(note(version(1, "signed")))]
    paper = chart_pdf(chart, STANDING)
    assert paper == chart_pdf(chart, STANDING)
    assert paper != chart_pdf([document()], STANDING)
    # PDF/A says so of itself in its metadata, which is not compressed.
    assert re.search(rb"pdfaid:part>2<.*pdfaid:conformance>A<", paper, flags=re.DOTALL)
    assert b"/Lang" in paper


def test_papers_are_printed_for_several_at_once() -> None:
    documents = [document(given_name=name) for name in ("Ana", "Bea")]
    alone = [chart_pdf([one], STANDING) for one in documents]
    with ThreadPoolExecutor(4) as clerks:
        made = list(clerks.map(lambda one: chart_pdf([one], STANDING), documents * 8))
    assert made == alone * 8


@pytest.mark.parametrize(
    "name", ["Лариса", "Αθηνά", "Nguyễn", "محمد", "山田", "김민지", "😀", "हिन्दी"]
)
def test_a_name_in_any_script_is_printed_or_spelt(name: str) -> None:
    assert chart_pdf([document(given_name=name)], STANDING).startswith(b"%PDF-")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_what_people_write_is_never_markup(one: str, two: str) -> None:
    said = f"{one}#panic() = *{two}* $ `{one}` // {two} /* @{one} \\ #[ " + '"])'
    written = note(version(1, "signed", sections=Sections.model_construct(plan=said)))
    assert chart_pdf([document(written)], STANDING).startswith(b"%PDF-")

"""Who are the twelve with stories of their own? People to show the product with, and to test it."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from deploy.demo.clinic import Client, Clinic, Fate, Visit, visit
from deploy.demo.desk import Member, Process, Stream
from deploy.demo.fates import (
    locked_later,
    retracted,
    second_thoughts,
    with_addendum,
    with_correction,
)
from deploy.demo.people import Person
from deploy.demo.stories import (
    BEN_CALLS,
    BEN_OCCLUSION,
    FAY_DEFERRED,
    FAY_REVIEW,
    GIL_ACNE,
    HANA_LATE,
    KIM_TEXTS,
    LIA,
    MIA_CONSULT,
    NED_CALL,
)
from domain.chart.aggregate import NOTE
from domain.chart.events import Sections
from domain.client.events import Details


def _person(  # noqa: PLR0913 - what is known of a client at the front desk
    name: str,
    birth_date: date,
    phone: str,
    *,
    fitzpatrick: int = 2,
    allergies: str = "NKDA.",
    medications: str = "None.",
    work: str = "teacher",
    remark: str = "",
    avoid: tuple[str, ...] = (),
) -> Person:
    given, family = name.split(" ", 1)
    details = Details(
        given_name=given,
        family_name=family,
        birth_date=birth_date,
        phone=phone,
        email=f"{given.lower()}.{family.lower()}@example.com",
    )
    return Person(details, fitzpatrick, allergies, medications, work, remark, avoid)


def _arrives(clinic: Clinic, who: Person, by: Member | None = None) -> Client:
    client = clinic.register(who, is_extra=False)
    if by is not None:
        client.regular = by
    return client


def _every(clinic: Clinic, first: int, last: int, step: int) -> Iterator[datetime]:
    """Openings from so many days ago to so many days ago."""
    for days in range(first, last - 1, -step):
        yield max(clinic.opening(clinic.ago(days)), clinic.later(5, 20))


def _note(
    clinic: Clinic, client: Client, by: Member, sections: Sections, *, minutes: int = 15
) -> Stream:
    """A note written out in full, signed now about what happened some minutes ago."""
    clinic.open_chart(by, client)
    note = clinic.desk.open(NOTE)
    occurred_at = clinic.desk.now - timedelta(minutes=minutes)
    clinic.sign(by, client, note, sections, occurred_at)
    return note


def ana(clinic: Clinic) -> Process:
    """A member, toxin every twelve weeks; her allergy rules one product out."""
    who = _person(
        "Ana Ferreira", date(1984, 6, 11), "(212) 555-0111", fitzpatrick=3,
        allergies="COW'S-MILK PROTEIN (urticaria).", work="attorney",
        remark="Member. Cow's-milk-protein allergy: no abobotulinumtoxinA, other toxins allowed.",
        avoid=("Dysport",),
    )  # fmt: skip
    client = _arrives(clinic, who, clinic.prescriber)
    fates: dict[int, Fate] = {2: with_correction, 4: with_addendum, 6: second_thoughts}
    for number, at in enumerate(_every(clinic, 690, 10, 84)):
        yield at
        if number == 1:
            yield from visit(clinic, client, "touch_up")
        else:
            yield from visit(clinic, client, "toxin", fates.get(number, Visit.plain))


def ben(clinic: Clinic) -> Process:
    """Cheek filler, and once the vascular-occlusion protocol in earnest."""
    client = _arrives(
        clinic,
        _person("Ben Halloran", date(1979, 2, 3), "(917) 555-0122", work="actor"),
        clinic.prescriber,
    )
    yield from visit(clinic, client, "consult")
    yield clinic.opening(clinic.ago(610))
    yield from visit(clinic, client, "filler", with_addendum, "cheeks")
    yield clinic.at(clinic.ago(140), time(13, 35))
    clinic.check_in(client)
    yield clinic.at(clinic.ago(140), time(16, 50))
    note = _note(clinic, client, clinic.prescriber, BEN_OCCLUSION, minutes=180)
    for days, words in BEN_CALLS:
        yield clinic.days_later(days, days)
        clinic.add(clinic.prescriber, client, note, words)
    yield clinic.opening(clinic.ago(40))
    yield from visit(clinic, client, "filler", locked_later, "folds")


def cara(clinic: Clinic) -> Process:
    """A series of laser hair removal on dark skin, at 1064 nm."""
    who = _person("Cara Mensah", date(1994, 9, 27), "(347) 555-0133", fitzpatrick=5, work="dancer")
    client = _arrives(clinic, who)
    fates: dict[int, Fate] = {1: with_correction, 3: with_addendum}
    for number, at in enumerate(_every(clinic, 330, 20, 44)):
        yield at
        fate = fates.get(number, Visit.plain)
        yield from visit(clinic, client, "hair_removal", fate, "axilla")


def dee(clinic: Clinic) -> Process:
    """Comes with a gift card, for facials only; never had, never needed a good-faith exam."""
    remark = "Esthetic services only, paid with a gift card; no good-faith exam on file."
    who = _person("Dee Marlowe", date(1967, 12, 1), "(646) 555-0144", work="florist", remark=remark)
    client = _arrives(clinic, who)
    for at in _every(clinic, 210, 15, 30):
        yield at
        yield from visit(clinic, client, "facial")


def fay(clinic: Clinic) -> Process:
    """Isotretinoin three months ago: needling and peels have to wait for a review."""
    who = _person(
        "Fay Lindgren", date(1998, 4, 19), "(718) 555-0155", fitzpatrick=1, work="graduate student",
        medications="Isotretinoin 40 mg, finished three months ago.",
        remark="Has a balance in her member bank.",
    )  # fmt: skip
    client = _arrives(clinic, who)
    yield from visit(clinic, client, "facial")
    yield clinic.opening(clinic.ago(60))
    yield from visit(clinic, client, "facial", retracted)
    yield clinic.opening(clinic.ago(21))
    clinic.check_in(client)
    yield clinic.later(20, 30)
    note = _note(clinic, client, clinic.performer("microneedling", client), FAY_DEFERRED)
    yield clinic.days_later(2, 3)
    clinic.add(clinic.prescriber, client, note, FAY_REVIEW)


def gil(clinic: Clinic) -> Process:
    """Seventeen; his mother signs and sits in."""
    today = clinic.end
    born = today.replace(year=today.year - 17, day=1) - timedelta(days=95)
    who = _person("Gil Navarro", born, "(212) 555-0166", work="pupil", fitzpatrick=4)
    client = _arrives(clinic, who)
    yield clinic.later(30, 40)
    note = _note(clinic, client, clinic.prescriber, GIL_ACNE)
    yield clinic.opening(clinic.ago(34))
    clinic.add(
        clinic.prescriber, client, note,
        "Mother telephones: skin less oily, no irritation. She agrees to a first light peel.",
    )  # fmt: skip


def hana(clinic: Clinic) -> Process:
    """Cancels late so often that she now pays ahead."""
    remark = "Books by prepayment only, after repeated late cancellations."
    who = _person("Hana Sugimoto", date(1990, 1, 30), "(201) 555-0177", work="flight attendant")
    client = _arrives(clinic, who)
    yield from visit(clinic, client, "toxin")
    for days in (250, 190, 120):
        yield clinic.opening(clinic.ago(days))
        _note(clinic, client, client.regular, HANA_LATE[days])
    client.person = _person(
        "Hana Sugimoto", date(1990, 1, 30), "(201) 555-0177", work="flight attendant", remark=remark
    )
    yield clinic.opening(clinic.ago(50))
    yield from visit(clinic, client, "toxin", late_days=3)


def jon(clinic: Clinic) -> Process:
    """Owes for two treatments; the clinicians need not know more than that."""
    remark = "Account questions go to the front desk, not to the chair."
    who = _person("Jon Petrakis", date(1972, 7, 8), "(917) 555-0188", work="chef", remark=remark)
    client = _arrives(clinic, who)
    for at in _every(clinic, 400, 60, 110):
        yield at
        yield from visit(clinic, client, "toxin", choice="masseter" if at.month % 2 else "")


def kim(clinic: Clinic) -> Process:
    """Wrote back: please no more texts."""
    client = _arrives(
        clinic, _person("Kim Phan", date(1988, 10, 14), "(646) 555-0190", work="accountant")
    )
    for at in _every(clinic, 300, 60, 80):
        yield at
        yield from visit(clinic, client, "photofacial")
    yield clinic.opening(clinic.ago(45))
    note = _note(clinic, client, client.regular, KIM_TEXTS)
    yield clinic.days_later(1, 1)
    clinic.add(client.regular, client, note, "Desk confirms: texts are switched off, e-mail stays.")
    clinic.change(client, {"email": "kim.phan@example.org"})


def lia(clinic: Clinic) -> Process:
    """In week five of her programme: the next step was due on day 28, and not on day 27."""
    start = clinic.desk.now.date()
    client = _arrives(
        clinic,
        _person("Lia Brandt", date(1981, 3, 22), "(212) 555-0191", work="piano teacher"),
        clinic.prescriber,
    )
    for day, sections in LIA:
        moment = datetime.combine(start + timedelta(days=day), time(11, 40), clinic.zone)
        yield max(moment, clinic.later(25, 35))
        clinic.check_in(client)
        _note(clinic, client, clinic.prescriber, sections)


def max_and_mia(clinic: Clinic) -> Process:
    """Spouses with one telephone: her consultation was written on his chart, and moved."""
    shared = "(347) 555-0193"
    his = _arrives(
        clinic, _person("Max Castellano", date(1976, 5, 5), shared, work="sales director")
    )
    yield from visit(clinic, his, "consult")
    yield clinic.opening(clinic.ago(150))
    hers = _arrives(
        clinic, _person("Mia Castellano", date(1978, 8, 16), shared, work="architect"),
        clinic.prescriber,
    )  # fmt: skip
    clinic.check_in(his)
    yield clinic.later(30, 40)
    note = _note(clinic, his, clinic.prescriber, MIA_CONSULT)
    yield clinic.later(50, 70)
    clinic.add(
        clinic.prescriber, his, note, "Client's question on the way out: sunscreen is SPF 50."
    )
    yield clinic.days_later(1, 2)
    reason = "Mia's consultation, written on her husband's chart: both share one telephone number."
    clinic.move(clinic.prescriber, note, his, hers, reason)
    yield clinic.opening(clinic.ago(90))
    yield from visit(clinic, hers, "toxin", with_correction)
    yield clinic.opening(clinic.ago(30))
    yield from visit(clinic, his, "toxin")


def ned(clinic: Clinic) -> Process:
    """Lives in Texas, with a Florida telephone number."""
    who = _person("Ned Alvarado", date(1985, 11, 9), "(305) 555-0195", work="software engineer")
    client = _arrives(clinic, who)
    yield clinic.opening(clinic.ago(260))
    yield from visit(clinic, client, "consult", second_thoughts)
    yield clinic.opening(clinic.ago(75))
    _note(clinic, client, clinic.prescriber, NED_CALL)
    yield clinic.days_later(3, 6)
    clinic.change(client, {"phone": "(305) 555-0196", "email": "ned.alvarado@example.net"})
    yield clinic.opening(clinic.ago(18))
    yield from visit(clinic, client, "toxin", with_addendum)


TWELVE = (
    (ana, 700), (ben, 640), (cara, 340), (dee, 215), (fay, 105), (gil, 48), (hana, 330),
    (jon, 405), (kim, 310), (lia, 34), (max_and_mia, 200), (ned, 270),
)  # fmt: skip
"""Each with how many days ago the story begins."""


def invite(clinic: Clinic) -> None:
    """Lets the twelve come."""
    for story, days in TWELVE:
        clinic.desk.begin(clinic.opening(clinic.ago(days)), story(clinic))

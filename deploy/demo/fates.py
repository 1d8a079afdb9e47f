"""What can become of a note after its treatment: every kind of correction there is."""

from deploy.demo.clinic import Fate, Visit
from deploy.demo.desk import Process, Stream
from domain.chart.aggregate import NOTE

SECOND_THOUGHTS = (
    "Client was asked to send a photograph on day 3.",
    "Discussed sun protection again before she left.",
    "Aftercare sheet handed out in print at her request.",
    "No charge for today's review.",
    "She prefers afternoon appointments.",
    "Will bring her medication list next time.",
)
WRITTEN_TWICE = (
    "Entered twice: the other note of this visit stands.",
    "Duplicate: saved again after the tablet had lost its connection.",
)
NOTHING_DONE = (
    "Client left before treatment; nothing was given.",
    "Treatment was postponed at the client's wish; this note was prepared in advance.",
    "Prepared from the plan; the device failed its self-test and the client was not treated.",
)
WRONG_CHART = (
    "Written on the chart of the client in the next room.",
    "Wrong chart: two clients with similar names were here that day.",
    "Wrong client was selected after the search; photographs and consent belong to the other one.",
)


def second_thoughts(visit: Visit, note: Stream) -> Process:
    """Signed but not locked; signed again with a sentence more, and locked."""
    clinic = visit.clinic
    visit.sign(note, visit.text.sections, lock=False)
    yield clinic.later(8, 75)
    plan = f"{visit.text.sections.plan} {clinic.dice.choice(SECOND_THOUGHTS)}"
    visit.sign(note, visit.text.sections.model_copy(update={"plan": plan}))


def locked_later(visit: Visit, note: Stream) -> Process:
    """Signed, read over, and locked as it was."""
    visit.sign(note, visit.text.sections, lock=False)
    yield visit.clinic.later(20, 180)
    visit.sign(note, visit.text.sections)


def with_addendum(visit: Visit, note: Stream) -> Process:
    """Somebody adds something in the days after; now and then twice."""
    clinic = visit.clinic
    visit.sign(note, visit.text.sections)
    words = clinic.dice.sample(visit.text.addenda, clinic.dice.choice((1, 1, 1, 2)))
    for each in words:
        yield clinic.days_later(1, 9)
        by = clinic.dice.choice((visit.by, visit.by, clinic.one_of("clinician")))
        clinic.add(by, visit.client, note, each)


def with_correction(visit: Visit, note: Stream) -> Process:
    """A mistake is signed, found, and put right with a reason; now and then one more."""
    clinic, text = visit.clinic, visit.text
    slip = clinic.dice.choice(text.slips)
    visit.sign(note, text.with_slip(slip))
    yield clinic.later(6, 300) if clinic.dice.randrange(2) else clinic.days_later(1, 12)
    clinic.correct(visit.by, visit.client, note, slip)
    if clinic.dice.randrange(4) == 0:
        yield clinic.days_later(1, 5)
        clinic.add(visit.by, visit.client, note, clinic.dice.choice(text.addenda))


def retracted(visit: Visit, note: Stream) -> Process:
    """Entered in error: written twice, or about something that did not happen."""
    clinic = visit.clinic
    visit.sign(note, visit.text.sections)
    mistaken, reason = note, clinic.dice.choice(NOTHING_DONE)
    if clinic.dice.randrange(2):
        yield clinic.later(2, 9)
        mistaken, reason = clinic.desk.open(NOTE), clinic.dice.choice(WRITTEN_TWICE)
        visit.sign(mistaken, visit.text.sections)
    yield clinic.later(30, 240) if clinic.dice.randrange(2) else clinic.days_later(1, 4)
    clinic.retract(visit.by, visit.client, mistaken, reason)


def moved(visit: Visit, note: Stream) -> Process:
    """Written for somebody else, found, and moved to the right chart, where it goes on."""
    clinic, right = visit.clinic, visit.client
    wrong = clinic.some_client(but=right)
    if wrong is None:
        yield from visit.plain(note)
        return
    clinic.sign(visit.by, wrong, note, visit.text.sections, visit.occurred_at)
    if clinic.dice.randrange(3) == 0:
        yield clinic.days_later(1, 3)
        clinic.add(visit.by, wrong, note, clinic.dice.choice(visit.text.addenda))
    yield clinic.days_later(0, 3)
    if right.is_here:
        reason = clinic.dice.choice(WRONG_CHART)
        clinic.move(visit.by, note, wrong, right, reason)


FATES: tuple[tuple[Fate, int], ...] = (
    (Visit.plain, 66),
    (with_addendum, 11),
    (with_correction, 8),
    (second_thoughts, 6),
    (locked_later, 4),
    (retracted, 3),
    (moved, 2),
)
"""Each with how often it happens, in a hundred."""
LATE_IN = 20
"""One note in so many is written days later."""

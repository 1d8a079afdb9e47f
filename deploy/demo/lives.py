"""How do the many clients of a demo practice come, return, marry, move, and get mixed up?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from deploy.demo.clinic import Client, Clinic, visit
from deploy.demo.desk import Process
from deploy.demo.fates import FATES, LATE_IN
from deploy.demo.notes_visits import INTERVALS
from deploy.demo.people import email, misheard, person, phone
from domain.client.commands import RecordDeath, WithdrawDeath
from domain.kernel.ids import ClientId
from domain.usecases.merge_clients import merge, unmerge

Course = tuple[tuple[str, int], ...]

REGULARS: tuple[Course, ...] = (
    (("consult", 1), ("toxin", 7)),
    (("toxin", 6), ("filler", 2)),
    (("toxin", 5), ("touch_up", 1), ("filler", 1)),
    (("facial", 9),),
    (("facial", 5), ("peel", 3)),
    (("consult", 1), ("hair_removal", 7)),
    (("microneedling", 4), ("facial", 4)),
    (("consult", 1), ("weight", 7)),
    (("photofacial", 4), ("facial", 3)),
    (("biostimulator", 3), ("toxin", 4)),
)
OTHERS: tuple[Course, ...] = (
    (("consult", 1),),
    (("consult", 1), ("toxin", 1)),
    (("toxin", 2),),
    (("toxin", 1), ("touch_up", 1)),
    (("filler", 1),),
    (("facial", 2),),
    (("facial", 1),),
    (("peel", 3),),
    (("hair_removal", 4),),
    (("microneedling", 3),),
    (("consult", 1), ("weight", 2)),
    (("photofacial", 2),),
)
REGULAR_IN = 4
"""One client in so many comes regularly."""
CHANGES_IN = 4
"""One client in so many changes her contact details once."""
DEATHS = (
    "Daughter called the practice.",
    "Obituary in the local newspaper, read by the front desk; confirmed by her husband.",
    "Letter from the estate's attorney.",
)
NOT_DEAD = (
    "Client came to her appointment; the obituary was of a namesake.",
    "Recorded on the wrong client; the caller meant her mother.",
)
SAME_PERSON = (
    "Same telephone number and birth date; name was misheard when she booked by telephone.",
    "Client confirms that she is registered twice, once by the online form.",
    "Duplicate found at check-in: same person, nickname instead of the full name.",
)
TWO_PEOPLE = (
    "Mother and daughter share a telephone; two people after all.",
    "Cousins of the same name; birth dates differ. Merged in error.",
)


def life(clinic: Clinic) -> Process:
    """Somebody registers and comes as often as her course of treatments asks."""
    dice, today = clinic.dice, clinic.desk.now.date()
    client = clinic.register(person(dice, clinic.zone.key, today))
    courses = REGULARS if dice.randrange(REGULAR_IN) == 0 else OTHERS
    if dice.randrange(CHANGES_IN) == 0:
        clinic.desk.begin(clinic.days_later(20, 400), change_of_details(clinic, client))
    for day, kind in _days(dice, dice.choice(courses), today):
        if day >= clinic.end:
            return
        yield max(clinic.opening(day), clinic.later(5, 20))
        if not client.is_here:
            return
        (fate,) = dice.choices([one for one, _ in FATES], [weight for _, weight in FATES])
        late = dice.randint(2, 6) if dice.randrange(LATE_IN) == 0 else 0
        clinic.desk.begin(clinic.desk.now, visit(clinic, client, kind, fate, late_days=late))


def _days(dice: Random, course: Course, first: date) -> list[tuple[date, str]]:
    """When each treatment falls due; the kinds run beside each other."""
    found: list[tuple[date, str]] = []
    for number, (kind, times) in enumerate(course):
        day = first + timedelta(days=dice.randrange(10) if number == 0 else dice.randrange(3, 40))
        if kind == "touch_up":
            # It belongs to the first toxin treatment, which may have been moved.
            day = first + timedelta(days=dice.randrange(24, 30))
        for _ in range(times):
            found.append((day, kind))
            day += timedelta(days=dice.randint(*INTERVALS[kind]))
    return sorted(found, key=lambda one: one[0])


def change_of_details(clinic: Clinic, client: Client) -> Process:
    """A new number, a new address, a new name."""
    if client.is_here:
        dice, zone = clinic.dice, clinic.zone.key
        details = client.stream.state.details
        family = person(dice, zone, clinic.desk.now.date()).details.family_name
        name, value = dice.choice(
            (
                ("phone", phone(dice, zone)),
                ("phone", phone(dice, zone)),
                ("phone", None),
                ("email", email(dice, details.given_name, family)),
                ("family_name", f"{family}-{details.family_name}"),
            )
        )
        if getattr(details, name) != value:
            clinic.change(client, {name: value})
    yield from ()


def registered_twice(clinic: Clinic) -> Process:
    """A client has two records until somebody notices; they are merged for good."""
    first = clinic.some_client()
    if first is None:
        return
    second = clinic.register(misheard(clinic.dice, first.person))
    yield clinic.later(5, 20)
    yield from visit(clinic, second, clinic.dice.choice(list(first.sessions)))
    yield clinic.days_later(3, 60)
    _merge(clinic, first, second, clinic.dice.choice(SAME_PERSON))


def merged_in_error(clinic: Clinic) -> Process:
    """Two people are taken for one, and told apart again; both records stay legible."""
    first = clinic.some_client()
    if first is None:
        return
    details = first.person.details
    younger = person(clinic.dice, clinic.zone.key, clinic.desk.now.date())
    shared = {"family_name": details.family_name, "phone": details.phone, "email": None}
    namesake = younger.details.model_copy(update=shared)
    second = clinic.register(replace(younger, details=namesake))
    yield clinic.later(5, 20)
    yield from visit(clinic, second, clinic.dice.choice(("facial", "peel", "toxin")))
    yield clinic.days_later(5, 40)
    if not _merge(clinic, first, second, "Same telephone number and family name."):
        return
    yield clinic.days_later(1, 30)
    by = clinic.one_of("clinician")
    clinic.open_chart(by, first)
    reason = clinic.dice.choice(TWO_PEOPLE)
    acts = unmerge(first.id, second.id, reason, **clinic.asked(by))
    clinic.desk.ask_all(by, acts, first.stream, second.stream)


def _merge(clinic: Clinic, kept: Client, other: Client, reason: str) -> bool:
    if not (kept.is_here and other.is_here):
        return False
    by = clinic.one_of("clinician")
    clinic.open_chart(by, kept)
    clinic.open_chart(by, other)
    acts = merge(kept.id, ClientId(other.id), reason, **clinic.asked(by))
    clinic.desk.ask_all(by, acts, kept.stream, other.stream)
    return True


def death(clinic: Clinic) -> Process:
    """The practice hears that a client has died."""
    client = clinic.some_client()
    if client is not None:
        _record_death(clinic, client)
    yield from ()


def death_withdrawn(clinic: Clinic) -> Process:
    """The practice hears that a client has died, and it is not so."""
    client = clinic.some_client()
    if client is None:
        return
    _record_death(clinic, client)
    yield clinic.days_later(1, 8)
    by = clinic.one_of("front_desk")
    command = WithdrawDeath(**clinic.asked(by), reason=clinic.dice.choice(NOT_DEAD))
    clinic.desk.ask(by, client.stream, command)


def _record_death(clinic: Clinic, client: Client) -> None:
    by = clinic.one_of("front_desk")
    clinic.desk.look(by, "read", "client", [client.id])
    command = RecordDeath(
        **clinic.asked(by),
        died_on=clinic.desk.now.date() - timedelta(days=clinic.dice.randrange(2, 15)),
        source=clinic.dice.choice(DEATHS),
    )
    clinic.desk.ask(by, client.stream, command)


def audit(clinic: Clinic) -> Process:
    """Every other week the auditor takes a few clients and looks at all there is."""
    while True:
        by = clinic.one_of("auditor")
        for _ in range(clinic.dice.choice((1, 2, 3))):
            client = clinic.dice.choice(clinic.clients) if clinic.clients else None
            if client is not None:
                clinic.open_chart(by, client)
                clinic.desk.look(by, "replay", "events", [client.id])
                clinic.desk.look(by, "read", "accesses", [client.id])
            yield clinic.later(4, 25)
        yield clinic.days_later(9, 19)


def curiosity(clinic: Clinic) -> Process:
    """The owner looks somebody up; now and then the front desk tries a chart, and is refused."""
    while True:
        client = clinic.some_client()
        if client is not None:
            if clinic.dice.randrange(2):
                clinic.desk.look(clinic.one_of("owner"), "search", "clients", [client.id])
                clinic.desk.look(clinic.one_of("owner"), "read", "client", [client.id])
            else:
                by = clinic.one_of("front_desk")
                clinic.desk.look(by, "read", "chart.read", [client.id], outcome="denied")
        yield clinic.days_later(8, 30)


MISHAPS: tuple[tuple[Callable[[Clinic], Process], int], ...] = (
    (registered_twice, 8),
    (merged_in_error, 4),
    (death, 4),
    (death_withdrawn, 3),
)
"""What befalls somebody in a practice of three hundred clients, and how often in two years."""
PER_CLIENTS = 300


def populate(clinic: Clinic, clients: int, days: int) -> None:
    """Everybody's first day, and the mishaps, spread over the years; the old hands come early."""
    dice = clinic.dice
    for _ in range(clients):
        first = clinic.ago(int(days * max(0.02, 1 - dice.random() ** 1.3)))
        clinic.desk.begin(clinic.opening(first), life(clinic))
    for mishap, times in MISHAPS:
        for _ in range(max(1, round(times * clients / PER_CLIENTS))):
            # Not before there are clients to whom it can happen, nor too late to be put right.
            day = clinic.ago(dice.randrange(min(60, days // 4), max(days * 3 // 4, 1)))
            clinic.desk.begin(clinic.opening(day), mishap(clinic))
    clinic.desk.begin(clinic.opening(clinic.ago(days * 9 // 10)), audit(clinic))
    clinic.desk.begin(clinic.opening(clinic.ago(days * 4 // 5)), curiosity(clinic))

"""What do the notes of a demo practice have in common: who, when, what went wrong in writing?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from deploy.demo.people import Person
from domain.chart.events import SectionName, Sections

Wording = Sequence[str]


@dataclass(frozen=True, slots=True)
class Scene:
    """One treatment: whose, when, the how-manieth of its kind, by whom."""

    dice: Random
    person: Person
    on: date
    number: int
    last: date | None
    by: str
    prescriber: str
    choice: str = ""
    """What the plan asks for, where a kind of treatment leaves a choice."""

    def one(self, *wordings: str) -> str:
        """One of several ways to say it."""
        return self.dice.choice(wordings)

    def since(self) -> str:
        """How long ago the last treatment of this kind was."""
        if self.last is None:
            return "first treatment here"
        weeks = max(1, round((self.on - self.last).days / 7))
        return f"{weeks} week{'s' if weeks > 1 else ''} after the last treatment ({self.last})"

    def lot(self, prefix: str) -> str:
        """The lot in use that season: the same for everybody treated from it."""
        season = self.on.year * 6 + self.on.month // 2
        return f"{prefix}{(season * 7919 + sum(map(ord, prefix)) * 131) % 9000 + 1000}"

    def expiry(self) -> str:
        """When that lot expires."""
        day = self.on.replace(day=1) + timedelta(days=400 + (self.on.month % 3) * 60)
        return f"{day:%Y-%m}"

    def pressure(self) -> str:
        """Blood pressure and heart rate."""
        high, rate = self.dice.randrange(104, 138), self.dice.randrange(58, 88)
        return f"BP {high}/{high - self.dice.randrange(36, 48)}, HR {rate}"

    def done_by(self) -> str:
        """Who treated, and on whose order."""
        if self.by == self.prescriber:
            return f"{self.by}."
        return f"{self.by}, order {self.prescriber}."

    def consent(self) -> str:
        """What was agreed before."""
        return self.one(
            "Risks, benefits and alternatives reviewed; questions answered; consent signed.",
            "Written consent obtained after discussion of risks, benefits and alternatives.",
            "Consent in force was reviewed; nothing to add. Verbal agreement to today's plan.",
        )

    def history(self) -> str:
        """What changed since she was last asked."""
        about = f"Allergies: {self.person.allergies} Medications: {self.person.medications}"
        delta = self.one(
            "Health history reviewed, no change.",
            "No new diagnoses, medications or procedures since the last visit.",
            "History questionnaire re-attested today.",
        )
        if self.person.remark:
            delta = f"{delta} {self.person.remark}"
        return f"{delta} {about}"


class Slip(NamedTuple):
    """A mistake in writing that its author finds later: what she wrote for what was right."""

    section: SectionName
    right: str
    wrong: str
    reason: str


@dataclass(frozen=True, slots=True)
class Text:
    """A note as it should read, and what may go wrong with it or be added to it."""

    sections: Sections
    slips: tuple[Slip, ...]
    addenda: tuple[str, ...]

    def with_slip(self, slip: Slip) -> Sections:
        """As it reads with a mistake in it."""
        wrong = getattr(self.sections, slip.section).replace(slip.right, slip.wrong)
        return self.sections.model_copy(update={str(slip.section): wrong})


def sentence(words: str) -> str:
    """With a capital letter; those that are there already stay."""
    return words[0].upper() + words[1:]


def swapped(code: str) -> str:
    """A code with its last two digits the wrong way round, or the last one off by one."""
    if code[-1] != code[-2]:
        return f"{code[:-2]}{code[-1]}{code[-2]}"
    return f"{code[:-1]}{(int(code[-1]) + 1) % 10}"


def text(
    *,
    subjective: str,
    objective: str,
    assessment: str,
    plan: str,
    slips: Sequence[Slip],
    addenda: Sequence[str],
) -> Text:
    """The four sections of a note, and only those slips whose words stand in it once."""
    sections = Sections(
        subjective=subjective, objective=objective, assessment=assessment, plan=plan
    )
    fitting = [
        slip
        for slip in slips
        if getattr(sections, slip.section).count(slip.right) == 1 and slip.right != slip.wrong
    ]
    return Text(sections, tuple(fitting), tuple(addenda))


CALLS = (
    "Client telephoned: asks whether she may fly tomorrow. Advised yes; keep well hydrated.",
    "Client called the desk about make-up; told she may use mineral make-up from tomorrow on.",
    "Aftercare sheet sent again by e-mail at the client's request.",
    "Client mentions by telephone that she took ibuprofen the evening before; noted for next time.",
    "Before photographs were taken and filed; omitted from the note above.",
    "Client's primary-care physician was informed at the client's written request.",
    "Pregnancy test was offered and declined; client states she is not pregnant.",
)
"""Addenda that fit any treatment."""

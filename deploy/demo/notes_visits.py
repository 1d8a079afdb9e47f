"""How do consultations and weight-management visits read, and which notes are there at all?"""

from collections.abc import Callable, Mapping

from deploy.demo.notes import CALLS, Scene, Slip, Text, sentence, swapped, text
from deploy.demo.notes_filler import biostimulator, filler
from deploy.demo.notes_skin import facial, hair_removal, microneedling, peel, photofacial
from deploy.demo.notes_toxin import touch_up, toxin

STEPS = ("0.25", "0.5", "1.0", "1.7", "2.4")
"""Semaglutide, mg once a week; four weeks on each."""
SYRINGE = {"0.25": "10", "0.5": "20", "1.0": "40", "1.7": "68", "2.4": "96"}
HEIGHT_M = 1.66


def consult(scene: Scene) -> Text:
    """A first conversation, with the good-faith exam."""
    wish = scene.one(
        "softer forehead lines", "fuller lips", "acne scars", "hair removal before the summer",
        "a tired look around the eyes", "brown spots", "help with her weight",
    )  # fmt: skip
    skin = scene.person.fitzpatrick
    return text(
        subjective=f"New consultation. {sentence(scene.person.work)}, asks about {wish}. "
        f"{scene.one('Found us through a friend.', 'Has read a good deal and is cautious.')} "
        f"Event: {scene.one('none', 'wedding in three months', 'reunion next month')}. "
        "No body-image distress on screening. Non-smoker. No fainting, no needle phobia. "
        f"{scene.history()}",
        objective=f"{scene.pressure()}. Fitzpatrick {skin}. Skin "
        f"{scene.one('dry', 'combination', 'oily')}, elasticity {scene.one('good', 'fair')}. Face "
        "symmetrical apart from a slightly "
        f"{scene.one('higher right brow', 'smaller left eye', 'fuller right cheek')}. "
        "No suspicious lesion.",
        assessment=f"Good candidate for treatment of {wish}. No contraindication in the history. "
        "Good-faith exam completed in person; valid for 12 months.",
        plan=f"Options, cost, down time and risks explained with photographs. Authorised: "
        f"{scene.one('neuromodulator up to 64 U', 'HA filler up to 2 mL', 'energy devices')}"
        " under standing order SO-4, version 3. Photographs taken with consent. "
        f"{scene.one('Will think it over.', 'Booked.', 'Starts with skin care first.')} "
        f"Fee credited on treatment within 30 days. {scene.by}.",
        slips=(
            Slip(
                "assessment",
                "valid for 12 months",
                "valid for 24 months",
                "Our policy is 12 months.",
            ),
            Slip(
                "objective",
                f"Fitzpatrick {skin}",
                f"Fitzpatrick {skin % 6 + 1}",
                "Skin type re-read from the scored questionnaire.",
            ),
        ),
        addenda=CALLS,
    )


def weight(scene: Scene) -> Text:
    """A visit of the GLP-1 programme: one step of the ladder lasts at least four weeks."""
    step = STEPS[min((scene.number - 1), len(STEPS) - 1)]
    start = 78 + scene.person.details.birth_date.day
    kilos = round(start - 1.6 * (scene.number - 1) - scene.dice.random(), 1)
    index = round(kilos / HEIGHT_M**2, 1)
    lot = scene.lot("W")
    felt = "Wishes to lose weight for good after several diets; sleeps well, labs are normal."
    course = "eligible, no contraindication; ladder begun"
    if scene.number > 1:
        felt = scene.one(
            "Appetite clearly less, eats about half portions.",
            "Less snacking in the evening; walks thirty minutes most days.",
            "Nausea on the day after the injection, gone by the third day.",
            "Constipation, better with fibre and fluids.",
        )
        course = f"responding. Tolerates semaglutide {step} mg"
    return text(
        subjective=f"Weight-management visit {scene.number}, {scene.since()}. {felt}"
        " No abdominal pain, no vomiting, no change of vision. No personal or family "
        f"history of medullary thyroid carcinoma or MEN 2; no pancreatitis. {scene.history()}",
        objective=f"Weight {kilos} kg, height 1.66 m, BMI {index}, waist "
        f"{round(kilos + 14)} cm. {scene.pressure()}. Abdomen soft, not tender.",
        assessment=f"Obesity/overweight (E66.9), {course}.",
        plan=f"Semaglutide {step} mg subcutaneously once a week ({SYRINGE[step]} units of the "
        f"2.5 mg/mL vial), lot {lot}, exp {scene.expiry()}. First dose of the step given "
        "here, left abdomen. Next step no earlier than 28 days from today.\n"
        "Protein 1.2 g/kg, resistance training twice a week, fluids. Stop and call for severe "
        "abdominal pain or persistent vomiting. Labs (A1c, CMP, lipase) due at month 3. "
        f"Review in 4 weeks. {scene.by}.",
        slips=(
            Slip(
                "plan",
                f"{SYRINGE[step]} units",
                "50 units",
                "Syringe units did not match the dose in mg; the dose given was right.",
            ),
            Slip(
                "objective",
                f"Weight {kilos} kg",
                f"Weight {round(kilos * 2.2046, 1)} kg",
                "Scale was read in pounds; now in kilograms.",
            ),
            Slip("plan", lot, swapped(lot), "Lot number mistyped; checked against the vial."),
        ),
        addenda=(
            "Client calls: nausea for two days, keeps fluids down. Smaller meals advised.",
            "Lab results received: A1c 5.6 %, lipase normal, creatinine normal. Filed.",
            "Client missed one dose while travelling; resumes at the same step.",
            *CALLS,
        ),
    )


NOTES: Mapping[str, Callable[[Scene], Text]] = {
    "toxin": toxin,
    "touch_up": touch_up,
    "filler": filler,
    "biostimulator": biostimulator,
    "peel": peel,
    "microneedling": microneedling,
    "facial": facial,
    "hair_removal": hair_removal,
    "photofacial": photofacial,
    "weight": weight,
    "consult": consult,
}
INTERVALS: Mapping[str, tuple[int, int]] = {
    "toxin": (84, 105),
    "touch_up": (14, 21),
    "filler": (180, 300),
    "biostimulator": (42, 56),
    "peel": (21, 35),
    "microneedling": (28, 42),
    "facial": (26, 37),
    "hair_removal": (40, 56),
    "photofacial": (26, 40),
    "weight": (28, 33),
    "consult": (30, 60),
}
"""Days between two treatments of a kind."""

"""How does a neurotoxin note read: product, lot, dilution, and units at every site?"""

from typing import NamedTuple

from deploy.demo.notes import CALLS, Scene, Slip, Text, sentence, swapped, text


class Product(NamedTuple):
    """A toxin. Units of one are not units of another, so each has doses of its own."""

    name: str
    generic: str
    vial: int
    saline: str
    per_tenth: str
    lot: str
    unit: float
    """Of the doses below, which are those of a 100-unit vial."""


PRODUCTS = (
    Product("Botox Cosmetic", "onabotulinumtoxinA", 100, "2.5", "4 U/0.1 mL", "C", 1),
    Product("Xeomin", "incobotulinumtoxinA", 100, "2.5", "4 U/0.1 mL", "X", 1),
    Product("Jeuveau", "prabotulinumtoxinA", 100, "2.5", "4 U/0.1 mL", "J", 1),
    Product("Dysport", "abobotulinumtoxinA", 300, "1.5", "10 U/0.05 mL", "D", 2.5),
    Product("Daxxify", "daxibotulinumtoxinA", 100, "1.2", "8 U/0.1 mL", "R", 2),
)
# Area: what is said about it, then site, points and units per point.
AREAS: dict[str, tuple[str, tuple[tuple[str, int, int], ...]]] = {
    "glabella": (
        "glabellar lines",
        (("procerus", 1, 4), ("corrugator R", 2, 4), ("corrugator L", 2, 4)),
    ),
    "forehead": ("horizontal forehead lines", (("frontalis, medial", 2, 2),
                                               ("frontalis, lateral R", 2, 2),
                                               ("frontalis, lateral L", 2, 2))),
    "canthal": (
        "crow's feet",
        (("orbicularis oculi R", 3, 4), ("orbicularis oculi L", 3, 4)),
    ),
    "bunny": ("bunny lines", (("nasalis R", 1, 2), ("nasalis L", 1, 2))),
    "lip flip": ("a thin upper lip on smiling", (("orbicularis oris, upper", 4, 1),)),
    "chin": ("a dimpled chin", (("mentalis", 2, 3),)),
    "corners": ("downturned mouth corners", (("DAO R", 1, 3), ("DAO L", 1, 3))),
    "masseter": (
        "jaw clenching and a wide lower face",
        (("masseter R", 3, 8), ("masseter L", 3, 8)),
    ),
}  # fmt: skip
USUAL = (
    ("glabella", "forehead", "canthal"),
    ("glabella", "forehead", "canthal"),
    ("glabella", "forehead"),
    ("glabella", "canthal"),
    ("canthal",),
    ("glabella",),
    ("glabella", "forehead", "canthal", "lip flip"),
    ("glabella", "canthal", "bunny"),
    ("masseter",),
    ("glabella", "forehead", "canthal", "chin"),
    ("glabella", "forehead", "corners"),
)
ROMAN = ("I", "II", "III", "IV", "V", "VI")
ADDENDA = (
    "Two-day call: pinpoint bruise at the left lateral canthus, fading; no lid heaviness.",
    "Client sends a photograph on day 4: onset visible, symmetrical. Advised to wait for day 14.",
    "Two-week review: full effect, brow position even, no ptosis. No touch-up needed.",
    "Two-week review: slight residual movement of the left lateral frontalis; touch-up offered.",
    "Client reports a mild headache on the first evening, gone after acetaminophen.",
    *CALLS,
)


def toxin(scene: Scene) -> Text:
    """Neurotoxin to the areas that this client has treated."""
    product = _product(scene)
    # Her areas follow from her, so that every visit treats much the same ones.
    usual = USUAL[sum(map(ord, scene.person.details.family_name)) % len(USUAL)]
    areas = (*usual, *scene.choice.split(",")) if scene.choice else usual
    rows, total = _sites(product, areas)
    complaints = " and ".join(AREAS[area][0] for area in areas[:2])
    lot = scene.lot(product.lot)
    minutes = scene.dice.choice((10, 12, 15))
    return text(
        subjective=_subjective(scene, complaints),
        objective=f"{scene.one('Alert, in no distress.', 'Well-appearing.')} {scene.pressure()}. "
        f"Fitzpatrick {ROMAN[scene.person.fitzpatrick - 1]}. "
        f"{_lines(scene, areas)} Brows {scene.one('level', 'R 1 mm higher than L')}; no ptosis. "
        "Skin intact, no sign of infection at the injection sites. Photographs taken: "
        "rest, frown, raise, smile.",
        assessment=f"Dynamic rhytides ({', '.join(areas)}), good candidate for neuromodulator. "
        f"{scene.one('Z41.1.', 'Cosmetic encounter, Z41.1.')} No contraindication found.",
        plan=f"{scene.consent()} Skin cleansed with {scene.one('70 % alcohol', 'chlorhexidine')}.\n"
        f"{product.name} ({product.generic}), {product.vial} U vial, lot {lot}, "
        f"exp {scene.expiry()}, reconstituted with {product.saline} mL preservative-free "
        f"saline ({product.per_tenth}). 32 G x 13 mm needle.\n{rows}\n"
        f"Total {total} U. Discarded 0 U. Tolerated well, minimal bleeding; ice "
        f"{minutes} minutes.\nUpright for 4 hours, no rubbing, no exercise until tomorrow. "
        f"Review at 2 weeks; next treatment in {scene.one('12', '12 to 14', '12 to 16')} weeks. "
        f"{scene.done_by()}",
        slips=(
            Slip("plan", lot, swapped(lot), "Lot number mistyped; checked against the vial."),
            Slip(
                "plan",
                f"Total {total} U",
                f"Total {total + 4} U",
                "Total did not match the sites; sites are right.",
            ),
            Slip(
                "objective",
                "no ptosis",
                "mild ptosis L",
                "Belongs to another client's examination; there was no ptosis.",
            ),
            Slip(
                "plan",
                f"exp {scene.expiry()}",
                "exp not recorded",
                "Expiry was left out; read from the carton.",
            ),
        ),
        addenda=ADDENDA,
    )


def touch_up(scene: Scene) -> Text:
    """The small correction two weeks after a treatment."""
    units = scene.dice.choice((2, 3, 4, 6))
    side = scene.one("right", "left")
    lot = scene.lot("C")
    return text(
        subjective=f"Two-week review, {scene.since()}. Pleased on the whole; notices that the "
        f"{side} brow still lifts when she is surprised. No headache, no heaviness. "
        f"{scene.history()}",
        objective=f"At rest symmetrical. On raising, residual movement of the "
        f"{side} lateral frontalis. No ptosis, no diplopia. Injection sites healed. "
        "Photographs taken.",
        assessment="Good response with a small asymmetry, day 14 to 21. Touch-up indicated.",
        plan=f"Botox Cosmetic lot {lot}, exp {scene.expiry()}: frontalis, {side} lateral, "
        f"{units} U in one point. Total {units} U. Discarded 0 U. No charge.\n"
        f"Next full treatment no earlier than 12 weeks after the last. {scene.by}.",
        slips=(
            Slip("plan", lot, swapped(lot), "Lot number mistyped; checked against the vial."),
            Slip(
                "plan",
                f"frontalis, {side} lateral",
                f"frontalis, {'left' if side == 'right' else 'right'} lateral",
                "Side was written the wrong way round; map and photographs show the right one.",
            ),
        ),
        addenda=CALLS,
    )


def _product(scene: Scene) -> Product:
    allowed = [one for one in PRODUCTS if one.name not in scene.person.avoid]
    if scene.dice.random() < 0.1:  # noqa: PLR2004 - now and then another one is tried
        return scene.dice.choice(allowed)
    details = scene.person.details
    return allowed[(details.birth_date.toordinal() * 3) % min(3, len(allowed))]


def _sites(product: Product, areas: tuple[str, ...]) -> tuple[str, int]:
    rows: list[str] = []
    total = 0
    for area in areas:
        parts: list[str] = []
        for site, points, units in AREAS[area][1]:
            each = max(1, round(units * product.unit))
            total += points * each
            parts.append(f"{site} {points} x {each} U")
        rows.append(f"- {area}: {'; '.join(parts)}")
    return "\n".join(rows), total


def _subjective(scene: Scene, complaints: str) -> str:
    person = scene.person
    if scene.number == 1:
        opening = scene.one(
            f"New to neuromodulators. {sentence(person.work)}; bothered by {complaints} in "
            "photographs and on video calls.",
            f"Asks for treatment of {complaints}. Had toxin elsewhere a year ago, no problems.",
            f"Wishes to soften {complaints} before a family event, and to look rested, not frozen.",
        )
    else:
        opening = scene.one(
            f"Returns {scene.since()}. Effect lasted about {scene.dice.randrange(9, 14)} weeks; "
            "movement has come back.",
            f"Maintenance visit, {scene.since()}. Very happy with the last result, asks for the "
            "same again.",
            f"Here {scene.since()}. Found the forehead a little heavy last time and asks for less "
            "there.",
            f"Regular visit, {scene.since()}. Friends say she looks rested. No side effects.",
        )
    return f"{opening} Not pregnant or breast-feeding. No infection, no neuromuscular disease. " + (
        scene.history()
    )


def _lines(scene: Scene, areas: tuple[str, ...]) -> str:
    grades = [
        f"{area} {scene.dice.choice((2, 2, 3))}/4 on movement, "
        f"{scene.dice.choice((0, 1, 1, 2))}/4 at rest"
        for area in areas[:3]
    ]
    return sentence("; ".join(grades)) + "."

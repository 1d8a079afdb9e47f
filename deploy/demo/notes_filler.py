"""How does a filler note read: product, lot, plane, volume, capillary refill?"""

from typing import NamedTuple

from deploy.demo.notes import CALLS, Scene, Slip, Text, sentence, swapped, text


class Filler(NamedTuple):
    """A region, what is put there, and how."""

    product: str
    lot: str
    concern: str
    finding: str
    technique: str
    volumes: tuple[str, ...]
    lasts: str


REGIONS: dict[str, Filler] = {
    "lips": Filler(
        "Restylane Kysse 1 mL", "K", "fuller, more even lips, nothing that looks done",
        "upper lip thinner than lower (1:2), cupid's bow flat, fine perioral lines",
        "vermilion border and body, submucosal, linear threads, 30 G needle",
        ("upper 0.4 mL; lower 0.3 mL", "upper 0.5 mL; lower 0.4 mL", "upper 0.3 mL; lower 0.2 mL"),
        "6 to 12 months",
    ),
    "cheeks": Filler(
        "Juvederm Voluma XC 1 mL", "V", "a flatter midface and tired look since losing weight",
        "midface volume loss grade 3, tear trough shadow, zygoma less projected on the left",
        "supraperiosteal bolus over the zygoma, then subdermal fan, 25 G x 38 mm cannula",
        ("R 0.5 mL; L 0.5 mL", "R 0.9 mL; L 1.0 mL", "R 0.7 mL; L 0.8 mL"),
        "18 to 24 months",
    ),
    "folds": Filler(
        "Juvederm Vollure XC 1 mL", "U", "lines from nose to mouth that make-up settles into",
        "nasolabial folds grade 3 both sides, skin elastic, no scars",
        "deep dermal, retrograde linear, 27 G cannula from the lateral entry",
        ("R 0.5 mL; L 0.5 mL", "R 0.4 mL; L 0.5 mL"),
        "12 to 18 months",
    ),
    "chin": Filler(
        "Restylane Defyne 1 mL", "E", "a weak chin in profile",
        "chin 4 mm behind the zero meridian, mentalis overactive",
        "supraperiosteal bolus, midline and parasagittal, 27 G needle",
        ("midline 0.4 mL; R 0.3 mL; L 0.3 mL",),
        "about 12 months",
    ),
}  # fmt: skip
ADDENDA = (
    "Next-day call: swelling as expected, bruise about 1 cm on the left, no pain, colour normal.",
    "Photograph received on day 2: upper lip swollen, no blanching, no livedo. Reassured.",
    "Two-week review: swelling gone, volume even, client delighted. No nodules on palpation.",
    "Two-week review: small ridge at the right border, massaged flat; review in two weeks.",
    "Client asks for the product name for her own records; label copy handed out.",
    *CALLS,
)


def filler(scene: Scene) -> Text:
    """Hyaluronic-acid filler to one region."""
    region = scene.choice or scene.one("lips", "lips", "cheeks", "folds", "chin")
    used = REGIONS[region]
    lot, volumes = scene.lot(used.lot), scene.dice.choice(used.volumes)
    numbing = scene.one("Lidocaine 23 % / tetracaine 7 % cream 30 minutes", "Ice and BLT cream")
    refill = scene.dice.choice(("1.5 s", "2 s", "2 s"))
    return text(
        subjective=f"{_opening(scene, used)} Not pregnant. No dental work within two weeks, no "
        "cold sore now or in the past year, no history of anaphylaxis, no lidocaine allergy. "
        f"{scene.history()}",
        objective=f"{scene.pressure()}. {sentence(used.finding)}. Capillary refill {refill} on "
        f"both sides before treatment. {scene.one('Skin intact.', 'No lesion in the field.')} "
        "Photographs: front, both obliques, profile.",
        assessment=f"Volume deficiency, {region}; suitable for hyaluronic-acid filler. Realistic "
        "expectations. Vascular risk explained; hyaluronidase in date on site "
        f"({scene.dice.randrange(6, 14)} vials checked).",
        plan=f"{scene.consent()} {numbing}. Chlorhexidine prep, time-out done.\n"
        f"{used.product}, lot {lot}, exp {scene.expiry()}, label filed. {volumes}. "
        f"{sentence(used.technique)}. Aspiration negative at each bolus.\n"
        f"Capillary refill {refill} after each side, no blanching, no pain beyond expected. "
        f"Pain {scene.dice.randrange(1, 5)}/10. Massaged, ice 10 minutes.\n"
        "Written aftercare and emergency number given; call at once for white or blue patches, "
        "increasing pain or change of vision. Review at 2 weeks. "
        f"Expected to last {used.lasts}. {scene.done_by()}",
        slips=(
            Slip("plan", lot, swapped(lot), "Lot number mistyped; the label on file is right."),
            Slip(
                "plan",
                "Aspiration negative at each bolus",
                "Aspiration not done",
                "Wrong phrase chosen; aspiration was done and negative each time.",
            ),
            Slip(
                "assessment",
                f"deficiency, {region}",
                "deficiency, midface",
                "Region carried over from the template.",
            ),
            Slip(
                "plan",
                "Review at 2 weeks",
                "Review at 6 weeks",
                "Review is due after 2 weeks, as the client was told.",
            ),
        ),
        addenda=ADDENDA,
    )


def biostimulator(scene: Scene) -> Text:
    """Poly-L-lactic acid, a session of a series."""
    lot = scene.lot("S")
    vials = scene.dice.choice((1, 1, 2))
    session = min(scene.number, 4)
    return text(
        subjective=f"Session {session} of 3 to 4, {scene.since()}. "
        f"{scene.one('Notices firmer skin along the jaw.', 'No lumps felt at home.')} "
        f"Kept to the 5-5-5 massage. {scene.history()}",
        objective=f"{scene.pressure()}. Temples and preauricular hollows improved by "
        f"{scene.dice.randrange(10, 40)} % on comparison with the first photographs. "
        "No nodules, no papules on palpation.",
        assessment="Lipoatrophy of temples and lower face, responding to poly-L-lactic acid.",
        plan=f"{scene.consent()} Sculptra {vials} vial(s), lot {lot}, exp {scene.expiry()}, "
        "8 mL sterile water plus 1 mL lidocaine 1 %, hydrated 24 hours. Subdermal fan, "
        "25 G cannula: temples R 1 mL, L 1 mL; preauricular R 3.5 mL, L 3.5 mL.\n"
        "Massage five minutes in the chair. Massage five times a day for five days. "
        f"Next session in 6 weeks. {scene.done_by()}",
        slips=(
            Slip("plan", lot, swapped(lot), "Lot number mistyped; checked against the vial."),
            Slip(
                "plan",
                "8 mL sterile water",
                "5 mL sterile water",
                "Dilution was 8 mL according to the reconstitution log.",
            ),
        ),
        addenda=ADDENDA,
    )


def _opening(scene: Scene, used: Filler) -> str:
    if scene.number == 1:
        return scene.one(
            f"Wishes for help with {used.concern}. No filler before.",
            f"Consulted last month about {used.concern}; has thought it over and would like to go "
            "ahead.",
            f"Asks about {used.concern}. Filler elsewhere two years ago, product not known.",
        )
    return scene.one(
        f"Returns {scene.since()}; result has softened and she would like a little more.",
        f"Here {scene.since()}. Was happy with the result; asks for maintenance.",
    )

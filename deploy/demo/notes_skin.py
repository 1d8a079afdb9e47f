"""How do the notes of peels, microneedling, facials and lasers read?"""

from typing import NamedTuple

from deploy.demo.notes import CALLS, Scene, Slip, Text, sentence, swapped, text

SKIN_ADDENDA = (
    "Client sends a photograph on day 3: fine flaking around the mouth, no crusts. On track.",
    "Day-5 call: peeling finished, slight dryness. Told to restart retinoid in another week.",
    "Client reports that redness lasted two days; no blister, no oozing.",
    "Client admits to a day at the beach without hat; sun protection gone over again.",
    *CALLS,
)


class Laser(NamedTuple):
    """An area of hair removal: energy and pulse by how dark the skin is."""

    area: str
    spot: str
    pulses: tuple[int, int]


AREAS = {
    "axilla": Laser("both axillae", "18 mm", (60, 90)),
    "bikini": Laser("bikini line", "15 mm", (90, 140)),
    "leg": Laser("both lower legs", "18 mm", (320, 420)),
    "lip": Laser("upper lip and chin", "12 mm", (30, 55)),
    "back": Laser("back and shoulders", "20 mm", (380, 520)),
}
SKINS = (
    (
        "Post-acne marks on the cheeks, fading.",
        "Post-inflammatory macules on both cheeks, paler than on the last photographs.",
        "Post-inflammatory hyperpigmentation (L81.0).",
    ),
    (
        "Wants brighter skin and smaller pores.",
        "Comedones on nose and chin, no active pustules.",
        "Acne vulgaris, comedonal, mild (L70.0).",
    ),
    (
        "Brown patches on the upper lip and cheeks, stable since the summer.",
        "Centrofacial brown patches, sharply bordered; no erythema.",
        "Melasma, epidermal type (L81.1).",
    ),
)
"""What brings somebody to a peel: her wish, the finding, the diagnosis."""
DARK = 5
"""From Fitzpatrick V on the longer wavelength is the safe one."""


def peel(scene: Scene) -> Text:
    """A superficial chemical peel."""
    agent, lot_prefix, minutes = scene.dice.choice(
        (
            ("glycolic acid 30 %", "G", 3),
            ("lactic acid 40 %", "L", 4),
            ("salicylic acid 20 %", "B", 4),
            ("modified Jessner solution", "M", 3),
        )
    )
    lot = scene.lot(lot_prefix)
    layers = scene.dice.choice((1, 2, 2, 3))
    wish, finding, diagnosis = SKINS[scene.person.details.birth_date.day % len(SKINS)]
    frost = scene.one("even erythema", "speckled frost at the chin only", "mild erythema")
    return text(
        subjective=f"Peel {min(scene.number, 6)} of a series, {scene.since()}. {wish} "
        "Retinoid stopped five days ago. No isotretinoin in the past year, no cold sores, "
        "no aspirin allergy. "
        f"{scene.history()}",
        objective=f"Fitzpatrick {scene.person.fitzpatrick}. {finding} "
        "Barrier intact, no dermatitis, no sunburn.",
        assessment=f"{diagnosis} Suitable for a superficial peel.",
        plan=f"{scene.consent()} Degreased with acetone, lids and lips protected. "
        f"{sentence(agent)}, lot {lot}, exp {scene.expiry()}: {layers} layer(s), "
        f"{minutes} minutes each, "
        f"full face. End point: {frost}. Neutralised, cool compresses, SPF 50.\n"
        "No picking, bland moisturiser, strict sun protection for two weeks. Next peel in "
        f"{scene.one('3', '4', '3 to 4')} weeks. {scene.by}.",
        slips=(
            Slip(
                "plan",
                f"{minutes} minutes each",
                f"{minutes + 6} minutes each",
                f"Contact time was {minutes} minutes by the timer.",
            ),
            Slip("plan", lot, swapped(lot), "Lot number mistyped; read again from the bottle."),
            Slip(
                "plan",
                f"{layers} layer(s)",
                f"{layers + 1} layer(s)",
                "One layer too many was written down.",
            ),
        ),
        addenda=SKIN_ADDENDA,
    )


def microneedling(scene: Scene) -> Text:
    """A session with the pen, without radiofrequency."""
    lot = scene.lot("P")
    forehead = scene.one("0.5 mm", "0.75 mm")
    cheeks = scene.one("1.5 mm", "1.75 mm", "2.0 mm")
    return text(
        subjective=f"Microneedling session {min(scene.number, 6)}, {scene.since()}. "
        + scene.one(
            "Acne scars on the cheeks are her main concern.",
            "Fine lines and texture; likes the glow after the last session.",
            "Enlarged pores and shallow scars on the temples.",
        )
        + " No isotretinoin in the past six months, no keloids, no anticoagulant. "
        f"{scene.history()}",
        objective=f"Fitzpatrick {scene.person.fitzpatrick}. "
        f"{scene.one('Rolling and boxcar scars, Goodman grade 3.', 'Texture grade 2 of 4.')} "
        "No active acne in the field, no infection, no herpes.",
        assessment="Atrophic scars and uneven texture (L90.5); session indicated.",
        plan=f"{scene.consent()} Topical lidocaine 5 % for 30 minutes, removed, chlorhexidine. "
        f"SkinPen cartridge lot {lot}: forehead {forehead}, cheeks {cheeks}, "
        f"perioral 1.0 mm; {scene.dice.choice((3, 4, 4))} passes, hyaluronic-acid glide. "
        "End point: uniform erythema with pinpoint bleeding.\n"
        "No make-up for 24 hours, SPF from tomorrow, no retinoid for five days. "
        f"Next session in {scene.one('4', '5', '6')} weeks. {scene.by}.",
        slips=(
            Slip(
                "plan",
                f"cheeks {cheeks}",
                "cheeks 0.25 mm",
                "Depth setting of the cheeks was entered wrongly; device log shows the right one.",
            ),
            Slip("plan", lot, swapped(lot), "Cartridge lot mistyped."),
            Slip(
                "subjective",
                "no keloids",
                "keloids",
                "The word 'no' was lost in dictation; the client has no keloids.",
            ),
        ),
        addenda=SKIN_ADDENDA,
    )


def facial(scene: Scene) -> Text:
    """Hydradermabrasion, the monthly visit of many."""
    booster = scene.one("brightening", "peptide", "growth-factor", "salicylic")
    lot = scene.lot("H")
    strength = scene.one("low", "medium", "medium")
    return text(
        subjective=f"Monthly HydraFacial, {scene.since()}. "
        + scene.one(
            f"Skin feels dull; works long hours as {scene.person.work}.",
            "Breakouts on the chin before each period.",
            "Dry and tight since the heating is on.",
            "Preparing for a wedding in six weeks.",
        )
        + f" {scene.history()}",
        objective=scene.one(
            "Combination skin, open comedones on the nose, closed ones on the forehead.",
            "Dehydrated skin, fine flaking on the cheeks, T-zone normal.",
            "Oily T-zone, three papules on the chin, no nodules.",
        )
        + " No open lesion, no sunburn, no rash.",
        assessment=scene.one(
            "Dehydrated combination skin.", "Congested skin, comedonal.", "Dull, healthy skin."
        )
        + " Esthetic treatment only; no medical complaint.",
        plan=f"HydraFacial: cleanse and exfoliate (tip blue, vacuum {strength}), acid peel 7.5 %, "
        f"extraction of nose and chin, {booster} booster lot {lot}, LED red light 10 minutes. "
        f"{scene.one('Glowing, minimal redness.', 'Slight redness at the nose.')}\n"
        f"Home care: {scene.one('gentle cleanser and SPF 50', 'niacinamide 5 %', 'ceramides')}. "
        f"Next visit in 4 weeks. {scene.by}.",
        slips=(
            Slip(
                "plan",
                f"{booster} booster",
                "anti-redness booster",
                "Booster was chosen from the wrong line of the list.",
            ),
            Slip(
                "plan",
                "acid peel 7.5 %",
                "acid peel 15 %",
                "Strength was 7.5 %; 15 % is not stocked.",
            ),
            Slip(
                "plan",
                f"vacuum {strength}",
                "vacuum high",
                "Vacuum setting corrected after looking at the device.",
            ),
        ),
        addenda=SKIN_ADDENDA,
    )


def hair_removal(scene: Scene) -> Text:
    """One laser session of a series, with the five parameters that matter."""
    laser = AREAS[scene.choice or scene.one("axilla", "axilla", "bikini", "leg", "lip")]
    fitzpatrick = scene.person.fitzpatrick
    wave, pulse, base = (
        ("1064 nm", "30 ms", 24)
        if fitzpatrick >= DARK
        else ("755 nm", "3 ms" if fitzpatrick < 3 else "10 ms", 16 - fitzpatrick)  # noqa: PLR2004 - skin type
    )
    fluence = f"{base + min(scene.number, 6) - 1}.0 J/cm2"
    pulses = scene.dice.randrange(*laser.pulses)
    spared = scene.one("None since the last visit", "No sun, no self-tanner for 4 weeks")
    return text(
        subjective=f"Laser hair removal of {laser.area}, session {scene.number}, {scene.since()}. "
        f"{scene.one('Hair finer and slower.', 'About a third less hair than at the start.')} "
        f"Shaved yesterday, no waxing or plucking. Tan: {spared.lower()}. "
        f"No photosensitising medication. {scene.history()}",
        objective=f"Fitzpatrick {fitzpatrick}, assessed today. Hair "
        f"{scene.one('dark and coarse', 'dark, medium', 'brown, fine')}. No tan, no lesion, "
        f"no folliculitis in the field. Test spot {scene.one('of session 1', 'today')}: "
        "perifollicular oedema, no blister.",
        assessment=f"Unwanted hair, series going well. Wavelength fits type {fitzpatrick}.",
        plan=f"Eye protection for all, door sign on. {scene.consent()}\n"
        f"GentleMax Pro: {wave}, spot {laser.spot}, {fluence}, {pulse}, cryogen 40/20, "
        f"{pulses} pulses, 10 % overlap, one pass, {laser.area}.\n"
        "End point: perifollicular oedema and erythema. Cold packs. No heat or friction for "
        f"48 hours, SPF. Next session in {scene.one('6', '6', '8')} weeks. {scene.by}.",
        slips=(
            Slip(
                "plan",
                fluence,
                f"{base + 11}.0 J/cm2",
                "Fluence corrected from the device's log; the higher value was a typing error.",
            ),
            Slip(
                "plan",
                f"{pulses} pulses",
                f"{pulses + 100} pulses",
                "Pulse count corrected from the device's counter.",
            ),
            Slip("plan", pulse, "40 ms", "Pulse width corrected from the device's log."),
        ),
        addenda=SKIN_ADDENDA,
    )


def photofacial(scene: Scene) -> Text:
    """Intense pulsed light for spots and redness."""
    fluence = f"{scene.dice.randrange(12, 19)}.0 J/cm2"
    cutoff = scene.one("560 nm", "590 nm")
    return text(
        subjective=f"IPL session {min(scene.number, 5)}, {scene.since()}. "
        f"{scene.one('Brown spots on cheeks and hands.', 'Flushing, visible vessels.')} "
        f"No sun for four weeks, no self-tanner. {scene.history()}",
        objective=f"Fitzpatrick {scene.person.fitzpatrick}. Lentigines on both cheeks, "
        "telangiectasia at the alae, no suspicious lesion; one seborrhoeic keratosis left alone.",
        assessment="Photodamage with lentigines and diffuse redness (L57.8). Suitable for IPL.",
        plan=f"{scene.consent()} Goggles. Filter {cutoff}, {fluence}, double pulse 3.5/3.5 ms, "
        f"delay 30 ms, 15 x 35 mm, contact cooling 10 C, {scene.dice.randrange(38, 70)} pulses, "
        "full face, lesions outlined white where needed.\n"
        "End point: slight darkening of spots, vessels faded. Spots will darken and flake. "
        f"SPF 50. Next session in 4 weeks. {scene.done_by()}",
        slips=(
            Slip(
                "plan",
                f"Filter {cutoff}",
                "Filter 515 nm",
                "Filter corrected: 515 nm was not used on this skin type.",
            ),
            Slip("plan", fluence, "28.0 J/cm2", "Fluence corrected from the device's log."),
        ),
        addenda=SKIN_ADDENDA,
    )

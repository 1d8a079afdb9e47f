"""Which notes of the twelve are written out in full, since no pattern would fit them?"""

from domain.chart.events import Sections

BEN_OCCLUSION = Sections(
    subjective="Cheek filler, second session. Ten minutes after the left side he reports a dull "
    "ache and a cold feeling over the left cheek and upper lip. No change of vision, no headache. "
    "History re-attested, NKDA.",
    objective="14:02 blanching of the left nasolabial and upper-lip area, livedo at 14:04. "
    "Capillary refill left more than 5 s, right 2 s. Visual acuity and eye movements normal "
    "(checked 14:05, 14:30, 15:15). BP 142/86, HR 92. Photographs every 15 minutes.",
    assessment="Suspected vascular occlusion, left facial/superior labial territory, after "
    "hyaluronic-acid filler (Juvederm Voluma XC 0.4 mL, left, 25 G cannula). No sign of ocular or "
    "cerebral involvement.",
    plan="14:03 injection stopped, client informed, help called, protocol VO-2 (version 5) "
    "started.\n14:06 hyaluronidase 500 U flooded over the whole territory, massage, warm "
    "compress.\n14:10 aspirin 325 mg by mouth.\n14:36 refill 4 s, paler area smaller: second round "
    "500 U.\n15:36 refill 2 s on both sides, colour normal, pain 1/10: no further round.\n"
    "Hyaluronidase lot Y4471, exp 2027-03, 1,000 U in all; 500 U left in stock. Filler lot "
    "recorded from the label. Observed until 16:30. Medical director informed at 14:07. "
    "Reviews: by telephone tonight, in person tomorrow, at 48 hours and at one week.",
)
BEN_FIRST_DAY = (
    "Day 1 review: colour and refill normal on both sides, 1 cm bruise at the entry point, no "
    "livedo, no skin breakdown. Photographs filed. Continues aspirin 81 mg for 5 days."
)
BEN_WEEK = (
    "One-week review: skin intact, no scar, no pigment change. Volume lost on the left as "
    "expected after hyaluronidase; he does not wish it replaced for now. Event report closed."
)
BEN_CALLS = (
    (1, BEN_FIRST_DAY),
    (1, "48-hour review: bruise fading, sensation normal. No pain. Next review at one week."),
    (5, BEN_WEEK),
)
FAY_DEFERRED = Sections(
    subjective="Booked for microneedling. Finished isotretinoin 40 mg three months ago (six-month "
    "course by her dermatologist). Skin dry, lips still chap. Not pregnant. NKDA.",
    objective="Fitzpatrick I. Mild xerosis, no active acne. Shallow ice-pick scars, both cheeks. "
    "No open lesion.",
    assessment="Acne scarring (L90.5). Isotretinoin within six months: microneedling and medium "
    "peels are deferred by protocol until a prescriber has reviewed the case.",
    plan="No procedure today. Gentle care, SPF 50, no actives. Prescriber review requested. "
    "Deposit stays in her member bank. Earliest date for needling: six months after the last dose.",
)
FAY_REVIEW = (
    "Prescriber review: evidence for delayed healing after isotretinoin is weak for microneedling, "
    "but our protocol asks for six months and there is no hurry. Wait until six months are over; "
    "hydrating facials without acids may go on."
)
GIL_ACNE = Sections(
    subjective="17 years old, here with his mother, Rosa Navarro, who gives consent; Gil agrees. "
    "Acne on the forehead for two years, worse before exams. Benzoyl peroxide made him dry. No "
    "isotretinoin, no cold sores. NKDA. Asked alone as well: no concerns, no smoking.",
    objective="Fitzpatrick IV. About twenty comedones and eight papules on the forehead and chin, "
    "no nodules, no scars. Post-inflammatory spots on both temples.",
    assessment="Acne vulgaris, mild to moderate (L70.0). Minor: treatment only with a guardian's "
    "consent; no neuromodulator, no filler.",
    plan="Adapalene 0.1 % at night, benzoyl peroxide wash in the morning, non-comedogenic SPF. "
    "Superficial peel possible after four weeks if the skin tolerates adapalene; guardian to sign "
    "again then. Leaflet for both. Review in six weeks.",
)
HANA_LATE = {
    250: Sections(
        subjective="Cancelled forty minutes before her appointment (roster changed).",
        assessment="Not seen. No clinical change known.",
        plan="Offered two other days; she will call back. First late cancellation.",
    ),
    190: Sections(
        subjective="Cancelled on the day again, by voice message.",
        assessment="Not seen.",
        plan="Reminded kindly of the 24-hour rule. Toxin now overdue at 20 weeks; no harm in that.",
    ),
    120: Sections(
        subjective="Third late cancellation within half a year; apologises, flights were moved.",
        assessment="Not seen.",
        plan="By our policy she books against prepayment from now on; the desk has told her and "
        "she agrees.",
    ),
}
KIM_TEXTS = Sections(
    subjective="Answered our appointment reminder with 'please no more texts'. Otherwise content, "
    "skin calm after the last IPL.",
    objective="Not seen; telephone contact.",
    assessment="Wishes no text messages of any kind.",
    plan="Passed to the front desk to switch off all texts at once. Reminders by e-mail only.",
)
_LIA_ASKED = (
    "No abdominal pain, no vomiting. No personal or family history of medullary thyroid carcinoma "
    "or MEN 2, no pancreatitis."
)
LIA = (
    (0, Sections(
        subjective="Starts the weight-management programme. Three diets in five years, regained "
        f"each time. Sleeps well, walks to work. {_LIA_ASKED} Not pregnant, uses an IUD. NKDA.",
        objective="Weight 91.4 kg, height 1.66 m, BMI 33.2, waist 104 cm, BP 132/84, HR 76. "
        "Abdomen soft. Labs of last week: A1c 5.7 %, lipase 31, creatinine 0.8.",
        assessment="Obesity class 1 (E66.9). Eligible; no contraindication.",
        plan="Semaglutide 0.25 mg once a week, 10 units of the 2.5 mg/mL vial, lot W8812; first "
        "dose here, left abdomen. Technique taught. Next step on day 28 at the earliest.",
    )),
    (14, Sections(
        subjective=f"Day 14, two doses. Slight nausea the day after each. {_LIA_ASKED}",
        objective="Weight 90.1 kg, BP 128/82, HR 78.",
        assessment="Tolerates 0.25 mg.",
        plan="Continue 0.25 mg. Small meals, fluids, protein first. Review on day 28.",
    )),
    (27, Sections(
        subjective="Day 27, by video. Asks to step up today, as she leaves for a trip tomorrow "
        f"evening. {_LIA_ASKED}",
        objective="Weight at home 88.9 kg. Looks well.",
        assessment="27 days on the present step: one day short of the 28 that the protocol asks.",
        plan="Step-up declined today. She can come tomorrow morning before the trip.",
    )),
    (28, Sections(
        subjective=f"Day 28. Fourth dose was a week ago, no nausea since. {_LIA_ASKED}",
        objective="Weight 88.7 kg, BMI 32.2, waist 101 cm, BP 126/80, HR 74.",
        assessment="28 days on 0.25 mg, well tolerated: step-up allowed.",
        plan="Semaglutide 0.5 mg once a week, 20 units, lot W8812; first dose given here, right "
        "abdomen. Cold bag and letter for the trip. Next step no earlier than in 28 days.",
    )),
    (33, Sections(
        subjective="Week 5, by telephone from her trip. Fuller sooner; a little constipation.",
        objective="Not examined.",
        assessment="First week on 0.5 mg uneventful.",
        plan="Fibre and fluids. Next dose in two days. Review at week 8 with weight and waist.",
    )),
)  # fmt: skip
MIA_CONSULT = Sections(
    subjective="First consultation. Architect, came with her husband. Bothered by frown lines "
    "on video calls. Migraine with aura in her twenties, none for ten years. No pregnancy. NKDA.",
    objective="BP 118/74, HR 66. Fitzpatrick II. Glabellar lines 3/4 on movement, 1/4 at rest. "
    "No ptosis, brows level.",
    assessment="Good candidate for neuromodulator to the glabella. Good-faith exam completed in "
    "person.",
    plan="20 U onabotulinumtoxinA to the glabella discussed; wants to think about it. Cost and "
    "after-care explained, photographs taken with consent. Will book by telephone.",
)
NED_CALL = Sections(
    subjective="Video visit. Lives in Austin, Texas, during the winter; his telephone number is "
    "from Florida. Asks whether toxin can be done on his next visit to New York.",
    objective="Seen on video: forehead lines on movement, brows level, skin clear.",
    assessment="Suitable by history; the exam in person is still valid here. No "
    "treatment order can be given for Texas.",
    plan="Appointment in New York offered. Calls and reminders only in hours that are right both "
    "in Texas and in Florida.",
)

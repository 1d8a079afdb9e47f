"""Who are the people of a demo practice? All of them are made up."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from domain.client.events import Details

ORIGINS: tuple[tuple[str, str, str], ...] = (
    (
        "Grace Hannah Nora Claire Ruth Paige Tess Maeve Joan Heather Louise Bridget Imogen Beth",
        "Owen Patrick Miles Graham Connor Dylan",
        "Whitaker Brennan Hollis Gallagher Prescott Maddox Thornbury Ashcroft Doyle Kerr Lowell",
    ),
    (
        "Lucía Valentina Camila Inés Marisol Paloma Renata Ximena Carmen Elena Rocío Daniela",
        "Mateo Andrés Joaquín Rafael Tomás Emilio",
        "Ferrer Quiñones Salgado Montoya Villaseñor Cárdenas Ibarra Peñalver Rosales Escobedo Luna",
    ),
    (
        "Imani Ayana Nia Zora Simone Kendra Janelle Tamika Monique Ebony Danielle Aaliyah",
        "Malik Andre Terrence Isaiah Darnell Jalen",
        "Baptiste Freeman Hightower Gaines Mayfield Winfrey Boone Ellison Tillman Broussard",
    ),
    (
        "Priya Ananya Meera Kavita Nandini Shreya Anjali Deepa Lakshmi Rukmini Aditi Sunita",
        "Arjun Rohan Vikram Nikhil Sanjay Karthik",
        "Iyer Chatterjee Deshmukh Bhatt Raghavan Mehrotra Kulkarni Sethi Nambiar Vaidya Ghosh",
    ),
    (
        "Mei Xiu Jing Lan Yiran Wenyi Qian Huilin Ruoxi Shan Lihua Anning",
        "Jun Wei Haoran Bowen Kai Zihan",
        "Chen Liu Zhao Huang Tsai Sung Lau Xu Peng Guo Fang",
    ),
    (
        "Ji-woo Min-seo Soo-ah Hye-jin Eun-ji Yuna Sora Haneul Bora Da-eun Naomi Aiko",
        "Joon-ho Tae-yang Minho Sung-min Kenji Daichi",
        "Pak Choi Yoon Jang Seo Baek Tanaka Fujimoto Nakagawa Ishii Moriyama",
    ),
    (
        "Thuy Linh Mai Huong Ngoc Trang Maricel Analyn Divina Liwayway Rosalie Jasmine",
        "Minh Quang Tuan Benedict Ramil Efren",
        "Phạm Đặng Bùi Vũ Hoàng Dela-Cruz Manalo Villanueva Pangilinan Bautista Macaraeg",
    ),
    (
        "Layla Yasmin Nour Salma Rania Dalia Shirin Parisa Laleh Mariam Hala Zeynep",
        "Karim Tarek Omid Babak Samir Emre",
        "Farouk Khoury Nasser Haddadin Tehrani Mokhtari Shirazi Aydın Yıldız Sabbagh Rahimi",
    ),
    (
        "Giulia Chiara Beatrice Sofia Alessia Ilaria Dimitra Eleni Katerina Despina Lorenza Bianca",
        "Marco Luca Stefano Nikos Yannis Paolo",
        "Bellini Ferraro Conti Moretti De-Luca Santoro Papadakis Kostas Vlahos Galanis Mancini",
    ),
    (
        "Oksana Katarzyna Zofia Milena Svetlana Irina Agnieszka Daria Ludmila Jelena Vesna Halina",
        "Łukasz Pavel Dmitri Bogdan Marek Goran",
        "Kowalczyk Nowicka Shevchenko Petrova Wójcik Horvat Marković Novotná Zelenko Baran Sokol",
    ),
    (
        "Astrid Freya Ingrid Saga Maja Elin Annika Sigrid Johanna Greta Liesel Annemarie",
        "Søren Björn Lars Mikkel Anders Jürgen",
        "Bergström Nygård Halvorsen Østergaard Lindholm Ekdahl Kaufmann Dreyer Vogt Brandt Haugen",
    ),
    (
        "Chiamaka Ngozi Adaeze Folake Temitope Abena Efua Akosua Wanjiru Makena Hiwot Selam",
        "Chidi Kwame Kofi Tunde Emeka Dawit",
        "Okonkwo Adeyemi Balogun Eze Mensah Boateng Asante Mwangi Kariuki Tesfaye Bekele",
    ),
    (
        "Shira Tamar Noa Miriam Leah Esther Rivka Naama Dvora Yael Chana Orly",
        "Eli Noam Asher Gideon Avi Ezra",
        "Rosenfeld Abramson Lieberman Shapiro Katzman Weissberg Mizrahi Azoulay Goldin Perlman",
    ),
)
AREA_CODES = {
    "America/New_York": ("212", "917", "646", "718", "347", "201"),
    "America/Los_Angeles": ("310", "424", "213", "818", "562", "626"),
}
ELSEWHERE = ("303", "512", "206")
FICTION = range(100, 200)
"""555-0100 to 555-0199 are kept free for invented people."""
DOMAINS = ("example.com", "example.net", "example.org")
ALLERGIES = (
    "NKDA.",
    "NKDA.",
    "NKDA.",
    "NKDA; no latex allergy.",
    "No known drug, food or latex allergy.",
    "Penicillin (hives).",
    "Sulfonamides (rash).",
    "Adhesive tape (contact dermatitis); no drug allergy.",
    "Latex (contact urticaria) - non-latex gloves used.",
    "Shellfish (hives); no drug allergy.",
    "Codeine (nausea), otherwise none.",
)
MEDICATIONS = (
    "None.",
    "None.",
    "Oral contraceptive.",
    "Levothyroxine 50 mcg daily.",
    "Sertraline 50 mg daily.",
    "Lisinopril 10 mg daily.",
    "Spironolactone 100 mg daily for acne.",
    "Cetirizine as needed.",
    "Vitamin D; fish oil, stopped one week ago.",
    "Tretinoin 0.025 % at night, paused five days ago.",
    "Atorvastatin 20 mg daily.",
    "Albuterol inhaler as needed.",
    "Sumatriptan as needed, about twice a month.",
)
WORK = (
    "teacher", "attorney", "nurse on night shifts", "graphic designer", "real-estate agent",
    "photographer", "software engineer", "chef", "actor", "accountant", "florist", "architect",
    "flight attendant", "retired librarian", "dancer", "sales director", "graduate student",
    "physical therapist", "wedding planner", "journalist", "pharmacist", "piano teacher",
)  # fmt: skip
_PLAIN = str.maketrans("łøđıßæœ", "lodisao", "'-. ")
OLDEST = 74
YOUNGEST = 19


@dataclass(frozen=True, slots=True)
class Person:
    """A client as the people at the practice know her."""

    details: Details
    fitzpatrick: int = 2
    allergies: str = "NKDA."
    medications: str = "None."
    work: str = "teacher"
    remark: str = ""
    """A sentence that belongs into each of her notes."""
    avoid: tuple[str, ...] = ()
    """Products she must not be given."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who works at a demo practice. `does` are the kinds of treatment she gives."""

    email: str
    name: str
    role: str
    title: str = ""
    does: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """As a clinician is named in a note."""
        return f"{self.name}, {self.title}" if self.title else self.name


def plain(name: str) -> str:
    """A name in the letters of an e-mail address."""
    folded = unicodedata.normalize("NFKD", name.lower()).translate(_PLAIN)
    return "".join(char for char in folded if char.isascii() and char.isalnum())


def phone(dice: Random, zone: str) -> str:
    """A number that belongs to nobody."""
    codes = AREA_CODES.get(zone, ELSEWHERE)
    return f"({dice.choice(codes)}) 555-{dice.choice(FICTION):04}"


def email(dice: Random, given: str, family: str) -> str:
    """An address under a domain that belongs to nobody."""
    shapes = (
        f"{plain(given)}.{plain(family)}",
        f"{plain(given)[0]}{plain(family)}",
        f"{plain(given)}{plain(family)[0]}{dice.randrange(60, 100)}",
    )
    return f"{dice.choice(shapes)}@{dice.choice(DOMAINS)}"


def born(dice: Random, on: date) -> date:
    """A birthday; most clients are between thirty and fifty-five."""
    age = dice.triangular(YOUNGEST, OLDEST, 39)
    return on - timedelta(days=int(age * 365.25))


def person(dice: Random, zone: str, on: date) -> Person:
    """Somebody who walks in on a day."""
    women, men, families = dice.choice(ORIGINS)
    if dice.random() < 0.15:  # noqa: PLR2004 - one in seven has names of two languages
        families = dice.choice(ORIGINS)[2]
    given = dice.choice((women if dice.random() < 0.86 else men).split())  # noqa: PLR2004 - a share
    family = dice.choice(families.split()).replace("-", " ")
    details = Details(
        given_name=given,
        family_name=family,
        birth_date=born(dice, on),
        phone=phone(dice, zone) if dice.random() < 0.97 else None,  # noqa: PLR2004 - a share
        email=email(dice, given, family) if dice.random() < 0.92 else None,  # noqa: PLR2004 - a share
    )
    return Person(
        details=details,
        fitzpatrick=dice.choice((1, 2, 2, 3, 3, 3, 4, 4, 5, 6)),
        allergies=dice.choice(ALLERGIES),
        medications=dice.choice(MEDICATIONS),
        work=dice.choice(WORK),
    )


def misheard(dice: Random, someone: Person) -> Person:
    """The same person registered a second time, with a name as it was heard on the telephone."""
    details = someone.details
    family = details.family_name
    at = dice.randrange(1, len(family))
    heard = family[:at] + family[at - 1] + family[at:]
    if dice.random() < 0.5 and len(details.given_name) > 3:  # noqa: PLR2004 - a nickname instead
        changed = details.model_copy(update={"given_name": details.given_name[:3]})
    else:
        changed = details.model_copy(update={"family_name": heard})
    return replace(someone, details=changed.model_copy(update={"email": None}))

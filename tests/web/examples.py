"""What could stand on each page? Realistic rows, to look at pages without a server."""

from api.web.views.chart import (
    TimeControl,
)
from api.web.views.clients import ClientForm, ClientHead, ReasonForm, Search
from api.web.views.frame import Flash
from tests.web.example_audit import (
    ACCESSES,
    EVENTS,
    EVIDENCE,
    PANEL,
    PROBLEM,
    REPLAY,
    TWO_DATES,
)
from tests.web.example_charts import (
    CHART_EMPTY,
    CHART_ERASED,
    CHART_NOW,
    CHART_THEN,
    CONFLICT,
    DRAFT,
    FIRST,
    NOTE,
    NOTE_HREF,
    NOTES,
    PLAIN,
    SECOND,
    TICKS,
    TIME_NOW,
    TIME_THEN,
    section_diffs,
)
from tests.web.example_people import (
    ACTIONS,
    ANA,
    ATTESTATION,
    AUDITOR,
    CLIENT,
    CLINICIAN,
    CLOCK,
    ERASURE,
    FOUND,
    FRONT_DESK,
    HREF,
    MERGED,
    NOBODY,
    OTHER,
    PEOPLE,
    frame,
    sections,
)

__all__ = [
    "ANA",
    "CHART_NOW",
    "CHART_THEN",
    "CLIENT",
    "CLOCK",
    "CONFLICT",
    "DRAFT",
    "EVENTS",
    "FIRST",
    "FOUND",
    "HREF",
    "NOTE",
    "NOTES",
    "NOTE_HREF",
    "PAGES",
    "PANEL",
    "PEOPLE",
    "PLAIN",
    "REPLAY",
    "SECOND",
    "TICKS",
    "TIME_THEN",
    "section_diffs",
    "sections",
]

PAGES: dict[str, tuple[str, dict[str, object]]] = {
    "sign-in": (
        "sign_in.html",
        {"frame": NOBODY, "email": "", "next": "/clients", "error": "", "notice": ""},
    ),
    "sign-in-idle": (
        "sign_in.html",
        {
            "frame": NOBODY,
            "email": "noor@example.com",
            "next": "/clients",
            "error": "That e-mail and password do not go together.",
            "notice": "You were signed out after 15 minutes without activity.",
        },
    ),
    "clients": (
        "clients/index.html",
        {"frame": CLINICIAN, "search": Search(state="start"), "may_register": True},
    ),
    "clients-found": (
        "clients/index.html",
        {"frame": FRONT_DESK, "search": FOUND, "may_register": True},
    ),
    "clients-none": (
        "clients/index.html",
        {"frame": CLINICIAN, "search": Search(state="none", q="zzz"), "may_register": True},
    ),
    "client-new": ("clients/new.html", {"frame": CLINICIAN, "form": ClientForm()}),
    "client-new-matches": (
        "clients/new.html",
        {
            "frame": CLINICIAN,
            "form": ClientForm(
                given_name="Ana",
                family_name="Whitfield",
                birth_date="2084-05-14",
                phone="12",
                errors={
                    "birth_date": "The date of birth lies in the future.",
                    "phone": "This is not a phone number.",
                },
                possible_matches=PEOPLE[:2],
            ),
        },
    ),
    "client": (
        "clients/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "erasures": (),
            "chart": CHART_NOW,
            "time": TIME_NOW,
            "may_write": True,
        },
    ),
    "client-erased": (
        "clients/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "erasures": (ERASURE,),
            "chart": CHART_ERASED,
            "time": TIME_NOW,
            "may_write": True,
        },
    ),
    "client-then": (
        "clients/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "erasures": (),
            "chart": CHART_THEN,
            "time": TIME_THEN,
            "may_write": True,
        },
    ),
    "client-front-desk": (
        "clients/show.html",
        {
            "frame": FRONT_DESK,
            "client": ClientHead(
                id=ANA.id,
                name=ANA.name,
                born=ANA.born,
                age=ANA.age,
                phone=ANA.phone,
                email=ANA.email,
                href=HREF,
                actions=ACTIONS[:1],
                merged_from=(OTHER,),
            ),
            "erasures": (),
            "chart": None,
            "time": None,
            "may_write": False,
        },
    ),
    "client-empty": (
        "clients/show.html",
        {
            "frame": frame(
                "Noor Haddad",
                "Clinician",
                "clients",
                flash=Flash(tone="sage", text="Client registered."),
            ),
            "client": CLIENT,
            "erasures": (),
            "chart": CHART_EMPTY,
            "time": TimeControl(
                action=HREF, view="known", typed="", here=1, ticks=(TICKS[0], TICKS[-1])
            ),
            "may_write": True,
        },
    ),
    "client-merged": ("clients/merged.html", {"frame": CLINICIAN, "client": MERGED}),
    "contact": (
        "clients/contact.html",
        {
            "frame": FRONT_DESK,
            "client": CLIENT,
            "form": ClientForm(given_name="Ana", family_name="Whitfield", birth_date="1984-05-14"),
        },
    ),
    "merge": (
        "clients/merge.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "search": FOUND,
            "form": ReasonForm(errors={"other_client_id": "Choose the other record."}),
            "chosen": "",
            "version": 2,
        },
    ),
    "unmerge": (
        "clients/unmerge.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "other": OTHER,
            "form": ReasonForm(),
            "version": 3,
        },
    ),
    "death": (
        "clients/death.html",
        {"frame": CLINICIAN, "client": CLIENT, "form": ReasonForm(), "version": 2},
    ),
    "death-withdrawal": (
        "clients/withdraw_death.html",
        {"frame": CLINICIAN, "client": CLIENT, "form": ReasonForm(), "version": 2},
    ),
    "client-accesses": (
        "clients/accesses.html",
        {"frame": CLINICIAN, "client": CLIENT, "accesses": ACCESSES},
    ),
    "note-edit": (
        "notes/edit.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "draft": DRAFT,
            "conflict": None,
            "attestation": ATTESTATION,
        },
    ),
    "note-conflict": (
        "notes/edit.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "draft": DRAFT,
            "conflict": CONFLICT,
            "attestation": ATTESTATION,
        },
    ),
    "note": (
        "notes/show.html",
        {
            "frame": CLINICIAN,
            "client": CLIENT,
            "note": NOTE,
            "search": Search(state="start"),
        },
    ),
    "audit": ("audit/index.html", {"frame": AUDITOR, "search": Search(state="start")}),
    "audit-client": (
        "audit/client.html",
        {"frame": AUDITOR, "client": CLIENT, "tab": "replay", "may_export": True, "replay": REPLAY},
    ),
    "audit-compare": (
        "audit/compare.html",
        {
            "frame": AUDITOR,
            "client": CLIENT,
            "tab": "compare",
            "may_export": True,
            "two": TWO_DATES,
        },
    ),
    "audit-accesses": (
        "audit/accesses.html",
        {
            "frame": AUDITOR,
            "client": CLIENT,
            "tab": "accesses",
            "may_export": True,
            "accesses": ACCESSES,
        },
    ),
    "audit-evidence": (
        "audit/evidence.html",
        {
            "frame": AUDITOR,
            "client": CLIENT,
            "tab": "evidence",
            "may_export": True,
            "evidence": EVIDENCE,
        },
    ),
    "error": ("error.html", {"frame": FRONT_DESK, "problem": PROBLEM}),
    "error-signed-out": ("error_signed_out.html", {"frame": NOBODY, "problem": PROBLEM}),
}

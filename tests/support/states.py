"""In which states can a test find a client's record? Each made through the API, as people do."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from api.platform import Platform
from record.sealing import Sealing
from tests.support.api import Json, Member, Response

SECTIONS = ("subjective", "objective", "assessment", "plan")
SOAP = {
    "subjective": "Frown lines bother her.",
    "objective": "Glabella 3/4 at rest.",
    "assessment": "Dynamic lines.",
    "plan": "20 units, five points.",
}


@dataclass(frozen=True)
class Noted:
    """A client with one note."""

    client: str
    note: str

    @property
    def path(self) -> str:
        """The note's address."""
        return f"/v1/notes/{self.note}"

    @property
    def chart(self) -> str:
        """The address of the chart it stands on."""
        return f"/v1/clients/{self.client}/chart"


@dataclass(frozen=True)
class Merged:
    """Two records of one person: the one that was kept, and the one that was merged away."""

    kept: str
    away: str


def done(response: Response) -> Json:
    """The body of a request that must succeed."""
    assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
    body: Json = response.json()
    return body


def details(**given: object) -> Json:
    """Who a client is; nobody else is called the same."""
    name = uuid4().hex[:10]
    return {
        "given_name": "Ana",
        "family_name": f"Bell-{name}",
        "birth_date": "1990-02-28",
        "phone": "+1 212 555 0101",
        "email": f"{name}@example.com",
    } | given


def a_client(by: Member, **given: object) -> str:
    """A registered client's id."""
    return str(done(by.post("/v1/clients", details(**given)))["id"])


def client_with_draft(by: Member, client: str | None = None, **text: Any) -> Noted:
    """An unsigned note."""
    client = client or a_client(by)
    note = done(by.post(f"/v1/clients/{client}/notes", SOAP | text))
    return Noted(client, str(note["id"]))


def client_with_signed_note(by: Member, client: str | None = None, **text: Any) -> Noted:
    """A note that was signed and locked."""
    noted = client_with_draft(by, client, **text)
    done(by.post(f"{noted.path}/signature"))
    return noted


def client_with_unlocked_note(by: Member) -> Noted:
    """A note that was signed and is still open to its author."""
    noted = client_with_draft(by)
    done(by.post(f"{noted.path}/signature", {"lock": False}))
    return noted


def client_with_corrected_note(by: Member) -> Noted:
    """A signed note whose plan reads otherwise now."""
    noted = client_with_signed_note(by)
    done(by.post(f"{noted.path}/corrections", {"reason": "Miscounted.", "plan": "24 units."}))
    return noted


def client_with_retracted_note(by: Member) -> Noted:
    """A note that was entered in error."""
    noted = client_with_signed_note(by)
    done(by.post(f"{noted.path}/retraction", {"reason": "Another client's visit."}))
    return noted


def client_with_moved_note(by: Member) -> tuple[Noted, Noted]:
    """A note on the wrong chart, and its successor on the right one."""
    wrong, right = client_with_signed_note(by), a_client(by)
    moved = done(
        by.post(f"{wrong.path}/reassignment", {"to_client_id": right, "reason": "Wrong chart."})
    )
    return wrong, Noted(right, str(moved["to_note_id"]))


def deceased_client(by: Member) -> str:
    """A client whose death is on record."""
    client = a_client(by)
    done(by.post(f"/v1/clients/{client}/death", {"died_on": "2026-01-05", "source": "Her son."}))
    return client


def merged_clients(by: Member) -> Merged:
    """Two records, merged."""
    kept, away = a_client(by), a_client(by)
    merge(by, kept, away)
    return Merged(kept, away)


def merge(by: Member, kept: str, away: str) -> Json:
    """Merges two records."""
    body = {"other_client_id": away, "reason": "The same person."}
    return done(by.post(f"/v1/clients/{kept}/merge", body))


def sealed_log(by: Member, log: str = "record") -> int:
    """The log of the member's practice is under a signed head; returns its size."""
    platform: Platform = by.http.app.state.platform  # type: ignore[attr-defined]  # as ours has it
    head = Sealing(platform.database, platform.seals).seal(by.practice_id, log)
    assert head is not None
    return head.size

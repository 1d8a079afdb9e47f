"""What do the pages show of a client whose texts were erased?"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import expect

from deploy.database import Database
from deploy.erasing import Erasing
from deploy.erasing_wish import Step, Wish
from domain.kernel.events import Category
from domain.kernel.ids import ClientId
from projections.all import all_projections
from record.keys import KeyRing
from tests.web.forms import CANARY, Client, SignIn, new_client, new_note
from tests.web.house import PASSWORD, House
from tests.web.visit import Visit

Erase = Callable[[str, Category], None]
REASON = "Her letter of 2 November."


@pytest.fixture
def erase(house: House, module_database: Database) -> Iterator[Erase]:
    """The owner asks for it, the auditor agrees, as from the command line."""
    platform = house.platform
    keys = KeyRing(platform.database, module_database.kms)
    with psycopg.connect(module_database.admin_url, autocommit=True) as owner:
        practice = platform.practices[house.practice_id]
        erasing = Erasing(owner, practice, all_projections(keys, platform.practices))

        def one(path: str, category: Category) -> None:
            client = ClientId(UUID(path[-36:]))
            steps: dict[str, Step] = {"olga@example.com": "request", "iris@example.com": "agree"}
            for email, step in steps.items():
                wish = Wish(client, category, REASON, "CCPA 1798.105", step)
                at = datetime.now(UTC)
                ((practice_id, member_id),) = platform.identity.who_has(email, PASSWORD)
                secret = platform.identity.begin(practice_id, member_id, "token", at=at)
                erasing.erase(wish, platform.identity.member(secret, at=at), at)

        yield one


def test_the_chart_says_what_was_erased_when_by_whom_and_why(
    noor: Client, rae: Client, erase: Erase
) -> None:
    path = new_client(noor)
    note = new_note(noor, path, occurred_at="2010-03-01T10:00")
    erase(path, Category.CLINICAL)
    for page in (noor.get(path).text, noor.get(f"{path}?as_of=2026-01-01T10:00&view=true").text):
        assert "Clinical text erased on" in page
        assert "Asked for by Olga Stein, agreed to by Iris Vance (CCPA 1798.105)." in page
        assert REASON in page
        assert "The text of this note was erased on" in page
        assert "Noor Haddad" in page
        assert CANARY not in page
    page = noor.get(note).text
    assert "The text of this note was erased on" in page
    assert CANARY not in page
    # Nothing can be done to what is not there; and the address of writing leads back.
    assert "Addendum" not in page
    assert noor.get(f"{note}/edit").headers["location"] == note
    at_the_desk = rae.get(path).text
    assert "Clinical text erased on" in at_the_desk
    assert REASON not in at_the_desk


def test_the_replay_keeps_the_place_of_what_is_gone(
    noor: Client, sign_in: SignIn, erase: Erase
) -> None:
    path = new_client(noor)
    new_note(noor, path, occurred_at="2010-03-01T10:00")
    erase(path, Category.CLINICAL)
    iris = sign_in("iris@example.com")
    desk = f"/audit/clients/{path[-36:]}"
    page = iris.get(desk).text
    for words in ("Note signed", "Erasure requested", "Erasure agreed to", "Erased"):
        assert words in page
    position = page.split(f'href="{desk}?at=')[2].split('"')[0]
    assert (
        "What it said was erased and can never be read again."
        in iris.get(f"{desk}?at={position}").text
    )


def test_a_client_whose_name_is_erased_is_shown_as_such(noor: Client, erase: Erase) -> None:
    path = new_client(noor, family_name="Canaryfield")
    erase(path, Category.CONTACT)
    page = noor.get(path).text
    assert "<h1>Name erased</h1>" in page
    assert "Name and contact details erased on" in page
    assert "Canaryfield" not in page
    for act in ("Contact details</a>", "Merge</a>", "Write a note"):
        assert act not in page


@pytest.mark.browser
def test_the_notice_is_accessible(visit: Visit, noor: Client, erase: Erase) -> None:
    path = new_client(noor)
    new_note(noor, path, occurred_at="2010-03-01T10:00")
    erase(path, Category.CLINICAL)
    page = visit.sign_in("noor@example.com")
    page.goto(f"{visit.address}{path}")
    expect(page.get_by_text("Clinical text erased on")).to_be_visible()
    visit.check()

"""The story of the product: a note is written, signed, corrected, and replayed to any moment."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.visit import Visit

pytestmark = pytest.mark.browser

FIRST = "OnabotulinumtoxinA 20 units to the glabella."
SECOND = "OnabotulinumtoxinA 24 units to the glabella, lot C7214C3."


def test_a_note_is_signed_corrected_and_replayed_at_three_moments(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    client = visit.register("Ana", "Whitfield", phone="+1 212 555 0134")
    visit.check()
    visit.write_note(subjective="Here for glabellar lines.", plan=FIRST)
    visit.check()

    page.get_by_text("Correct the note").click()
    page.get_by_label("Why is it corrected?").fill("Dose from memory; corrected from the vial log.")
    page.locator("#correct-plan").fill(SECOND)
    page.get_by_role("button", name="Correct and sign").click()
    expect(page.get_by_text("Note corrected; the earlier wording stays")).to_be_visible()
    plan = page.locator("#comparison dd").nth(3)
    expect(plan.locator("del")).to_have_text("20")
    expect(plan.locator("ins")).to_have_text(["24", ", lot C7214C3"])
    visit.check()

    page.goto(client)
    expect(page.locator("#chart")).to_contain_text(SECOND)
    expect(page.locator("#chart")).not_to_contain_text(FIRST)
    assert _at(page, 1) == "Client registered"
    expect(page.locator("#chart")).to_contain_text("No notes by then")
    expect(page.locator("#chart")).to_contain_text("2 later changes not shown")
    assert _at(page, 2) == "Note signed"
    expect(page.locator("#chart")).to_contain_text(FIRST)
    expect(page.locator("#chart")).to_contain_text("1 later change not shown")
    assert "as_of=" in page.url
    visit.check()
    assert _at(page, 4) == "everything recorded so far"
    expect(page.locator("#chart")).to_contain_text(SECOND)

    page.get_by_role("link", name="Who has looked").click()
    expect(page.get_by_role("row", name=re.compile("Noor Haddad.*Chart"))).not_to_have_count(0)
    visit.check()


def _at(page: Page, number: int) -> str:
    """Moves the slider to its nth stop and says what stands there, once the chart has followed."""
    slider = page.get_by_role("slider", name="Moment of the chart")
    with page.expect_response(lambda response: "/clients/" in response.url):
        slider.evaluate(
            """(range, value) => {
                range.value = value;
                range.dispatchEvent(new Event("input", { bubbles: true }));
            }""",
            number - 1,
        )
    page.wait_for_load_state("networkidle")
    return (page.locator("[data-here]").text_content() or "").split(" – ")[-1]


def test_the_auditor_replays_event_by_event_and_sees_who_read_it(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    visit.register("Bea", "Sandoval", born="1990-02-28")
    visit.write_note(plan=FIRST)
    visit.sign_out()

    visit.sign_in("iris@example.com")
    page.get_by_role("link", name="Auditor’s desk").first.click()
    page.get_by_label("Search by name").press_sequentially("sandov")
    page.get_by_role("link", name=re.compile("Bea Sandoval")).click()
    expect(page.locator("#event h2")).to_have_text("Note signed")
    expect(page.locator("#event")).to_contain_text(FIRST)
    visit.check()
    page.keyboard.press("k")
    expect(page.locator("#event h2")).to_have_text("Client registered")
    expect(page.locator("#event")).to_contain_text("No notes yet")
    page.keyboard.press("j")
    expect(page.locator("#event h2")).to_have_text("Note signed")
    page.get_by_role("link", name="Accesses").click()
    row = page.get_by_role("row", name=re.compile("Iris Vance.*Auditor.*Replayed"))
    expect(row).not_to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("Noor Haddad.*draft"))).not_to_have_count(0)
    visit.check()
    page.get_by_role("link", name="Compare two dates").click()
    page.get_by_label("As known on").fill("2020-01-01T00:00")
    page.get_by_label("and on").fill(_this_minute(page))
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("ins").filter(has_text="glabella")).to_be_visible()
    visit.check()


def _this_minute(page: Page) -> str:
    """Now, on the clock of the practice in New York."""
    return str(
        page.evaluate(
            "new Date().toLocaleString('sv', { timeZone: 'America/New_York' })"
            ".replace(' ', 'T').slice(0, 16)"
        )
    )

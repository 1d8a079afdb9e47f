"""Is every page accessible, within the window at both widths, and useful before its scripts?"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.web import examples
from tests.web.gallery import Gallery
from tests.web.visit import check, complaints_of, settled

pytestmark = pytest.mark.browser

DESK = ViewportSize(width=1360, height=1000)
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
def looking(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One window for all pages, and what the browser complained of in it."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    yield page, complaints_of(page)
    context.close()


@pytest.mark.parametrize("name", examples.PAGES)
def test_every_page_is_accessible_and_fits_a_desk_and_a_phone(
    looking: tuple[Page, list[str]], showroom: Gallery, name: str
) -> None:
    page, complaints = looking
    complaints.clear()
    page.set_viewport_size(DESK)
    page.goto(f"{showroom.address}/pages/{name}")
    check(page, complaints)
    page.set_viewport_size(PHONE)
    check(page, complaints, contrast=False)  # the colours are the same


def test_every_element_with_an_action_can_be_reached_by_keyboard(
    browser: Browser, showroom: Gallery
) -> None:
    page = browser.new_page(viewport={"width": 1360, "height": 1000})
    page.goto(f"{showroom.address}/pages/client")
    settled(page)
    wanted = page.locator("a:visible, button:visible, input:visible, summary:visible").count()
    reached = set()
    for _ in range(wanted + 10):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "[...document.querySelectorAll('a, button, input, summary')]"
                ".indexOf(document.activeElement)"
            )
        )
    # The two radio buttons of the switch are one stop; the arrows move between them.
    assert len(reached - {-1}) >= wanted - 1
    page.close()


@pytest.fixture
def without_script(browser: Browser, showroom: Gallery) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_without_script_the_drawer_opens_and_leads_on(
    without_script: Page, showroom: Gallery
) -> None:
    without_script.goto(f"{showroom.address}/pages/client")
    without_script.locator("summary[aria-label=Menu]").click()
    expect(without_script.locator(".drawer").get_by_role("link", name="Clients")).to_be_visible()
    expect(without_script.locator(".drawer").get_by_text("Noor Haddad")).to_be_visible()


def test_without_script_a_search_is_sent_by_its_button(
    without_script: Page, showroom: Gallery
) -> None:
    without_script.goto(f"{showroom.address}/pages/clients")
    without_script.get_by_label("Search by name").fill("whitf")
    without_script.get_by_role("button", name="Search").click()
    expect(without_script.get_by_role("link", name=re.compile("Ana Whitfield"))).to_be_visible()
    assert "whitf" not in without_script.url


def test_without_script_the_chart_moves_through_time(
    without_script: Page, showroom: Gallery
) -> None:
    without_script.goto(f"{showroom.address}{examples.HREF}")
    expect(without_script.get_by_role("slider")).to_have_count(0)
    without_script.get_by_role("link", name="Earlier change").click()
    expect(without_script.get_by_text("As known on 5 November 2026, 09:12 EST")).to_be_visible()
    without_script.get_by_role("link", name="Earlier change").click()
    expect(without_script.get_by_text("1 later change not shown")).to_be_visible()
    without_script.get_by_role("link", name="Back to now").click()
    expect(without_script.get_by_text("later change not shown")).to_have_count(0)


def test_without_script_a_draft_is_saved_and_signed(
    without_script: Page, showroom: Gallery
) -> None:
    showroom.signed.clear()
    without_script.goto(f"{showroom.address}/pages/note-edit")
    expect(without_script.get_by_role("button", name="Save draft")).to_be_visible()
    without_script.get_by_label("Plan").fill("Review in two weeks.")
    without_script.get_by_role("button", name="Sign…").click()
    expect(without_script.get_by_text("I attest that I wrote this note")).to_be_visible()
    without_script.get_by_role("button", name="Sign as Noor Haddad").click()
    expect(without_script.get_by_role("heading", level=1)).to_contain_text("Note of")
    assert showroom.signed[0]["plan"] == "Review in two weeks."
    assert showroom.signed[0]["lock"] == "yes"


def test_without_script_two_versions_are_compared(without_script: Page, showroom: Gallery) -> None:
    without_script.goto(f"{showroom.address}{examples.NOTE_HREF}")
    without_script.get_by_label("From").select_option("2")
    without_script.get_by_label("To").select_option("1")
    without_script.get_by_role("button", name="Compare").click()
    expect(without_script.locator("#comparison ins").first).to_have_text("20")


def test_on_paper_the_record_stands_without_the_house_around_it(
    browser: Browser, showroom: Gallery
) -> None:
    page = browser.new_page()
    page.goto(f"{showroom.address}/pages/client")
    settled(page)
    page.emulate_media(media="print")
    for gone in (".sidebar", ".time", ".actions", ".skip"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.get_by_text("printed by Noor Haddad, Clinician")).to_be_visible()
    withdrawn = page.get_by_text("1064 nm, 14 J/cm², no reaction.")
    assert (withdrawn.bounding_box() or {"height": 0})["height"] > 0
    page.close()

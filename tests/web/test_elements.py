"""Do the small elements keep their promises: nothing typed is lost, the chart follows, j and k?"""

import re

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from tests.web import examples
from tests.web.gallery import Gallery
from tests.web.visit import settled

pytestmark = pytest.mark.browser


def dialogs_of(page: Page) -> list[str]:
    """Collects what the browser asks before leaving a page, and answers yes."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    return asked


@pytest.fixture
def writing(page: Page, showroom: Gallery) -> Page:
    """A draft open in the browser, nothing typed yet."""
    showroom.saves.clear()
    showroom.signed.clear()
    showroom.save_answers.clear()
    page.goto(f"{showroom.address}/pages/note-edit")
    settled(page)
    return page


def test_a_draft_saves_itself_after_a_second_of_quiet(writing: Page, showroom: Gallery) -> None:
    writing.get_by_label("Plan").press_sequentially("Review in two weeks.", delay=5)
    assert showroom.saves == []
    expect(writing.locator("[data-status]")).to_contain_text("Saved 10:12")
    assert [save["plan"] for save in showroom.saves] == ["Review in two weeks."]
    assert showroom.saves[0]["revision"] == str(examples.DRAFT.revision)


def test_the_next_save_builds_on_the_revision_of_the_last(writing: Page, showroom: Gallery) -> None:
    for text in ("One.", "Two."):
        with writing.expect_response(re.compile("/draft$")):
            writing.get_by_label("Plan").fill(text)
        expect(writing.locator("[data-state=saved]")).to_be_visible()
    first, second = (int(save["revision"]) for save in showroom.saves)
    assert second > first


def test_a_failed_save_says_so_tries_again_and_loses_nothing(
    writing: Page, showroom: Gallery
) -> None:
    showroom.save_answers[:] = [503]
    writing.get_by_label("Plan").fill("Ice after.")
    expect(writing.locator("[data-status]")).to_contain_text("Not saved")
    writing.get_by_role("button", name="Try again").click()
    expect(writing.locator("[data-status]")).to_contain_text("Saved")
    expect(writing.get_by_role("button", name="Try again")).to_be_hidden()
    assert showroom.saves[-1]["plan"] == "Ice after."


def test_a_draft_that_the_server_refuses_is_not_sent_over_and_over(
    writing: Page, showroom: Gallery
) -> None:
    showroom.save_answers[:] = [422]
    writing.get_by_label("Plan").fill("Ice after.")
    expect(writing.locator("[data-status]")).to_contain_text("was not accepted")
    expect(writing.get_by_label("Plan")).to_have_value("Ice after.")
    writing.wait_for_timeout(3500)
    assert len(showroom.saves) == 1


def test_two_texts_are_shown_and_the_writer_chooses(writing: Page, showroom: Gallery) -> None:
    showroom.save_answers[:] = [409]
    writing.get_by_label("Subjective").fill("Mine: no headache.")
    conflict = writing.get_by_role("alert", name="Two texts")
    expect(conflict).to_contain_text("slight headache on day two")
    expect(conflict).to_contain_text("Mine: no headache.")
    expect(writing.get_by_label("Subjective")).to_have_value("Mine: no headache.")
    saved = len(showroom.saves)
    writing.get_by_label("Plan").fill("Meanwhile I went on writing.")
    conflict.get_by_role("button", name="Add it below mine").click()
    expect(writing.get_by_label("Subjective")).to_have_value(
        re.compile(r"Mine: no headache\.\n\n.*slight headache", re.DOTALL)
    )
    assert len(showroom.saves) == saved
    conflict.get_by_role("button", name="Save what stands in the form").click()
    expect(conflict).to_have_count(0)
    expect(writing.locator("[data-state=saved]")).to_be_visible()
    assert showroom.saves[-1]["plan"] == "Meanwhile I went on writing."
    assert showroom.saves[-1]["revision"] == str(showroom.revision - 1)


def test_leaving_with_unsaved_text_asks_first(writing: Page) -> None:
    asked = dialogs_of(writing)
    writing.get_by_label("Plan").press_sequentially("x")
    writing.goto("about:blank")
    assert asked == ["beforeunload"]


def test_signing_sends_what_stands_in_the_form_without_asking(
    writing: Page, showroom: Gallery
) -> None:
    asked = dialogs_of(writing)
    writing.get_by_label("Plan").fill("Signed at once.")
    writing.get_by_role("button", name="Sign…").click()
    expect(writing.get_by_role("dialog")).to_contain_text("I attest")
    writing.get_by_label("Lock the note").uncheck()
    writing.get_by_role("button", name="Sign as Noor Haddad").click()
    expect(writing.get_by_role("heading", level=1)).to_contain_text("Note of")
    assert asked == []
    assert showroom.signed[0]["plan"] == "Signed at once."
    assert "lock" not in showroom.signed[0]


def test_escape_closes_the_dialog_and_gives_the_focus_back(writing: Page) -> None:
    button = writing.get_by_role("button", name="Sign…")
    button.focus()
    writing.keyboard.press("Enter")
    expect(writing.get_by_role("dialog")).to_be_visible()
    writing.keyboard.press("Escape")
    expect(writing.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_the_chart_follows_the_slider_by_keyboard(page: Page, showroom: Gallery) -> None:
    page.goto(f"{showroom.address}{examples.HREF}")
    settled(page)
    slider = page.get_by_role("slider", name="Moment of the chart")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#chart")).to_contain_text("As known on 7 August 2026, 08:55 EDT")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("Late entry signed"))
    expect(slider).to_be_focused()
    expect(page.locator("#as_of")).to_have_value("2026-08-07T08:55")
    assert "as_of=2026-08-07T08" in page.url
    page.keyboard.press("End")
    expect(page.locator("#chart")).not_to_contain_text("As known on")
    expect(page.locator("#as_of")).to_have_value("")


def test_a_hasty_drag_shows_the_moment_it_ends_on(page: Page, showroom: Gallery) -> None:
    page.goto(f"{showroom.address}{examples.HREF}")
    settled(page)
    page.get_by_role("slider").evaluate(
        """range => { for (const value of [7, 3, 6, 1]) {
            range.value = value; range.dispatchEvent(new Event("input", { bubbles: true }));
        } }"""
    )
    expect(page.locator("#chart")).to_contain_text("As known on 12 April 2026, 10:00 EDT")
    page.wait_for_timeout(300)
    expect(page.locator("#chart")).to_contain_text("As known on 12 April 2026, 10:00 EDT")


def test_choosing_the_other_kind_of_time_loads_its_own_moments(
    page: Page, showroom: Gallery
) -> None:
    page.goto(f"{showroom.address}{examples.HREF}")
    settled(page)
    page.get_by_label("As true").check(force=True)
    page.wait_for_url(re.compile("view=true"))


def test_the_auditor_steps_with_j_and_k_and_with_the_arrows(page: Page, showroom: Gallery) -> None:
    page.goto(f"{showroom.address}/audit/clients/{examples.ANA.id}")
    settled(page)
    title = page.locator("#event h2")
    expect(title).to_have_text("Note corrected")
    page.keyboard.press("k")
    expect(page.locator("#event")).to_contain_text("7 of 9")
    expect(page.locator(".events [aria-current]")).to_have_attribute("data-position", "2540")
    page.keyboard.press("j")
    page.get_by_role("link", name="Later event").click()
    expect(title).to_have_text("Addendum added")
    page.keyboard.press("j")
    expect(page.locator("#event")).to_contain_text("9 of 9")
    page.get_by_label("Recorded from").focus()
    page.keyboard.press("k")
    page.wait_for_timeout(200)
    expect(page.locator("#event")).to_contain_text("9 of 9")


def test_the_whole_leaf_hash_can_be_copied(context: BrowserContext, showroom: Gallery) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{showroom.address}/audit/clients/{examples.ANA.id}")
    settled(page)
    page.get_by_role("button", name="Copy the whole leaf hash").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == examples.PANEL.row.leaf_hash


def test_the_search_follows_the_typing_and_keeps_it_out_of_the_address(
    page: Page, showroom: Gallery
) -> None:
    page.goto(f"{showroom.address}/pages/clients")
    settled(page)
    box = page.get_by_label("Search by name")
    expect(box).to_be_focused()
    box.press_sequentially("wh")
    expect(page.get_by_text("A search needs at least three characters.")).to_be_visible()
    box.press_sequentially("itf")
    expect(page.get_by_role("link", name=re.compile("Ana Whitfield"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Diana"))).to_have_count(0)
    expect(box).to_be_focused()
    box.press_sequentially("zzz")
    expect(page.get_by_text("Nobody found")).to_be_visible()
    assert all("whitf" not in path for path in showroom.asked)


def test_a_search_that_fails_says_so_and_the_next_one_works(page: Page, showroom: Gallery) -> None:
    page.goto(f"{showroom.address}/pages/clients-found")
    settled(page)
    box = page.get_by_label("Search by name")
    box.fill("fail")
    expect(page.get_by_role("alert")).to_contain_text("Not available right now.")
    expect(page.get_by_role("link", name=re.compile("Diana"))).to_be_visible()
    box.fill("whitf")
    expect(page.get_by_role("link", name=re.compile("Diana"))).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_page_left_open_is_loaded_again_once_the_session_has_ended(
    page: Page, showroom: Gallery
) -> None:
    page.clock.install()
    page.goto(f"{showroom.address}/pages/client")
    settled(page)
    with page.expect_navigation():
        page.clock.fast_forward(16 * 60 * 1000)

"""Does each thing a person can do on the pages work from beginning to end, on the real record?"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.house import House
from tests.web.visit import Visit, settled, violations

pytestmark = pytest.mark.browser

PLAN = "OnabotulinumtoxinA 20 units to the glabella."


def _open(page: Page, summary: str) -> None:
    page.locator("summary", has_text=summary).click()


def _type_and_save(page: Page, text: str) -> None:
    with page.expect_response(re.compile("/draft$")):
        page.get_by_label("Subjective").fill(text)


def test_signing_in_tells_wrong_pairs_apart_from_nothing(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com", password="not it")
    expect(page.get_by_role("alert")).to_have_text("That e-mail and password do not go together.")
    expect(page.get_by_label("E-mail")).to_have_value("noor@example.com")
    known = page.content()
    visit.sign_in("nobody@example.com", password="not it")
    expect(page.get_by_role("alert")).to_have_text("That e-mail and password do not go together.")
    assert known.replace("noor@", "nobody@") == page.content()


def test_a_page_asked_for_before_signing_in_is_shown_after(visit: Visit) -> None:
    visit.page.goto(f"{visit.address}/clients/new")
    visit.page.get_by_label("E-mail").fill("rae@example.com")
    visit.page.get_by_label("Password").fill("correct horse battery")
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page).to_have_url(f"{visit.address}/clients/new")
    visit.sign_out()
    visit.page.goto(f"{visit.address}/clients")
    expect(visit.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_front_desk_registers_finds_and_sees_no_chart(visit: Visit) -> None:
    page = visit.sign_in("rae@example.com")
    visit.register("Cara", "Obrecht", email="cara@example.com")
    expect(page.get_by_text("This is what your role shows of a client.")).to_be_visible()
    expect(page.get_by_role("link", name="Auditor’s desk")).to_have_count(0)
    visit.check()
    page.goto(f"{visit.address}/clients")
    page.get_by_label("Search by name").press_sequentially("obrech")
    page.get_by_role("link", name=re.compile("Cara Obrecht")).click()
    page.get_by_role("link", name="Contact details").click()
    page.get_by_label("Phone").fill("not a number")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This is not a phone number.")).to_be_visible()
    expect(page.get_by_label("Phone")).to_have_value("not a number")
    page.get_by_label("Phone").fill("+1 646 555 0188")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".client-head")).to_contain_text("+1 646 555 0188")


def test_a_likely_duplicate_is_shown_before_it_is_made(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    first = visit.register("Dee", "Laurent", born="1979-11-02")
    page.goto(f"{visit.address}/clients/new")
    page.get_by_label("Given name").fill("Dee")
    page.get_by_label("Family name").fill("Laurant")
    page.get_by_label("Date of birth").fill("1979-11-02")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_contain_text("1 client may be the same person.")
    expect(page.get_by_role("link", name=re.compile("Open Dee Laurent"))).to_have_attribute(
        "href", first.removeprefix(visit.address)
    )
    expect(page.get_by_label("Family name")).to_have_value("Laurant")
    page.get_by_role("button", name="Register anyway").click()
    expect(page.get_by_text("Client registered.")).to_be_visible()
    assert page.url != first


def test_a_birth_date_in_the_future_is_told_beside_the_field(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    page.goto(f"{visit.address}/clients/new")
    page.get_by_label("Given name").fill("Not")
    page.get_by_label("Family name").fill("Yet")
    page.get_by_label("Date of birth").fill("2999-01-01")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#birth_date-help")).to_contain_text("future")
    expect(page.get_by_label("Given name")).to_have_value("Not")


def test_a_draft_written_in_two_tabs_keeps_both_texts(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    visit.register("Fay", "Moreau")
    page.get_by_role("button", name="Write a note").click()
    _type_and_save(page, "The first tab.")
    other = visit.context.new_page()
    other.goto(page.url)
    settled(other)
    expect(other.get_by_label("Subjective")).to_have_value("The first tab.")
    _type_and_save(other, "The second tab.")
    other.close()
    page.get_by_label("Subjective").fill("The first tab, longer.")
    conflict = page.get_by_role("alert", name="Two texts")
    expect(conflict).to_contain_text("The second tab.")
    expect(conflict).to_contain_text("The first tab, longer.")
    conflict.get_by_role("button", name="Put the saved text into the form").click()
    with page.expect_response(re.compile("/draft$")):
        conflict.get_by_role("button", name="Save what stands in the form").click()
    expect(page.locator("[data-state=saved]")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Subjective")).to_have_value("The second tab.")


def test_what_was_typed_survives_the_end_of_the_session(visit: Visit, house: House) -> None:
    page = visit.sign_in("noor@example.com")
    visit.register("Ida", "Rosenqvist")
    page.get_by_role("button", name="Write a note").click()
    _type_and_save(page, "Before.")
    with house.platform.database.practice(house.practice_id) as connection:
        connection.execute("UPDATE identity.session SET ended_at = now() WHERE ended_at IS NULL")
    page.get_by_label("Subjective").fill("After the session ended.")
    expect(page.locator("[data-status]")).to_contain_text("you were signed out")
    other = visit.context.new_page()
    Visit.enter(other, visit.address, "noor@example.com")
    # Signed in for sure: closed in the middle of it, a window may never answer.
    expect(other.get_by_role("heading", name="Clients", level=1)).to_be_visible()
    other.close()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-state=saved]")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Subjective")).to_have_value("After the session ended.")


def test_an_empty_note_cannot_be_signed_and_says_why(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    visit.register("Gil", "Tanaka")
    page.get_by_role("button", name="Write a note").click()
    page.get_by_role("button", name="Sign…").click()
    page.get_by_role("button", name="Sign as").click()
    expect(page.get_by_role("alert")).to_contain_text("Write something in at least one section.")


def test_a_note_of_last_week_is_marked_as_a_late_entry(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    client = visit.register("Hana", "Ferrar")
    page.get_by_role("button", name="Write a note").click()
    page.get_by_label("When it happened").fill("2026-01-05T09:30")
    page.get_by_label("Plan").fill(PLAN)
    page.get_by_role("button", name="Sign…").click()
    page.get_by_role("button", name="Sign as").click()
    expect(page.locator(".note").first).to_contain_text("Late entry")
    page.goto(client)
    expect(page.locator("#chart")).to_contain_text("5 January 2026, 09:30 EST")
    page.goto(f"{client}?view=true&as_of=2026-01-06T00:00")
    expect(page.locator("#chart")).to_contain_text(PLAN)
    page.goto(f"{client}?view=known&as_of=2026-01-06T00:00")
    expect(page.locator("#chart")).to_contain_text("No notes by then")
    expect(page.locator("#chart")).not_to_contain_text(PLAN)


def test_addendum_then_retraction_leave_the_text_legible(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    client = visit.register("Jon", "Adeyemi")
    visit.write_note(plan=PLAN)
    visit.sign_out()
    visit.sign_in("ava@example.com")
    page.goto(client)
    page.get_by_role("link", name="Open note").click()
    expect(page.locator("summary", has_text="Correct the note")).to_have_count(0)
    _open(page, "Add an addendum")
    page.get_by_label("Addendum", exact=True).fill("Small bruise reported by telephone.")
    page.get_by_role("button", name="Add and sign").click()
    expect(page.locator(".addendum")).to_contain_text("Small bruise reported by telephone.")
    _open(page, "Retract")
    page.get_by_label("Why was it entered in error?").fill("Wrong chart.")
    page.get_by_role("button", name="Retract the note").click()
    expect(page.get_by_text("Entered in error").first).to_be_visible()
    expect(page.locator("summary", has_text="Add an addendum")).to_have_count(0)
    visit.check()
    page.goto(client)
    expect(page.get_by_text("Wrong chart.")).to_be_visible()
    page.get_by_text("Show the withdrawn text").click()
    expect(page.locator("s", has_text=PLAN)).to_be_visible()


def test_a_note_moves_to_the_right_client_and_both_charts_say_so(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    right = visit.register("Kim", "Castellanos")
    wrong = visit.register("Lia", "Brandvold")
    visit.write_note(plan=PLAN)
    _open(page, "Move to another client")
    page.get_by_label("Search the right client").press_sequentially("castell")
    page.get_by_label(re.compile("Kim Castellanos")).check()
    page.get_by_label("Why does it belong there?").fill("Opened the wrong chart.")
    page.get_by_role("button", name="Move the note").click()
    expect(page.get_by_text("Note moved to this chart.")).to_be_visible()
    expect(page.locator(".page-head")).to_contain_text("Kim Castellanos")
    expect(page.locator(".note")).to_contain_text("Moved here")
    visit.check()
    page.goto(wrong)
    expect(page.locator("#chart")).to_contain_text("Moved to another client’s chart")
    page.goto(right)
    expect(page.locator("#chart")).to_contain_text(PLAN)


def test_two_records_of_one_person_are_merged_and_parted_again(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    away = visit.register("Max", "Ellingworth", born="1970-07-07")
    visit.write_note(plan=PLAN)
    kept = visit.register("Maximilian", "Ellingworth", born="1971-07-07")
    page.get_by_role("link", name="Merge").click()
    page.get_by_label("Search the other record").press_sequentially("max elling")
    page.get_by_label(re.compile(r"^\s*Max Ellingworth")).check()
    page.get_by_label("Why are these the same person?").fill("Same passport.")
    page.get_by_role("button", name="Merge into Maximilian Ellingworth").click()
    expect(page.get_by_text("The two records are merged.")).to_be_visible()
    expect(page.locator("#chart")).to_contain_text(PLAN)
    page.goto(away)
    expect(page.get_by_role("heading", level=1)).to_contain_text("is now kept with Maximilian")
    assert violations(page) == []
    page.get_by_role("link", name="Open Maximilian Ellingworth").click()
    expect(page).to_have_url(kept)
    page.get_by_role("link", name="Undo the merge").click()
    page.get_by_label("Why are these two people?").fill("Twins after all.")
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("The merge was undone.")).to_be_visible()
    expect(page.locator("#chart")).not_to_contain_text(PLAN)
    page.goto(away)
    expect(page.locator("#chart")).to_contain_text(PLAN)


def test_a_death_is_recorded_and_withdrawn(visit: Visit) -> None:
    page = visit.sign_in("noor@example.com")
    client = visit.register("Ned", "Quill", born="1931-01-31")
    page.get_by_role("link", name="Record death").click()
    page.get_by_label("Date of death").fill("2026-02-01")
    page.get_by_label("How does the practice know?").fill("Told by the family.")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("Ned Quill died on 1 February 2026.")).to_be_visible()
    page.get_by_role("link", name="Recorded in error").click()
    page.get_by_label("Reason").fill("Another Ned Quill.")
    page.get_by_role("button", name="Withdraw").click()
    expect(page).to_have_url(client)
    expect(page.get_by_text("died on")).to_have_count(0)


def test_on_a_phone_a_note_is_written_and_signed(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.sign_in("noor@example.com")
    visit.register("Mia", "Okonjo")
    visit.check()
    visit.write_note(subjective="On the phone.", plan=PLAN)
    visit.check()
    page.locator("summary[aria-label=Menu]").click()
    page.locator(".drawer").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()

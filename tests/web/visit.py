"""How does a person walk through the pages in a test, and what must never be seen on the way?"""

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.web.house import PASSWORD

AXE = Path(__file__).parents[2] / "api/web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Visit:
    """One person at one browser."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        self.page = context.new_page()
        self.complaints = complaints_of(self.page)

    def sign_in(self, email: str, *, password: str = PASSWORD) -> Page:
        self.enter(self.page, self.address, email, password)
        return self.page

    @staticmethod
    def enter(page: Page, address: str, email: str, password: str = PASSWORD) -> None:
        page.goto(f"{address}/sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()

    def sign_out(self) -> None:
        self.page.locator(".sidebar").get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_text("You are signed out.")).to_be_visible()

    def register(
        self, given: str, family: str, born: str = "1984-05-14", phone: str = "", email: str = ""
    ) -> str:
        """Registers a client and returns her address on the site."""
        self.page.goto(f"{self.address}/clients/new")
        self.page.get_by_label("Given name").fill(given)
        self.page.get_by_label("Family name").fill(family)
        self.page.get_by_label("Date of birth").fill(born)
        self.page.get_by_label("Phone").fill(phone)
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_role("button", name="Register").click()
        expect(self.page.get_by_text("Client registered.")).to_be_visible()
        return self.page.url

    def write_note(self, **sections: str) -> None:
        """From a client's page: writes a note and signs it; ends on the note."""
        page = self.page
        page.get_by_role("button", name="Write a note").click()
        for name, text in sections.items():
            page.get_by_label(name.capitalize()).fill(text)
        page.get_by_role("button", name="Sign…").click()
        page.get_by_role("button", name="Sign as").click()
        expect(page.get_by_text("Note signed and locked.")).to_be_visible()

    def check(self) -> None:
        """The page now shown: accessible, no wider than the window, and without complaints."""
        check(self.page, self.complaints)


def complaints_of(page: Page) -> list[str]:
    """Collects what the browser complains of: blocked styles, failed scripts, missing files."""
    found: list[str] = []
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def check(page: Page, complaints: list[str], *, contrast: bool = True) -> None:
    settled(page)
    assert violations(page, contrast=contrast) == []
    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0, f"the page is {wider} px wider than the window"
    assert complaints == []


def violations(page: Page, *, contrast: bool = True) -> list[Any]:
    """What axe-core finds wrong, by rule and place. Contrast takes it most of its time."""
    page.evaluate(AXE.read_text())
    return list(
        page.evaluate(
            """async ([rules, enabled]) => {
                const how = {runOnly: rules, resultTypes: ["violations"],
                    rules: {"color-contrast": {enabled}}};
                const found = await axe.run(document, how);
                return found.violations.map(one => [one.id, one.nodes.map(n => n.target)]);
            }""",
            [RULES, contrast],
        )
    )


def settled(page: Page) -> None:
    """Waits until every element on the page has come alive and nothing is being fetched."""
    page.wait_for_load_state()
    expect(page.locator(":not(:defined), .htmx-request")).to_have_count(0)

"""What do the tests of pages share? One browser, one gallery, one house per module."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from deploy.database import Database
from tests.support.browser import FLAGS, NoBrowser, chromium
from tests.web.forms import Client, SignIn
from tests.web.gallery import Gallery, gallery
from tests.web.house import PASSWORD, House, open_house
from tests.web.visit import Visit

# A busy machine is slow, not wrong: what does not come in this time does not come.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; where none can be had, the tests say why they skip."""
    try:
        path, environment = chromium()
    except NoBrowser as reason:
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path, args=list(FLAGS), env={**os.environ, **environment}
        )
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser window of its own: no cookies, nothing remembered."""
    made = browser.new_context(viewport={"width": 1360, "height": 1000}, reduced_motion="reduce")
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture(scope="session")
def showroom() -> Iterator[Gallery]:
    """Every page with realistic examples, without the rest of the house."""
    with gallery() as running:
        yield running


@pytest.fixture(scope="module")
def house(module_database: Database) -> Iterator[House]:
    """The whole application, with people in it."""
    with open_house(module_database) as opened:
        yield opened


@pytest.fixture(scope="module")
def sign_in(house: House) -> Iterator[SignIn]:
    """Signs somebody in, once per module."""
    signed_in: dict[str, Client] = {}

    def enter(email: str) -> Client:
        if email not in signed_in:
            client = Client(base_url=house.address)
            answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
            assert answer.status_code == 303
            signed_in[email] = client
        return signed_in[email]

    yield enter
    for client in signed_in.values():
        client.close()


@pytest.fixture
def noor(sign_in: SignIn) -> Client:
    return sign_in("noor@example.com")


@pytest.fixture
def rae(sign_in: SignIn) -> Client:
    return sign_in("rae@example.com")


@pytest.fixture
def visit(context: BrowserContext, house: House) -> Visit:
    """A person at the browser, not signed in yet; anything the page complains of fails the test."""
    return Visit(context, house.address)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    return context.new_page()

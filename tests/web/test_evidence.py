"""Does the auditor get a client's evidence by a button, and whoever may not, no button?"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.evidence import Judge
from tests.web.forms import Client, SignIn, hidden, new_client, new_note
from tests.web.visit import Visit

pytestmark = pytest.mark.browser


def test_the_button_hands_out_a_bundle_that_the_key_on_the_page_proves(
    visit: Visit, noor: Client, tmp_path: Path
) -> None:
    client = new_client(noor, given_name="Zoe", family_name="Evidentia")
    new_note(noor, client)
    client_id = client.rpartition("/")[2]
    page = visit.sign_in("iris@example.com")
    expect(page.get_by_role("heading", name="Clients", level=1)).to_be_visible()
    page.goto(f"{visit.address}/audit{client}")
    page.get_by_role("link", name="Evidence bundle").click()
    visit.check()
    key = page.locator("copy-text .mono").text_content() or ""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the bundle").click()
    download = waiting.value
    assert download.suggested_filename == "evidence.zip"
    download.save_as(tmp_path / "taken.zip")
    said = Judge(tmp_path).proven((tmp_path / "taken.zip").read_bytes(), key)
    assert f"record: complete: the census counts 2 entries of {client_id}" in said
    page.get_by_role("link", name="Accesses").click()
    row = page.get_by_role("row", name=re.compile("Iris Vance.*Exported.*Evidence bundle"))
    expect(row).to_have_count(1)


def test_a_moment_that_is_yet_to_come_is_refused_beside_its_field(
    sign_in: SignIn, noor: Client
) -> None:
    iris = sign_in("iris@example.com")
    path = f"/audit{new_client(noor)}/evidence"
    form = hidden(iris.get(path).text)
    for typed, words in (("2999-01-01T00:00", "nothing is known of it yet"), ("x", "not a date")):
        answer = iris.post(path, data=form | {"as_of": typed})
        assert answer.status_code == 422
        assert words in answer.text
        assert f'value="{typed}"' in answer.text
    answer = iris.post(path, data=form | {"as_of": "2026-01-01T00:00"})
    assert answer.headers["content-type"] == "application/zip"


@pytest.mark.parametrize("email", ["olga@example.com", "rae@example.com"])
def test_who_may_not_export_is_refused(sign_in: SignIn, noor: Client, email: str) -> None:
    path = f"/audit{new_client(noor)}/evidence"
    who = sign_in(email)
    assert who.get(path).status_code == 403
    assert who.post(path, data=hidden(who.get("/clients").text)).status_code == 403

"""Do two people, each by her own password, erase and hold from the command line; nobody else?"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from deploy.commands import app
from deploy.database import Database
from deploy.refusal import Refusal
from tests.support.api import PASSWORD, Api, api_on
from tests.support.postgres import ROOT_KEY
from tests.support.states import a_client, client_with_signed_note, done, merged_clients

LONG_AGO = "2010-03-01T10:00:00-05:00"


@pytest.fixture(scope="module")
def api(module_database: Database) -> Iterator[Api]:
    with api_on(module_database) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _installed(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "root.key"
    key.write_text(ROOT_KEY.hex())
    key.chmod(0o600)
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key))
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", api.ready.admin_url)
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")


def palimpsest(*words: str, by: str, password: str = PASSWORD) -> Result:
    """As somebody of the demo practice, who types her password when she is asked for it."""
    return CliRunner().invoke(
        app,
        [*words, "--practice", "demo", "--reason", "A reason.", "--by", f"{by}@demo.example"],
        input=f"{password}\n",
    )


def said(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.strip()


def refused(result: Result) -> str:
    assert isinstance(result.exception, Refusal), (result.output, result.exception)
    return str(result.exception)


def shred(client: str, by: str, category: str = "clinical", *more: str) -> Result:
    return palimpsest("shred", "client", client, "--category", category, *more, by=by)


def old_client(api: Api) -> str:
    return client_with_signed_note(api.demo.clinician, occurred_at=LONG_AGO).client


def test_one_requests_another_carries_out(api: Api) -> None:
    client = old_client(api)
    asked = said(shred(client, "owner"))
    assert asked == "requested: clinical of this client; another person must run this with --agree"
    for step in ((), ("--agree",)):
        assert "asked for this yourself" in refused(shred(client, "owner", "clinical", *step))
    # Whoever means to ask is told who has, when and why, and does not agree by that.
    told = refused(shred(client, "auditor"))
    today = datetime.now(ZoneInfo("America/New_York")).date()
    assert told.startswith(f"{api.demo.owner.name} asked on {today} at ")
    assert "to erase clinical of this client: A reason. (the client's request)." in told
    assert "run this with --agree" in told
    carried_out = said(shred(client, "auditor", "clinical", "--agree"))
    assert "can never be read again; 1 keys destroyed" in carried_out
    for somebody in ("owner", "auditor"):
        done_before = refused(shred(client, somebody))
        assert done_before.startswith(f"clinical of this client was erased on {today} at ")
        assert f"{api.demo.owner.name} asked for it, {api.demo.auditor.name} agreed" in done_before
        assert "nobody has asked" in refused(shred(client, somebody, "clinical", "--agree"))


def test_a_request_is_withdrawn(api: Api) -> None:
    client = old_client(api)
    assert "nobody has asked" in refused(shred(client, "owner", "clinical", "--withdraw"))
    said(shred(client, "owner"))
    both = ("--agree", "--withdraw")
    assert refused(shred(client, "auditor", "clinical", *both)).startswith("--agree, --withdraw:")
    withdrawn = json.loads(said(shred(client, "auditor", "clinical", "--withdraw", "--json")))
    assert (withdrawn["status"], withdrawn["keys"]) == ("withdrawn", 0)
    assert "nobody has asked" in refused(shred(client, "auditor", "clinical", "--agree"))


def test_a_note_moved_here_is_told_to_stay_where_it_was_written(api: Api) -> None:
    wrong = client_with_signed_note(api.demo.clinician, occurred_at=LONG_AGO)
    right = a_client(api.demo.clinician)
    move = {"to_client_id": right, "reason": "Wrong chart."}
    done(api.demo.clinician.post(f"{wrong.path}/reassignment", move))
    said(shred(right, "owner"))
    assert "1 of the notes were first written on another client's chart" in said(
        shred(right, "auditor", "clinical", "--agree")
    )


def test_for_programs_the_password_comes_from_standard_input(api: Api) -> None:
    client = old_client(api)
    shown = said(shred(client, "owner", "clinical", "--json", "--password-file", "-"))
    assert json.loads(shown) == {
        "records": [client], "category": "clinical", "status": "requested", "keys": 0,
        "drafts": 0, "moved_in": 0,
    }  # fmt: skip


def test_too_early_it_says_until_when_and_why(api: Api) -> None:
    client = client_with_signed_note(
        api.demo.clinician, occurred_at="2020-02-29T10:00:00-05:00"
    ).client
    assert refused(shred(client, "owner")) == (
        "clinical records of this client are kept until 2030-02-28: the last visit was on "
        "2020-02-29; policy retention/us-default/1"
    )


def test_under_a_hold_nothing_is_erased_until_two_have_ended_it(api: Api) -> None:
    client = old_client(api)
    placed = json.loads(said(palimpsest("hold", "client", client, "--json", by="auditor")))
    assert "a legal hold lies on this record (A reason.)" in refused(shred(client, "owner"))
    release = ("hold", "release", client)
    assert "another person must run this" in said(palimpsest(*release, by="auditor"))
    assert "asked for this yourself" in refused(palimpsest(*release, by="auditor"))
    assert "legal hold" in refused(shred(client, "owner"))
    ended = json.loads(said(palimpsest(*release, "--json", by="owner")))
    assert ended == {"hold": placed["hold"], "status": "released"}
    assert "requested" in said(shred(client, "owner"))
    assert refused(palimpsest(*release, by="owner")) == "there is no hold on this record"


def test_of_several_holds_one_is_named(api: Api) -> None:
    client = old_client(api)
    placed = [
        json.loads(said(palimpsest("hold", "client", client, "--json", by="owner")))["hold"]
        for _ in range(2)
    ]
    unnamed = refused(palimpsest("hold", "release", client, by="owner"))
    assert all(hold in unnamed for hold in placed)
    named = ("hold", "release", client, "--hold", placed[0])
    assert f"release of hold {placed[0]} requested" in said(palimpsest(*named, by="owner"))
    assert placed[1] in refused(
        palimpsest("hold", "release", client, "--hold", str(uuid4()), by="owner")
    )


@pytest.mark.parametrize("by", ["clinician", "front_desk"])
def test_who_may_not_is_refused_and_the_try_is_noted(api: Api, by: str) -> None:
    client = old_client(api)
    assert "does not allow key.shred" in refused(shred(client, by))
    entry = api.latest_access(api.demo)
    assert (entry["what"], entry["outcome"]) == ("key.shred", "denied")
    assert UUID(entry["actor_id"]) == api.demo.of(by).member_id
    assert "does not allow retention.hold" in refused(palimpsest("hold", "client", client, by=by))


def test_a_wrong_password_is_nobody(api: Api) -> None:
    client = old_client(api)
    words = ("shred", "client", client, "--category", "clinical")
    nobody = "nobody here with this address and password"
    assert nobody in refused(palimpsest(*words, by="owner", password="wrong horse"))
    assert api.latest_access(api.demo)["outcome"] == "denied"
    # Of the other practice, with the right password.
    elsewhere = CliRunner().invoke(
        app,
        [*words, "--practice", "demo", "--reason", "A reason.", "--by", "owner@harbor.example"],
        input=f"{PASSWORD}\n",
    )
    assert nobody in refused(elsewhere)


def test_what_cannot_be_erased_is_told(api: Api) -> None:
    client = a_client(api.demo.clinician)
    assert "cannot be erased" in refused(shred(client, "owner", "business"))
    assert "there is no such client" in refused(shred(str(uuid4()), "owner"))
    merged = merged_clients(api.demo.clinician)
    assert f"merged into {merged.kept}" in refused(shred(merged.away, "owner"))
    for unknown in (str(uuid4()), merged.away):
        assert refused(palimpsest("hold", "client", unknown, by="owner"))

"""Is what was erased in no file of the database, and does everything else still verify?"""

import json
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from deploy.commands import app
from deploy.database import Database
from tests.faults.server import Server
from tests.faults.test_plain_text import found_in
from tests.support.api import PASSWORD, Api, Member, api_on
from tests.support.postgres import ROOT_KEY
from tests.support.states import Noted, a_client, client_with_draft, client_with_signed_note, done

pytestmark = pytest.mark.serial

LONG_AGO = "2010-03-01T10:00:00-05:00"


@pytest.fixture
def spa(durable: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Two practices of one database, which the command line finds by its settings; a log of all."""
    structlog.reset_defaults()
    key, password = tmp_path / "root.key", tmp_path / "password"
    key.write_text(ROOT_KEY.hex())
    key.chmod(0o600)
    password.write_text(f"{PASSWORD}\n")
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key))
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", durable.admin_url)
    monkeypatch.chdir(tmp_path)
    with api_on(durable) as api:
        yield api


def palimpsest(*words: str) -> dict[str, Any]:
    """Runs a command that answers in JSON."""
    ran = CliRunner().invoke(app, [*words, "--json"])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def shred(client: str, category: str) -> list[dict[str, Any]]:
    """The owner asks, the auditor agrees."""
    return [
        palimpsest(
            "shred", "client", client, "--practice", "demo", "--category", category,
            "--reason", "She asked us to.", "--by", f"{who}@demo.example",
            "--password-file", "password", *step,
        )
        for who, *step in (("owner",), ("auditor", "--agree"))
    ]  # fmt: skip


def wrapped_keys(spa: Api, client: str, category: str) -> list[bytes]:
    rows = spa.admin(
        "SELECT wrapped FROM record.data_key WHERE subject = %s AND category = %s",
        (client, category),
    )
    return [row[0] for row in rows]


def files_with(folder: Path, content: bytes) -> set[str]:
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and content in file.read_bytes()
    }


def well_documented(by: Member, words: dict[str, str]) -> Noted:
    """A client with all that a chart can hold, each with a word of its own."""
    noted = client_with_signed_note(by, occurred_at=LONG_AGO, plan=words["note"])
    done(by.post(f"{noted.path}/addenda", {"text": words["addendum"]}))
    correction = {"reason": words["correction"], "plan": "None."}
    done(by.post(f"{noted.path}/corrections", correction))
    client_with_draft(by, noted.client, plan=words["draft"])
    return noted


def verifies(spa: Api) -> None:
    """Every hash of both logs of both practices, up to the head that was signed before."""
    for slug in ("demo", "harbor"):
        assert palimpsest("verify", "--practice", slug)["verified"]


def chart_text(by: Member, client: str) -> str:
    return json.dumps(done(by.get(f"/v1/clients/{client}/chart")))


def test_nothing_of_what_was_erased_is_left_in_any_file(
    server: Server, spa: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    kinds = ("note", "addendum", "draft", "correction", "other client", "other practice")
    words = {kind: f"canary{token_hex(12)}" for kind in kinds}
    demo = spa.demo
    noted = well_documented(demo.clinician, words)
    other = client_with_signed_note(
        demo.clinician, occurred_at=LONG_AGO, plan=words["other client"]
    )
    abroad = client_with_signed_note(
        spa.harbor.clinician, occurred_at=LONG_AGO, plan=words["other practice"]
    )
    spa.parts.projector.run_until_caught_up()
    spa.parts.sealer.run_once()
    wrapped = wrapped_keys(spa, noted.client, "clinical")
    assert len(wrapped) == 1
    spa.admin("CHECKPOINT")
    tables = server.cluster.home.data / "base"
    assert files_with(tables, wrapped[0]), "the search finds what is there"

    requested, carried_out = shred(noted.client, "clinical")
    assert requested == {
        "records": [noted.client], "category": "clinical", "status": "requested", "keys": 0,
        "drafts": 0, "moved_in": 0,
    }  # fmt: skip
    assert carried_out == requested | {"status": "carried_out", "keys": 1, "drafts": 2}

    spa.admin("CHECKPOINT")
    assert files_with(tables, wrapped[0]) == set()
    # Of the clinical text nothing ever stood anywhere in plain: tables, WAL, the server's log.
    assert found_in(server.cluster.home.folder, words) == {kind: set() for kind in kinds}
    shown = chart_text(demo.clinician, noted.client)
    assert not [word for word in words.values() if word in shown]
    assert words["other client"] in chart_text(demo.clinician, other.client)
    assert words["other practice"] in chart_text(spa.harbor.clinician, abroad.client)
    assert palimpsest("rebuild", "chart_view", "--check")["identical"]
    assert palimpsest("rebuild", "client_search", "--check")["identical"]
    verifies(spa)
    spa.parts.sealer.run_once()
    verifies(spa)
    said = capfd.readouterr()
    assert not [word for word in words.values() if word in said.out + said.err]


def test_erased_contact_details_stand_in_no_table(server: Server, spa: Api) -> None:
    """They stood there in plain, to be searched: rows, trigrams, indexes, statistics, charts."""
    name = f"Canary{token_hex(12)}"
    client = a_client(spa.demo.clinician, family_name=name)
    other = a_client(spa.demo.clinician, family_name=f"{name}s")
    spa.parts.projector.run_until_caught_up()
    spa.admin("ANALYZE projection.client_search_v1")
    spa.admin("CHECKPOINT")
    tables = server.cluster.home.data / "base"
    plain = f"{name}".encode()
    assert files_with(tables, plain)
    sampled = "SELECT count(*) FROM pg_stats WHERE histogram_bounds::text LIKE %s"
    assert spa.admin(sampled, (f"%{name}%",)) == [(1,)]
    # Samples are stored compressed, where a search for words sees nothing: so, which file it is.
    file = "SELECT pg_relation_filenode('pg_statistic')"
    before = spa.admin(file)
    (wrapped,) = wrapped_keys(spa, client, "contact")
    for gone in (client, other):
        assert [one["status"] for one in shred(gone, "contact")] == ["requested", "carried_out"]
    spa.admin("CHECKPOINT")
    assert files_with(tables, wrapped) == set()
    assert files_with(tables, plain) == set()
    assert spa.admin(sampled, (f"%{name}%",)) == [(0,)]
    assert spa.admin(file) != before
    assert name not in chart_text(spa.demo.clinician, client)
    assert palimpsest("rebuild", "client_search", "--check")["identical"]
    assert palimpsest("rebuild", "chart_view", "--check")["identical"]

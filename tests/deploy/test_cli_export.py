"""Does the command line write a client's evidence, whole and to its owner alone, and check it?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.commands import app
from deploy.database import Database
from deploy.founding import found
from deploy.refusal import Refusal
from deploy.wiring import open_parts
from domain.client.aggregate import CLIENT
from domain.kernel.events import Context
from domain.kernel.ids import PracticeId
from record.access import Accessed
from record.checkpoint import SigningKey
from record.ids import SYSTEM
from record.provision import NewPractice
from record.seals import census_of
from tests.support.evidence import unzip
from tests.support.postgres import ROOT_KEY
from tests.support.record import context, register


@dataclass(frozen=True)
class House:
    """A practice with one client, under the root key that the command line reads."""

    database: Database
    practice_id: PracticeId
    client: UUID
    by: Context


@pytest.fixture
def house(
    module_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    key_file = tmp_path / "root.key"
    key_file.touch(mode=0o600)
    key_file.write_text(ROOT_KEY.hex())
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", module_database.admin_url)
    monkeypatch.setenv("PALIMPSEST_KEY_FILE", str(key_file))
    monkeypatch.setenv("PALIMPSEST_TESTING", "true")
    monkeypatch.setenv("PALIMPSEST_WITNESSES", str(tmp_path_factory.mktemp("witness")))
    with (
        psycopg.connect(module_database.admin_url, autocommit=True) as admin,
        open_parts(module_database.app_url, module_database.kms, pool_size=2) as parts,
    ):
        practice_id = found(
            admin, module_database.kms, NewPractice("spa", "A spa", "America/New_York")
        )
        by, client = context(practice_id), uuid4()
        parts.platform.practices[practice_id].handle(CLIENT, client, register(client, by), by)
        yield House(module_database, practice_id, client, by)


def palimpsest(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def export(house: House, out: Path, *more: str, client: object = None) -> Result:
    whom = house.client if client is None else client
    return palimpsest("export", "client", whom, "--practice", "spa", "--out", out, *more)


def refused(result: Result) -> str:
    assert isinstance(result.exception, Refusal), result.output
    return str(result.exception)


def test_a_client_is_exported_and_the_file_checked(house: House, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    result = export(house, out, "--as-of", "2026-03-02")
    assert result.exit_code == 0, result.output
    assert out.stat().st_mode & 0o777 == 0o600
    key = result.stdout.split("--key '")[1].split("'")[0]
    checked = palimpsest("verify-bundle", out, "--key", key)
    assert checked.exit_code == 0, checked.output
    assert f"record: complete: the census counts 1 entries of {house.client}" in checked.stdout
    assert b"as-of 2026-03-03T04:59:59.999999+00:00" in unzip(out.read_bytes())["manifest"]
    # Who took it stands in the access log.
    with open_parts(house.database.app_url, house.database.kms, pool_size=2) as parts:
        entry = parts.platform.accesses.of_client(
            house.practice_id, house.client, before=None, limit=1
        )[0]
    assert isinstance(entry.event, Accessed)
    assert (entry.actor, entry.role, entry.purpose) == (SYSTEM, "system", "audit")
    assert (entry.event.action, entry.event.origin) == ("export", "palimpsest export")
    names = json.loads(unzip(out.read_bytes())["names.json"])
    assert names["people"][str(SYSTEM)] == "the operator of the system"
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(out.read_bytes()[:-40])
    checked = palimpsest("verify-bundle", spoilt, "--key", key)
    assert checked.exit_code == 1
    assert "WRONG no bundle (BadZipFile)" in checked.output


def test_a_program_reads_where_the_bundle_is_and_its_key(house: House, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    said = json.loads(export(house, out, "--json").stdout)
    assert (said["file"], said["bytes"]) == (str(out), out.stat().st_size)
    checked = palimpsest("verify-bundle", out, "--key", said["key"], "--json")
    answer = json.loads(checked.stdout)
    assert (checked.exit_code, answer["is_proven"], answer["wrong"]) == (0, True, None)
    assert answer["proven"][0].startswith("the manifest is signed by palimpsest/")
    out.write_bytes(out.read_bytes()[:-40])
    checked = palimpsest("verify-bundle", out, "--key", said["key"], "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout) == {
        "is_proven": False, "wrong": "no bundle (BadZipFile)", "proven": []}  # fmt: skip
    checked = palimpsest("verify-bundle", out, "--key", said["key"][:-1], "--json")
    assert (checked.exit_code, checked.stdout) == (2, "")


def test_what_contradicts_what_was_signed_is_refused_in_one_line(
    house: House, tmp_path: Path
) -> None:
    assert export(house, tmp_path / "before.zip").exit_code == 0
    give = "UPDATE record.event SET subject = %s WHERE practice_id = %s AND subject = %s"
    nobody = uuid4()
    with psycopg.connect(house.database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(give + " AND log = 'access'", (nobody, house.practice_id, house.client))
        result = export(house, tmp_path / "x.zip")
        admin.execute(give, (house.client, house.practice_id, nobody))
    assert refused(result) == (
        "what is stored contradicts what was signed; run palimpsest verify --practice spa"
    )
    assert not (tmp_path / "x.zip").exists()


def test_nothing_is_overwritten_and_nothing_half_written_stays(
    house: House, tmp_path: Path
) -> None:
    out = tmp_path / "there.zip"
    out.write_text("somebody's")
    assert refused(export(house, out)) == f"{out} is there already; choose another name"
    assert out.read_text() == "somebody's"
    proc = Path("/proc/x.zip")
    assert refused(export(house, proc)) == "no file can be made in /proc"
    assert "there is no folder" in refused(export(house, tmp_path / "nowhere" / "x.zip"))
    assert refused(export(house, tmp_path / "x.zip", client=uuid4()))
    assert "not a date" in refused(export(house, tmp_path / "x.zip", "--as-of", "soon"))
    assert "future" in refused(export(house, tmp_path / "x.zip", "--as-of", "2999-01-01"))
    result = palimpsest(
        "export", "client", house.client, "--practice", "nowhere", "--out", tmp_path / "x.zip"
    )
    assert refused(result) == "there is no practice nowhere; there are: spa"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["root.key", "there.zip"]


def test_a_count_that_was_signed_falsely_is_found_by_verify(house: House, tmp_path: Path) -> None:
    assert export(house, tmp_path / "one.zip").exit_code == 0
    assert palimpsest("verify", "--practice", "spa").exit_code == 0
    with psycopg.connect(house.database.admin_url) as admin:
        admin.execute("SET session_replication_role = replica")
        key = SigningKey.of(house.database.kms, house.practice_id, census_of("record"))
        ((size,),) = admin.execute("SELECT max(size) FROM record.census WHERE log = 'record'")
        admin.execute(
            "UPDATE record.census SET root = %s, note = %s WHERE log = 'record' AND size = %s",
            (bytes(32), key.sign(size, bytes(32)), size),
        )
    result = palimpsest("verify", "--practice", "spa")
    assert result.exit_code == 1
    assert result.stdout.startswith("miscounted: position")
    assert f"the census at {size} says otherwise" in result.stdout

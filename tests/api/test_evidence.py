"""Can an auditor take along one client's whole record, as it was and with its proof?"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.support.api import Api, Member, Team, refusal
from tests.support.evidence import Files, Judge, unzip
from tests.support.states import (
    a_client,
    client_with_signed_note,
    done,
    merged_clients,
)

JsonLines = list[dict[str, Any]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


def key(api: Api, team: Team) -> str:
    """What an auditor was given on paper."""
    return str(api.platform.seals.verify_key(team.practice_id, "record"))


def take(by: Member, client: str, **params: str) -> bytes:
    answer = by.post(f"/v1/clients/{client}/evidence-bundle", params or None)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="evidence.zip"'
    return answer.content


def entries(files: Files, log: str) -> JsonLines:
    return [json.loads(line) for line in files[f"{log}.jsonl"].splitlines()]


def clients_of(files: Files) -> list[str]:
    (line,) = [one for one in files["manifest"].decode().split("\n") if one.startswith("clients ")]
    return line.split(" ")[1:]


def test_the_whole_record_of_a_client_is_taken_along_and_proven(
    api: Api, demo: Team, judge: Judge
) -> None:
    noted = client_with_signed_note(demo.clinician)
    other = client_with_signed_note(demo.clinician)
    done(demo.colleague.get(noted.chart))
    bundle = take(demo.auditor, noted.client)
    said = judge.proven(bundle, key(api, demo))
    assert f"record: complete: the census counts 2 entries of {noted.client}" in said
    files = unzip(bundle)
    assert [one["type"] for one in entries(files, "record")] == [
        "client.registered.v1", "note.signed.v1"]  # fmt: skip
    # Whoever looked is in it, and the last of them is the one who takes it.
    seen = entries(files, "access")
    assert [(one["body"]["action"], one["body"]["what"]) for one in seen[-2:]] == [
        ("read", "chart"), ("export", "evidence bundle")]  # fmt: skip
    assert seen[-1]["actor"] == str(demo.auditor.member_id)
    assert json.loads(files["names.json"])["people"][seen[-1]["actor"]] == demo.auditor.name
    assert json.loads(files["names.json"])["practice"] == "Demo"
    assert other.client not in str(files)
    assert files["chart.pdf"].startswith(b"%PDF-1.7")
    latest = api.accesses(demo, noted.client)[0]
    assert (latest["action"], latest["what"]) == ("export", "evidence bundle")
    assert (latest["outcome"], latest["purpose"]) == ("allowed", "audit")


def test_the_entries_are_complete_to_now_whatever_moment_the_chart_is_of(
    api: Api, demo: Team, judge: Judge
) -> None:
    client = a_client(demo.clinician)
    then = datetime.now(UTC).isoformat()
    client_with_signed_note(demo.clinician, client)
    before = take(demo.auditor, client, as_of=then)
    said = judge.proven(before, key(api, demo))
    assert f"record: complete: the census counts 2 entries of {client}" in said
    as_of = datetime.fromisoformat(said[-1].rpartition(" ")[2])
    assert as_of == datetime.fromisoformat(then)
    papers = [unzip(one)["chart.pdf"] for one in (before, take(demo.auditor, client))]
    assert papers[0] != papers[1]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = demo.auditor.post(f"/v1/clients/{client}/evidence-bundle", {"as_of": tomorrow})
    refusal(answer, 422, "as_of_in_future")


def test_merged_records_go_together_and_those_that_were_parted_do_not(
    api: Api, demo: Team, judge: Judge
) -> None:
    merged = merged_clients(demo.clinician)
    bundle = take(demo.auditor, merged.kept)
    assert clients_of(unzip(bundle)) == [merged.kept, merged.away]
    assert judge.proven(bundle, key(api, demo))
    for one in (merged.kept, merged.away):
        assert api.accesses(demo, one)[0]["what"] == "evidence bundle"
    # The record that was merged away is taken by itself, too.
    assert clients_of(unzip(take(demo.auditor, merged.away))) == [merged.away]
    then = datetime.now(UTC).isoformat()
    body = {"other_client_id": merged.away, "reason": "Twins."}
    done(demo.clinician.post(f"/v1/clients/{merged.kept}/unmerge", body))
    parted = take(demo.auditor, merged.kept, as_of=then)
    assert clients_of(unzip(parted)) == [merged.kept]
    assert merged.away not in unzip(parted)["chart.pdf"].decode("latin1")


def test_nobody_else_s_client_and_no_other_thing_is_exported(
    api: Api, demo: Team, harbor: Team
) -> None:
    theirs = a_client(harbor.clinician)
    note = client_with_signed_note(demo.clinician).note
    for unknown in (theirs, note, str(uuid4())):
        answer = demo.auditor.post(f"/v1/clients/{unknown}/evidence-bundle")
        refusal(answer, 404, "not_found")
        latest = api.accesses(demo, unknown)[0]
        assert (latest["action"], latest["outcome"]) == ("export", "not_found")
    for role in ("owner", "front_desk"):
        answer = demo.of(role).post(f"/v1/clients/{theirs}/evidence-bundle")
        refusal(answer, 403, "forbidden")


def test_what_is_not_sealed_is_not_handed_out(
    api: Api, demo: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("record.export.WAIT_SECONDS", 0.1)
    client = a_client(demo.clinician)
    with psycopg.connect(api.ready.admin_url) as sealer:
        sealer.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('seal ' || %s::uuid || ' access', 0))",
            (demo.practice_id,),
        )
        answer = demo.auditor.post(f"/v1/clients/{client}/evidence-bundle")
    refusal(answer, 503, "seals_behind")
    assert answer.headers["retry-after"] == "1"
    assert take(demo.auditor, client)


def test_what_contradicts_what_was_signed_is_not_handed_out(api: Api, demo: Team) -> None:
    client, nobody = a_client(demo.clinician), str(uuid4())
    assert take(demo.auditor, client)
    give = "UPDATE record.event SET subject = %s WHERE practice_id = %s AND subject = %s"
    with psycopg.connect(api.ready.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(give + " AND log = 'access'", (nobody, demo.practice_id, client))
        answer = demo.auditor.post(f"/v1/clients/{client}/evidence-bundle")
        admin.execute(give, (client, demo.practice_id, nobody))
    refusal(answer, 503, "record_contradicted")
    assert take(demo.auditor, client)


def test_one_bundle_is_made_at_a_time_in_each_practice(api: Api, demo: Team, harbor: Team) -> None:
    client, theirs = a_client(demo.clinician), a_client(harbor.clinician)
    with api.platform.exports.turn(demo.practice_id):
        answer = demo.auditor.post(f"/v1/clients/{client}/evidence-bundle")
        refusal(answer, 503, "export_under_way")
        assert answer.headers["retry-after"] == "1"
        assert take(harbor.auditor, theirs)
    assert take(demo.auditor, client)


def test_new_text_is_sealed_under_keys_that_did_not_leave(demo: Team) -> None:
    noted = client_with_signed_note(demo.clinician)
    keys = json.loads(unzip(take(demo.auditor, noted.client))["keys.json"])
    done(demo.clinician.post(f"{noted.path}/addenda", {"text": "Called: well."}))
    later = entries(unzip(take(demo.auditor, noted.client)), "record")[-1]
    assert later["body"]["text"] == "Called: well."
    assert later["key_id"] not in keys
    assert done(demo.clinician.get(noted.chart))["notes"][0]["versions"][-1]["addendum"]


def test_a_shredded_text_is_left_out_and_all_else_is_proven(
    api: Api, demo: Team, judge: Judge
) -> None:
    noted = client_with_signed_note(demo.clinician)
    api.admin(
        """UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()
        WHERE practice_id = %s AND subject = %s""",
        (demo.practice_id, noted.client),
    )
    bundle = take(demo.auditor, noted.client)
    said = judge.proven(bundle, key(api, demo))
    assert "record: 0 bodies are what their ciphertexts say; NOT PROVEN: 2" in said
    assert [one["body"] for one in entries(unzip(bundle), "record")] == [None, None]

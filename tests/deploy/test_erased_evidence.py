"""What does a bundle hold of a client whose texts were erased before it was taken?"""

import json
from pathlib import Path

import psycopg

from deploy.database import Database
from domain.chart.events import NoteSigned
from tests.support.api import api_on
from tests.support.erasing import erase, erasing_with, old_note
from tests.support.evidence import Judge, unzip


def test_what_was_erased_is_missing_in_a_bundle_and_all_else_is_proven(
    module_database: Database, tmp_path: Path
) -> None:
    with (
        api_on(module_database) as api,
        psycopg.connect(api.ready.admin_url, autocommit=True) as owner,
    ):
        client, _ = old_note(api.demo.clinician, plan="Erased before it was exported.")
        erase(api, erasing_with(api, owner), client)
        taken = api.demo.auditor.post(f"/v1/clients/{client}/evidence-bundle")
        key = str(api.platform.seals.verify_key(api.demo.practice_id, "record"))
    assert taken.status_code == 200
    files = unzip(taken.content)
    assert "Erased before" not in str(files)
    entries = [json.loads(line) for line in files["record.jsonl"].splitlines()]
    assert [one["type"] for one in entries if one["body"] is None] == [NoteSigned.type]
    said = Judge(tmp_path).proven(taken.content, key)
    opened = f"record: {len(entries) - 1} bodies are what their ciphertexts say; NOT PROVEN: 1"
    assert opened in said
    assert f"record: complete: the census counts {len(entries)} entries of {client}" in said

"""Does any word of a chart reach the disk in plain?"""

from pathlib import Path
from secrets import token_hex
from uuid import uuid4

import pytest

from deploy.database import Database
from domain.chart.aggregate import NOTE
from domain.chart.commands import AddAddendum, CorrectNote, RetractNote
from domain.client.aggregate import CLIENT
from domain.client.commands import RecordDeath
from domain.kernel.ids import ClientId, PracticeId
from projections.all import all_projections
from record.errors import StaleVersion
from tests.faults.server import Server
from tests.support.record import Record, context, record_on, register, sign
from workers.projector import Projector

pytestmark = pytest.mark.serial


def found_in(folder: Path, words: dict[str, str]) -> dict[str, set[str]]:
    """Which words stand in which files, as text, in UTF-16, or as hexadecimal digits."""
    forms = {
        name: [word.encode(), word.encode("utf-16-le"), word.encode().hex().encode()]
        for name, word in words.items()
    }
    found: dict[str, set[str]] = {name: set() for name in words}
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for name, spellings in forms.items():
                if any(spelling in content for spelling in spellings):
                    found[name].add(str(file.relative_to(folder)))
    return found


def chart(record: Record, practice_id: PracticeId, words: dict[str, str]) -> None:
    """Everything that a chart can hold, each with a word of its own."""
    practice, client, note = record.practices[practice_id], ClientId(uuid4()), uuid4()
    by = context(practice_id)
    practice.handle(CLIENT, client, register(client, by, words["given name"]), by)
    by = context(practice_id)
    by = context(practice_id)
    draft, _ = record.drafts.open(by, note, client, words["draft"].encode())
    record.drafts.save(by, draft, words["saved draft"].encode(), base_version=0, revision=1)
    by = context(practice_id)
    practice.handle(NOTE, note, sign(client, by, words["note"]), by)
    other = context(practice_id)
    with pytest.raises(StaleVersion):
        practice.handle(NOTE, note, sign(client, other, words["refused"]), other, expected=0)
    for command in (
        AddAddendum(by=by.actor_id, at=by.at, text=words["addendum"]),
        CorrectNote(
            by=by.actor_id, at=by.at, changes={"plan": words["correction"]}, reason=words["reason"]
        ),
        RetractNote(by=by.actor_id, at=by.at, reason=words["retraction"]),
    ):
        practice.handle(NOTE, note, command, context(practice_id))
    by = context(practice_id)
    source = RecordDeath(by=by.actor_id, at=by.at, died_on=by.at.date(), source=words["source"])
    practice.handle(CLIENT, client, source, by)
    record.accesses.note(by, "read", "chart", clients=[client], origin=words["origin"])


def test_no_word_of_a_chart_stands_in_any_file_of_the_database(
    server: Server, durable: Database
) -> None:
    kinds = (
        "given name", "draft", "saved draft", "note", "refused", "addendum", "correction",
        "reason", "retraction", "source", "origin",
    )  # fmt: skip
    words = {kind: f"canary{token_hex(12)}" for kind in kinds}
    with record_on(durable) as record:
        chart(record, record.new_practice(), words)
        projections = all_projections(record.keys, record.practices)
        Projector(record.database, record.practices, projections).run_until_caught_up()
        assert record.admin("SELECT count(*) FROM projection.chart_view_v2") == [(1,)]
        record.admin("CHECKPOINT")
        running = found_in(server.cluster.home.folder, words)
    server.cluster.stop()
    stopped = found_in(server.cluster.home.folder, words)
    for found in (running, stopped):
        # Names stand in the table that people search: the search for words works.
        names = found.pop("given name")
        assert any(name.startswith("data/base/") for name in names)
        assert any(name.startswith("data/pg_wal/") for name in names)
        assert found == {kind: set() for kind in found}

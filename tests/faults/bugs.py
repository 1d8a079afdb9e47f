"""Which bugs have others had, and which test of ours notices each of them?

Each is planted in a copy of the tree, where the named test must fail. Whatever else can go wrong
with the practice in a table, a view or a key is in tests/record/test_lint.py.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Edit:
    """One place of one file, and what stands there instead."""

    file: str
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """Plants it. Fails unless the place is there, once."""
        path = tree / self.file
        text = path.read_text()
        assert text.count(self.old) == 1, f"{self.file} has changed: {self.old}"
        path.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Bug:
    """What is wrong, where, and who notices."""

    name: str
    test: str
    edits: tuple[Edit, ...]


def bug(name: str, test: str, file: str, *changes: tuple[str, str]) -> Bug:
    return Bug(name, f"tests/{test}", tuple(Edit(file, *change) for change in changes))


ADVANCED_FIRST: Final = """\
                positions.advance(connection, practice_id, names, claims[0].head)
            with self._database.practice(practice_id, is_derived=True) as connection:
"""
SAID_FIRST: Final = """\
            positions.advance(connection, one.practice_id, [one.name], until)
        with self._database.practice(one.practice_id) as connection:
"""
SEQUENCE: Final = """\
CREATE SEQUENCE record.counter;
GRANT USAGE ON SEQUENCE record.counter TO palimpsest_writer;
"""
GATE = "deploy/migrations/0002_gate.sql"
RECORD = "deploy/migrations/0001_record.sql"

BUGS: Final = (
    bug(
        "positions from a sequence, as of a bigserial",
        "record/test_concurrency.py::test_eight_writers_leave_no_hole_and_no_reader_skips_one",
        GATE,
        (
            "SET ROLE palimpsest_writer;\n\n-- Appends a set",
            SEQUENCE + "SET ROLE palimpsest_writer;\n\n-- Appends a set",
        ),
        ("a_log[append]\n        FOR NO KEY UPDATE;", "a_log[append];"),
        ("ORDER BY h.practice_id, h.log\n    FOR NO KEY UPDATE;", ";"),
        ("v_position := v_position + 1;", "v_position := nextval('record.counter');"),
        (
            "h.position + row_number()",
            "nextval('record.counter') + 0 * row_number()",
        ),
    ),
    bug(
        "acknowledged before it is durable",
        "faults/test_database_killed.py",
        "record/database.py",
        ('"options": f"-c ', '"options": f"-c synchronous_commit=off -c '),
    ),
    bug(
        "no look for a command that was answered",
        "record/test_gate.py::test_the_same_command_gives_the_same_answer_and_does_nothing",
        GATE,
        ("IF FOUND THEN\n                outcome", "IF false THEN\n                outcome"),
    ),
    bug(
        "the command id is not kept",
        "faults/test_answer_lost.py",
        GATE,
        (
            "        IF a_command[append] IS NOT NULL THEN\n            INSERT INTO record.command",
            "        IF false THEN\n            INSERT INTO record.command",
        ),
    ),
    bug(
        "a retry without the key it was first sent under",
        "faults/test_answer_lost.py",
        "api/asking.py",
        ("        if key is None\n        else derived", "        if key\n        else derived"),
    ),
    bug(
        "the position of a projection outside of its transaction",
        "faults/test_workers_killed.py::test_projectors_and_sealers_lose_and_repeat_nothing",
        "workers/applying.py",
        (
            "                end = self._apply_together(",
            ADVANCED_FIRST + "                end = self._apply_together(",
        ),
    ),
    bug(
        "two projectors at one projection",
        "workers/test_projector.py::test_what_one_has_claimed_another_leaves_alone",
        "projections/positions.py",
        (
            '    text = _CLAIM if wait else _CLAIM + " SKIP LOCKED"',
            '    text = _CLAIM.rpartition("FOR")[0]',
        ),
    ),
    bug(
        "the practice is set for the session, not for the transaction (SET without LOCAL)",
        "record/test_tenancy_load.py::"
        "test_ten_thousand_requests_of_twenty_practices_over_five_connections",
        "record/database.py",
        (
            "set_config('palimpsest.practice', %s, true)",
            "set_config('palimpsest.practice', %s, false)",
        ),
    ),
    bug(
        "row-level security that its owner passes (no FORCE)",
        "record/test_lint.py::test_nothing_is_found_in_our_own_schemas",
        RECORD,
        (
            "EXECUTE format('ALTER TABLE record.%I FORCE ROW LEVEL SECURITY', name);",
            "NULL;",
        ),
    ),
    bug(
        "a foreign key without the practice",
        "record/test_lint.py::test_nothing_is_found_in_our_own_schemas",
        RECORD,
        (
            "    PRIMARY KEY (practice_id, key_id),\n    CHECK",
            "    PRIMARY KEY (practice_id, key_id), UNIQUE (key_id),\n    CHECK",
        ),
        (
            "FOREIGN KEY (practice_id, key_id) REFERENCES record.data_key",
            "FOREIGN KEY (key_id) REFERENCES record.data_key (key_id)",
        ),
    ),
    bug(
        "the time of recording follows a clock that runs back",
        "faults/test_clock_jumps.py",
        GATE,
        (
            "v_now := greatest(coalesce(at_time, clock_timestamp()), v_now);",
            "v_now := coalesce(at_time, clock_timestamp());",
        ),
    ),
    bug(
        "the leaf leaves out who it was",
        "record/test_gate.py::test_the_header_stands_in_the_row_and_the_leaf_hash_covers_all_of_it",
        RECORD,
        ("    || uuid_send(actor)\n", ""),
    ),
    bug(
        "a verifier that looks at the ends only",
        "record/test_tamper.py",
        "record/verify.py",
        (
            "if row.leaf_hash != leaf or row.position != position:",
            "if row is rows[-1] and (row.leaf_hash != leaf or row.position != position):",
        ),
    ),
    bug(
        "a witness that takes another past",
        "gateways/test_witness.py",
        "record/witnessing.py",
        (
            "    return verify_consistency(",
            "    return last.size < new.size or verify_consistency(",
        ),
    ),
    bug(
        "a sealer that signs whatever it finds",
        "record/test_sealing.py::test_nothing_is_signed_on_top_of_a_contradiction",
        "record/sealing.py",
        ("        if known.root() != head.root:\n", "        if False:\n"),
    ),
    bug(
        "an access noted after it was shown, or not",
        "api/test_access_log.py::test_if_the_access_cannot_be_noted_nothing_is_shown",
        "api/reading.py",
        (
            '    asking.note("read", "chart", charts)\n',
            '    try: asking.note("read", "chart", charts)\n    except Exception: pass\n',
        ),
    ),
    bug(
        "one append's failure is everybody's",
        "record/test_group_commit.py::test_only_who_is_at_fault_learns_of_a_fault",
        "record/gate.py",
        (
            "        if len(together) == 1:\n",
            "        for one in together:\n            one.outcome = error\n        if together:\n",
        ),
    ),
    bug(
        "a claim on a draft by the program's clock",
        "faults/test_clock_jumps.py",
        "record/drafts.py",
        (
            "                 draft.revision, CLAIM_LASTS, base_version),",
            "                 draft.revision, timedelta(0), base_version),",
        ),
    ),
    bug(
        "published only after it was said to be",
        "workers/test_relay.py::test_what_was_taken_without_an_answer_is_sent_again",
        "workers/relay.py",
        (
            "            taken = self._publish(connection, claim.position, messages)",
            SAID_FIRST + "            taken = self._publish(connection, claim.position, messages)",
        ),
    ),
    bug(
        "a server that has died stays dead",
        "deploy/test_launcher.py::test_a_server_that_dies_while_it_is_used_is_started_again",
        "deploy/postgres.py",
        (
            "            if self._status() is not None:\n                return False\n",
            "            return False\n",
        ),
    ),
)

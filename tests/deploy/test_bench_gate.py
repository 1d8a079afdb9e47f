"""Is the gate that the real one is measured against a true one, and truly held to one practice?"""

from uuid import uuid4

import psycopg
import pytest

from deploy.bench.gate import install
from deploy.postgres import Cluster
from record.gate import _APPEND, Append, answers, arrays
from tests.support import postgres
from tests.support.record import context, plain, record_on


def test_it_answers_as_the_real_one_does_and_writes_under_each_practice(cluster: Cluster) -> None:
    with postgres.new_database(cluster) as ready:
        install(ready.admin_url)
        with record_on(ready) as record:
            here, there = sorted([record.new_practice(), record.new_practice()])
            done, stream = context(there), uuid4()
            record.gate.append(Append(there, "record", [plain(stream)], done))
            appends = [
                Append(there, "record", [plain(stream, 2), plain(stream, 3)], context(there)),
                Append(here, "record", [plain()], context(here)),
                Append(there, "record", [plain()], done),
                Append(here, "record", [plain(version=4)], context(here)),
            ]
            with record.database.connection() as connection:
                rows = connection.execute(_APPEND, arrays(appends), binary=True).fetchall()
            assert [(one.outcome, one.last) for one in answers(rows)] == [
                ("accepted", 3), ("accepted", 1), ("duplicate", 1), ("conflict", None),
            ]  # fmt: skip
            assert [len(record.events(one)) for one in (here, there)] == [1, 3]
            # Without a practice, or under another one, nothing can be written.
            insert = """INSERT INTO record.command
                (practice_id, command_id, digest, stream_id, version, position, recorded_at)
                VALUES (%s, gen_random_uuid(), '', gen_random_uuid(), 1, 1, now())"""
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
                record.database.practice(here) as connection,
            ):
                connection.execute(insert, (there,))

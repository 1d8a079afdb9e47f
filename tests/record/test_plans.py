"""Is a stream found by its key whatever the planner has been led to believe?"""

from uuid import uuid4

import psycopg
import pytest

from deploy.postgres import Cluster
from record.gate import Append, VersionConflict
from tests.support import postgres
from tests.support.record import context, plain, record_on


def test_a_stream_is_never_looked_for_through_a_practice_s_whole_log(cluster: Cluster) -> None:
    """Statistics of a young log say that a practice has few rows, and say so while it grows."""
    with postgres.new_database(cluster) as ready, record_on(ready) as record:
        practice_id = record.new_practice()
        streams = [uuid4() for _ in range(300)]
        record.gate.append(Append(practice_id, "record", [plain(one) for one in streams]))
        with psycopg.connect(ready.admin_url, autocommit=True) as admin:
            for column in ("practice_id", "log"):
                admin.execute(
                    f"ALTER TABLE record.event ALTER {column} SET (n_distinct = -1)".encode()
                )
            admin.execute("ANALYZE record.event")

        def asked(index: str) -> int:
            ((scans,),) = record.admin(
                "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = %s", [index]
            )
            return int(scans)

        before = asked("event_practice_id_log_position_key"), asked("event_pkey")
        with record_on(ready) as fresh:  # connections that have planned nothing yet
            fresh.gate.append(Append(practice_id, "record", [plain()], context(practice_id)))
            several = [plain(one, 2) for one in streams[:3]]
            fresh.gate.append(Append(practice_id, "record", several))
            with pytest.raises(VersionConflict):
                fresh.gate.append(Append(practice_id, "record", several))
            found = fresh.practices[practice_id]
            assert found.database.call(
                "SELECT count(*) FROM record.streams(%s, 'record', %s)",
                (practice_id, streams[:5]),
            ) == [(8,)]
        after = asked("event_practice_id_log_position_key"), asked("event_pkey")
        assert after[0] == before[0]
        assert after[1] > before[1]

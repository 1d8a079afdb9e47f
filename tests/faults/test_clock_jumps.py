"""What becomes of order, time, sessions and claims when a clock is wrong, or is set right again?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from deploy.database import Database
from domain.kernel.ids import derived
from record.gate import _APPEND, Append, arrays
from tests.faults import seals, views
from tests.faults.checker import judge
from tests.faults.clerks import clerks_at_work, until, workers_at_work
from tests.faults.figures import conclude, times
from tests.faults.history import History
from tests.support.api import Api, Response, api_on, refusal
from tests.support.record import context, plain, record_on
from tests.support.states import SOAP, details, done

NONE = timedelta(0)
JUMPS = [timedelta(minutes=-5), timedelta(minutes=5), timedelta(days=1)]
ENOUGH = times(200, 5_000)


@pytest.fixture(scope="module")
def api(module_database: Database) -> Iterator[Api]:
    with api_on(module_database) as made:
        yield made


def act(api: Api, history: History, path: str, body: object = None, events: int | None = 1) -> Any:
    by, key = api.demo.clinician, str(uuid4())
    command_id = derived(by.practice_id, "command", str(by.member_id), key)
    operation = history.invoke(by.practice_id, command_id, events=events)
    answer = done(by.post(path, body, key=key))
    history.acknowledged(operation, answer.get("position", 0))
    return answer


def look(api: Api, history: History, client: str) -> Any:
    answer = api.demo.clinician.get(f"/v1/clients/{client}/chart")
    by = api.demo.clinician.practice_id
    history.read(by, UUID(client), UUID(answer.headers["X-Request-Id"]))
    return done(answer)


def test_the_programs_clock_changes_neither_the_order_of_the_record_nor_its_time(api: Api) -> None:
    history, began = History(), datetime.now(UTC)
    for jump in [NONE, *JUMPS, NONE]:
        with api.clock.later(jump):
            client = act(api, history, "/v1/clients", details())["id"]
            note = act(api, history, f"/v1/clients/{client}/notes", SOAP, events=0)["id"]
            signed = act(api, history, f"/v1/notes/{note}/signature", events=None)
            (shown,) = look(api, history, client)["notes"]
            assert shown["status"] == "signed"
            assert api.positions(api.demo)[0] == signed["position"]
    practice_id, url = api.demo.practice_id, api.ready.admin_url
    until(lambda: views.have_caught_up(url))
    found = judge(history, url, lambda: views.of_parts(url, api.parts))
    conclude("program's clock wrong", history, found, len(JUMPS))
    recorded = api.admin(
        "SELECT recorded_at FROM record.event WHERE practice_id = %s AND log = 'record'",
        (practice_id,),
    )
    assert all(began <= at <= datetime.now(UTC) for (at,) in recorded), "PostgreSQL's clock is kept"


def read(api: Api, session: str) -> Response:
    return api.http.get(f"/v1/clients/{uuid4()}", headers={"Authorization": f"Bearer {session}"})


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_session_outlives_a_small_jump_of_the_clock_and_no_large_one(
    api: Api, jump: timedelta
) -> None:
    is_small = abs(jump) < api.platform.identity.idle
    before = api.sign_in(api.demo.clinician)
    with api.clock.later(jump):
        meanwhile = api.sign_in(api.demo.clinician)
        assert read(api, meanwhile).status_code == 404
        assert (read(api, before).status_code == 404) == is_small
    # One that was begun by a clock a day ahead would else lie unused for a day, and last longer.
    assert (read(api, meanwhile).status_code == 404) == is_small
    if not is_small:
        refusal(read(api, meanwhile), 401, "session_expired")


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_wrong_clock_saves_nothing_over_a_text_that_is_being_signed(
    api: Api, jump: timedelta
) -> None:
    history, by = History(), api.demo.clinician
    client = act(api, history, "/v1/clients", details())["id"]
    note = act(api, history, f"/v1/clients/{client}/notes", SOAP, events=0)["id"]
    draft = api.platform.drafts.find(by.practice_id, UUID(note))
    assert draft is not None
    signing = context(by.practice_id, actor=by.member_id)
    with api.platform.drafts.claimed(signing, draft), api.clock.later(jump):
        refused = by.put(f"/v1/notes/{note}/draft", SOAP | {"plan": "Another plan."})
        refusal(refused, 409, "draft_being_signed")


def test_after_the_servers_clock_was_set_back_time_stands_still_until_it_has_caught_up(
    database: Database,
) -> None:
    history, ahead = History(), datetime.now(UTC) + timedelta(hours=1)
    with record_on(database) as record:
        with workers_at_work(record), clerks_at_work(record, history, 2) as practice_ids:
            with psycopg.connect(database.admin_url, autocommit=True) as admin:
                for practice_id in practice_ids:
                    for log in ("record", "access"):
                        by, stream = context(practice_id), uuid4()
                        append = Append(practice_id, log, [plain(stream)], by)
                        # As its clock would have it, an hour ahead; from now on it is right.
                        rows = admin.execute(_APPEND, arrays([append], ahead), binary=True)
                        position = rows.fetchall()[0][5]
                        if log == "record":
                            operation = history.invoke(practice_id, by.command_id)
                            history.acknowledged(operation, position)
            until(lambda: history.has(ENOUGH))
        found = judge(
            history,
            database.admin_url,
            lambda: views.of_record(record),
            lambda: seals.objections(record),
        )
        newest = {record.events(one)[-1]["recorded_at"] for one in practice_ids}
    conclude("server's clock set back", history, found, 1)
    assert newest == {ahead}

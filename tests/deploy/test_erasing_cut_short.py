"""Does an erasure that was cut short, or met a rebuild, end by asking again?"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from deploy.database import Database
from deploy.erasing import Erasing
from domain.compliance.refusals import AlreadyErased, ErasureNotRequested
from projections.client_search.projection import ClientSearchProjection
from projections.rebuild import Rebuild
from record import rewriting
from record.rewriting import TableInUse
from tests.support.api import Api, api_on
from tests.support.erasing import (
    CONTACT,
    agree,
    ask,
    chart,
    erasing_with,
    found_by,
    old_note,
    wrapped,
)
from tests.support.states import a_client, done


@pytest.fixture(scope="module")
def api(module_database: Database) -> Iterator[Api]:
    with api_on(module_database) as opened:
        yield opened


@pytest.fixture
def owner(api: Api) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(api.ready.admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def erasing(api: Api, owner: psycopg.Connection[Any]) -> Erasing:
    return erasing_with(api, owner)


class Crash(Exception):
    """What the end of the process is to a test."""


class Failing(ClientSearchProjection):
    """A projection in whose turn the process ends."""

    def erase(self, *_: object) -> tuple[str, ...]:
        raise Crash


class Unrecorded(Erasing):
    """Ends after the deed and before it is entered in the record."""

    def _record(self, *_: object) -> None:
        raise Crash


@contextmanager
def table_in_use(api: Api, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody who looks at the table of keys for longer than anybody wants to wait."""
    patch.setattr(rewriting, "TRIES", 2)
    patch.setattr(rewriting, "LOCK_WAIT", "10ms")
    with psycopg.connect(api.ready.admin_url) as reader:
        reader.execute("LOCK TABLE record.data_key IN ACCESS SHARE MODE")
        yield


def test_during_a_rebuild_it_waits_to_be_asked_again(
    api: Api, owner: psycopg.Connection[Any], erasing: Erasing
) -> None:
    """Or the rebuild might put in place what it had read before."""
    demo = api.demo
    client = a_client(demo.clinician, family_name="Canarystone")
    assert found_by(demo, "canarystone") == [client]
    ask(api, erasing, demo.owner, client, CONTACT)
    platform = api.platform
    search = ClientSearchProjection()
    with Rebuild(api.ready.admin_url, platform.database, platform.practices, search) as beside:
        with pytest.raises(TableInUse):
            agree(api, erasing, demo.auditor, client, CONTACT)
        assert wrapped(api, client)["contact"] == 1
        beside.replace()
    assert found_by(demo, "canarystone") == [client]
    assert ask(api, erasing, demo.owner, client, CONTACT) == "carried_out"
    assert found_by(demo, "canarystone") == []
    with Rebuild(api.ready.admin_url, platform.database, platform.practices, search) as again:
        assert list(again.differences()) == []


WHERE = ["while the keys go", "before the tables are written anew", "before it is entered"]


@pytest.mark.parametrize("where", WHERE)
def test_cut_short_it_is_finished_by_asking_again(
    api: Api, owner: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    demo = api.demo
    client, _ = old_note(demo.clinician, plan="canary plan")
    whole = erasing_with(api, owner)
    ask(api, whole, demo.owner, client)
    if where == WHERE[0]:
        with pytest.raises(Crash):
            agree(api, erasing_with(api, owner, (Failing(),)), demo.auditor, client)
    elif where == WHERE[1]:
        with table_in_use(api, monkeypatch), pytest.raises(TableInUse):
            agree(api, whole, demo.auditor, client)
        monkeypatch.undo()
    else:
        cut = Unrecorded(owner, whole._practice, whole._projections)
        with pytest.raises(Crash):
            agree(api, cut, demo.auditor, client)
    is_gone = where != WHERE[0]
    assert ("clinical" in wrapped(api, client)) is not is_gone
    assert chart(demo, client)["client"]["erasures"] == []
    assert ("canary" in json.dumps(chart(demo, client))) is not is_gone
    # By either of them, and by nobody who has to agree once more.
    assert ask(api, whole, demo.owner, client) == "carried_out"
    assert "canary" not in json.dumps(chart(demo, client))
    events = done(demo.auditor.get(f"/v1/clients/{client}/events"))["items"]
    assert events[-1]["type"] == "erasure.carried_out.v1"
    # At least: where the chart was shown anew meanwhile, the key of that went, too.
    assert events[-1]["body"]["keys"] >= 1
    # What is done is done: there is nothing more to ask for, or to agree to.
    for somebody in (demo.owner, demo.auditor):
        with pytest.raises(AlreadyErased):
            ask(api, whole, somebody, client)
        with pytest.raises(ErasureNotRequested):
            agree(api, whole, somebody, client)

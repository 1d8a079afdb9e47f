"""Is what two people agreed to erase gone for everybody, and is nothing else?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import pytest

from deploy.database import Database
from deploy.erasing import Erasing
from deploy.erasing_wish import Wish
from deploy.wiring import open_parts
from domain.chart.events import NoteSigned
from domain.client.aggregate import ClientMerged, ClientUnknown
from domain.compliance.aggregate import stream_of
from domain.compliance.events import ErasureRequested
from domain.compliance.refusals import (
    AlreadyErased,
    ErasureAlreadyRequested,
    ErasureNotRequested,
    SecondPersonNeeded,
    UnderRetention,
)
from domain.kernel.ids import ClientId
from record.envelope import Shredded
from record.memory import CACHE_SECONDS
from tests.support.api import Api, api_on
from tests.support.erasing import (
    BASIS,
    CLINICAL,
    CONTACT,
    WHY,
    agree,
    ask,
    chart,
    erase,
    erasing_with,
    found_by,
    old_note,
    wrapped,
)
from tests.support.states import a_client, client_with_draft, client_with_signed_note, done, merge


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


def test_what_was_agreed_is_gone_for_everybody_and_the_chart_says_why(
    api: Api, erasing: Erasing
) -> None:
    demo = api.demo
    client, note = old_note(demo.clinician, plan="canary plan")
    done(demo.clinician.post(f"/v1/notes/{note}/addenda", {"text": "canary addendum"}))
    client_with_draft(demo.clinician, client, plan="canary draft")
    other, _ = old_note(demo.clinician, plan="canary of another")
    abroad, _ = old_note(api.harbor.clinician, plan="canary elsewhere")
    texts = api.admin("SELECT body FROM record.event WHERE subject = %s ORDER BY 1", (client,))
    assert "canary" in json.dumps(chart(demo, client))

    assert ask(api, erasing, demo.owner, client) == "requested"
    assert "canary plan" in json.dumps(chart(demo, client))
    assert chart(demo, client)["client"]["erasures"] == []
    assert agree(api, erasing, demo.auditor, client) == "carried_out"

    shown = chart(demo, client)
    assert "canary" not in json.dumps(shown)
    (erasure,) = shown["client"]["erasures"]
    assert datetime.fromisoformat(erasure.pop("at")).date() == datetime.now(UTC).date()
    assert erasure == {
        "category": "clinical",
        "reason": WHY,
        "legal_basis": BASIS,
        "requested_by": demo.owner.name,
        "agreed_by": demo.auditor.name,
    }
    (placeholder,) = shown["notes"]
    assert (placeholder["id"], placeholder["status"]) == (note, "erased")
    assert [(one["kind"], one["is_erased"]) for one in placeholder["versions"]] == [
        ("signed", True), ("addendum", True)
    ]  # fmt: skip
    assert {one["author"] for one in placeholder["versions"]} == {demo.clinician.name}
    # By no other way either, at no moment, and by nobody.
    for path in (
        f"/v1/notes/{note}",
        f"/v1/clients/{client}/events",
        f"/v1/clients/{client}/chart?as_of={datetime.now(UTC).isoformat().replace('+00:00', 'Z')}",
        f"/v1/clients/{client}/chart?view=true&as_of=2015-01-01T00:00:00Z",
    ):
        for somebody in (demo.clinician, demo.auditor):
            assert "canary" not in done(somebody.get(path)).__repr__(), path
    # Only the keys went; nobody else's; and the entries of the log stand as they were written.
    assert wrapped(api, client) == {"contact": 1, "business": 1}
    assert "canary of another" in json.dumps(chart(demo, other))
    assert "canary elsewhere" in json.dumps(chart(api.harbor, abroad))
    after = api.admin("SELECT body FROM record.event WHERE subject = %s", (client,))
    assert set(texts) <= set(after)


def test_the_front_desk_hears_that_but_not_why(api: Api, erasing: Erasing) -> None:
    client, _ = old_note(api.demo.clinician)
    erase(api, erasing, client)
    (told,) = done(api.demo.front_desk.get(f"/v1/clients/{client}"))["erasures"]
    assert (told["category"], told["reason"]) == ("clinical", None)
    (told,) = done(api.demo.auditor.get(f"/v1/clients/{client}"))["erasures"]
    assert told["reason"] == WHY


def test_the_replay_names_the_deed_and_leaves_a_place_for_what_is_gone(
    api: Api, erasing: Erasing
) -> None:
    client, _ = old_note(api.demo.clinician)
    erase(api, erasing, client)
    events = done(api.demo.auditor.get(f"/v1/clients/{client}/events"))["items"]
    assert [one["type"] for one in events] == [
        "client.registered.v1", "note.signed.v1", "erasure.requested.v1", "erasure.agreed.v1",
        "erasure.carried_out.v1",
    ]  # fmt: skip
    assert set(events[1]["body"]) == {"occurred_at", "stored_type"}
    assert events[4]["body"]["keys"] == 1
    assert [one["actor"] for one in events[2:]] == [
        api.demo.owner.name, api.demo.auditor.name, api.demo.auditor.name
    ]  # fmt: skip


def test_another_process_forgets_the_key_at_once(api: Api, erasing: Erasing) -> None:
    """With the key in its memory, and without a minute to wait."""
    client, note = old_note(api.demo.clinician)
    with open_parts(api.ready.app_url, api.ready.kms, pool_size=2) as far:
        practice = far.platform.practices[api.demo.practice_id]
        assert isinstance(practice.stream(UUID(note))[0].event, NoteSigned)
        erase(api, erasing, client)
        deadline = monotonic() + CACHE_SECONDS / 2
        while not isinstance(practice.stream(UUID(note))[0].event, Shredded):
            assert monotonic() < deadline


def test_erased_contact_details_are_in_no_search_and_in_no_chart(
    api: Api, erasing: Erasing
) -> None:
    demo = api.demo
    client = a_client(demo.clinician, family_name="Canaryson", email="canary@example.com")
    other = a_client(demo.clinician, family_name="Canarywell")
    assert found_by(demo, "canaryson") == [client]
    erase(api, erasing, client, CONTACT)
    assert found_by(demo, "canaryson") == []
    assert found_by(demo, "canarywell") == [other]
    shown = chart(demo, client)
    assert "canary" not in json.dumps(shown).lower()
    assert [one["category"] for one in shown["client"]["erasures"]] == ["contact"]
    assert done(demo.front_desk.get(f"/v1/clients/{client}"))["family_name"] is None
    rows = api.admin(
        "SELECT t::text FROM projection.client_search_v1 AS t WHERE client_id = %s", (client,)
    )
    grams = api.admin(
        "SELECT count(*) FROM projection.client_search_gram_v1 WHERE client_id = %s", (client,)
    )
    assert (rows, grams) == ([], [(0,)])


def test_those_merged_into_the_record_are_erased_with_it(api: Api, erasing: Erasing) -> None:
    demo = api.demo
    kept, _ = old_note(demo.clinician, plan="canary kept")
    away, _ = old_note(demo.clinician, plan="canary away")
    merge(demo.clinician, kept, away)
    with pytest.raises(ClientMerged):
        ask(api, erasing, demo.owner, away)
    erase(api, erasing, kept)
    shown = chart(demo, kept)
    assert [one["status"] for one in shown["notes"]] == ["erased", "erased"]
    assert "canary" not in json.dumps(shown)


def test_a_recent_visit_on_a_merged_record_keeps_all_of_them(api: Api, erasing: Erasing) -> None:
    demo = api.demo
    kept, _ = old_note(demo.clinician)
    away = client_with_signed_note(demo.clinician).client
    ask(api, erasing, demo.owner, kept)
    merge(demo.clinician, kept, away)
    with pytest.raises(UnderRetention) as refused:
        agree(api, erasing, demo.auditor, kept)
    today = datetime.now(UTC).date()
    assert abs(refused.value.details["last_encounter_on"] - today) <= timedelta(days=1)  # type: ignore[operator]  # a day
    assert wrapped(api, kept)["clinical"] == 1


def test_nobody_alone_and_nothing_of_somebody_unknown(api: Api, erasing: Erasing) -> None:
    client, note = old_note(api.demo.clinician)
    assert ask(api, erasing, api.demo.owner, client) == "requested"
    with pytest.raises(SecondPersonNeeded):
        ask(api, erasing, api.demo.owner, client)
    abroad, _ = old_note(api.harbor.clinician)
    for unknown in (note, abroad):
        with pytest.raises(ClientUnknown):
            ask(api, erasing, api.demo.owner, unknown)
    assert wrapped(api, client)["clinical"] == wrapped(api, abroad)["clinical"] == 1


def test_after_an_erasure_nobody_erases_alone_what_was_written_since(
    api: Api, erasing: Erasing
) -> None:
    demo = api.demo
    client, _ = old_note(demo.clinician)
    erase(api, erasing, client)
    for somebody in (demo.owner, demo.auditor):
        with pytest.raises(AlreadyErased):
            ask(api, erasing, somebody, client)
    # The chart is shown anew, which makes a key; that is nothing new to read.
    chart(demo, client)
    with pytest.raises(AlreadyErased):
        ask(api, erasing, demo.owner, client)
    client_with_draft(demo.clinician, client, plan="canary draft")
    assert ask(api, erasing, demo.owner, client) == "requested"
    with pytest.raises(ErasureAlreadyRequested):
        ask(api, erasing, demo.auditor, client)
    assert agree(api, erasing, demo.auditor, client) == "carried_out"
    with pytest.raises(AlreadyErased):
        ask(api, erasing, demo.auditor, client)


def test_what_was_withdrawn_is_agreed_to_by_nobody(api: Api, erasing: Erasing) -> None:
    demo = api.demo
    client, _ = old_note(demo.clinician)
    ask(api, erasing, demo.owner, client)
    assert ask(api, erasing, demo.auditor, client, step="withdraw") == "withdrawn"
    with pytest.raises(ErasureNotRequested):
        agree(api, erasing, demo.auditor, client)
    assert wrapped(api, client)["clinical"] == 1


def test_a_record_merged_in_after_the_request_is_asked_for_by_itself(
    api: Api, erasing: Erasing
) -> None:
    demo = api.demo
    kept, _ = old_note(demo.clinician)
    away, _ = old_note(demo.clinician)
    ask(api, erasing, demo.owner, kept)
    merge(demo.clinician, kept, away)
    assert agree(api, erasing, demo.auditor, kept) == "carried_out"
    assert "clinical" not in wrapped(api, kept)
    assert wrapped(api, away)["clinical"] == 1
    erase(api, erasing, kept)
    assert "clinical" not in wrapped(api, away)


def test_a_key_that_had_been_handed_out_is_destroyed_too(api: Api, erasing: Erasing) -> None:
    client, note = old_note(api.demo.clinician)
    practice_id = api.demo.practice_id
    used = [
        row[0] for row in api.admin("SELECT key_id FROM record.event WHERE subject = %s", (client,))
    ]
    api.parts.keys.hand_out(practice_id, [UUID(client)], used)
    done(api.demo.clinician.post(f"/v1/notes/{note}/addenda", {"text": "Under a new key."}))
    assert wrapped(api, client)["clinical"] == 2
    erase(api, erasing, client)
    assert "clinical" not in wrapped(api, client)


def test_a_practices_own_policy_decides_from_its_day_on(
    api: Api, owner: psycopg.Connection[Any], erasing: Erasing
) -> None:
    demo = api.demo
    client = client_with_signed_note(demo.clinician, occurred_at="2020-03-01T10:00:00-05:00").client

    def policy(version: int, years: int, effective_from: str) -> None:
        api.admin(
            """INSERT INTO record.retention_policy (practice_id, name, version, effective_from,
                years_after_last_encounter, age_of_majority, years_after_majority, covers)
            VALUES (%s, 'own', %s, %s, %s, 18, 3, '{clinical}')""",
            (demo.practice_id, version, effective_from, years),
        )

    with pytest.raises(UnderRetention):
        ask(api, erasing, demo.owner, client)
    policy(1, 5, "2025-01-01")
    policy(2, 0, "2999-01-01")
    assert ask(api, erasing, demo.owner, client) == "requested"
    (event,) = api.platform.practices[demo.practice_id].stream(stream_of(ClientId(UUID(client))))
    assert isinstance(event.event, ErasureRequested)
    assert event.event.retention.rule == "retention/own/1"
    policy(3, 8, "2026-01-01")
    with pytest.raises(UnderRetention) as refused:
        agree(api, erasing, demo.auditor, client)
    assert refused.value.details["policy"] == "retention/own/3"
    with pytest.raises(psycopg.errors.RestrictViolation):
        api.admin("UPDATE record.retention_policy SET years_after_last_encounter = 0")
    # The other practice goes on by the default.
    elsewhere = client_with_signed_note(
        api.harbor.clinician, occurred_at="2020-03-01T10:00:00-05:00"
    ).client
    there = Erasing(owner, api.platform.practices[api.harbor.practice_id], ())
    with pytest.raises(UnderRetention):
        there.erase(
            Wish(ClientId(UUID(elsewhere)), CLINICAL, WHY, BASIS),
            api.platform.identity.member(api.harbor.owner.token, at=datetime.now(UTC)),
            datetime.now(UTC),
        )

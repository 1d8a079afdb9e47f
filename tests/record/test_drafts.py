"""Is unsigned text kept for its author, sealed, with no save lost behind another's back?"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.client.aggregate import CLIENT
from domain.kernel.events import Context
from domain.kernel.ids import ClientId, PracticeId
from record.drafts import CLAIM_LASTS, Draft, DraftBeingSigned, NotYourDraft, StaleDraft
from record.errors import IdempotencyMismatch, StaleVersion, Unreadable
from tests.support.record import Record, context, register


@pytest.fixture
def by(practice_id: PracticeId) -> Context:
    return context(practice_id)


@pytest.fixture
def opened(record: Record, by: Context) -> Draft:
    draft, _ = record.drafts.open(by, uuid4(), ClientId(uuid4()), b"first words")
    return draft


def stored(record: Record, stream_id: UUID) -> bytes:
    ((body,),) = record.admin("SELECT body FROM record.draft WHERE stream_id = %s", [stream_id])
    return bytes(body)


def test_a_draft_is_found_as_it_was_saved(record: Record, by: Context, opened: Draft) -> None:
    assert (opened.revision, opened.base_version, opened.text) == (1, 0, b"first words")
    assert (opened.author, opened.opened_at, opened.saved_at) == (by.actor_id, by.at, by.at)
    later = by.model_copy(update={"at": context(by.practice_id).at})
    saved = record.drafts.save(later, opened, b"more words", base_version=2, revision=1)
    assert saved == replace(
        opened, text=b"more words", revision=2, base_version=2, saved_at=later.at
    )
    assert record.drafts.find(by.practice_id, opened.stream_id) == saved
    assert record.drafts.of_client(by.practice_id, opened.client_id) == [saved]


def test_opening_twice_with_one_request_finds_it(
    record: Record, by: Context, opened: Draft
) -> None:
    again, _ = record.drafts.open(by, opened.stream_id, opened.client_id, b"first words")
    assert again == opened
    other = by.model_copy(update={"digest": b"another request"})
    with pytest.raises(IdempotencyMismatch):
        record.drafts.open(other, opened.stream_id, opened.client_id, b"other words")
    assert record.drafts.find(by.practice_id, opened.stream_id) == opened


def test_a_save_from_an_older_revision_is_refused(
    record: Record, by: Context, opened: Draft
) -> None:
    drafts = record.drafts
    saved = drafts.save(by, opened, b"here", base_version=0, revision=1)
    with pytest.raises(StaleDraft) as stale:  # it was saved elsewhere since
        drafts.save(by, saved, b"there", base_version=0, revision=1)
    assert stale.value.details == {"current_revision": 2}
    with pytest.raises(StaleDraft) as stale:  # … or between our look and our save
        drafts.save(by, opened, b"there", base_version=0)
    assert stale.value.details == {"current_revision": 2}
    assert drafts.find(by.practice_id, opened.stream_id) == saved
    # The same words sent again, as after a lost answer, are no conflict.
    assert drafts.save(by, saved, b"here", base_version=0, revision=1).text == b"here"


def test_only_the_author_saves(record: Record, by: Context, opened: Draft) -> None:
    with pytest.raises(NotYourDraft):
        record.drafts.save(context(by.practice_id), opened, b"mine", base_version=0)
    assert record.drafts.find(by.practice_id, opened.stream_id) == opened


def test_a_draft_is_sealed_in_its_own_place(record: Record, by: Context, opened: Draft) -> None:
    another = context(by.practice_id)
    other, _ = record.drafts.open(another, uuid4(), opened.client_id, b"canary-draft-77")
    assert b"canary" not in stored(record, other.stream_id)
    first = stored(record, opened.stream_id)
    record.drafts.save(by, opened, b"first words", base_version=0)
    assert stored(record, opened.stream_id) != first
    # Put into the other note's place, it does not open.
    record.admin(
        """UPDATE record.draft AS here SET body = there.body FROM record.draft AS there
        WHERE here.stream_id = %s AND there.stream_id = %s""",
        [opened.stream_id, other.stream_id],
    )
    with pytest.raises(Unreadable):
        record.drafts.find(by.practice_id, opened.stream_id)


def test_another_practice_has_its_own_drafts(
    record: Record, by: Context, opened: Draft, other_id: PracticeId
) -> None:
    assert record.drafts.find(other_id, opened.stream_id) is None
    assert record.drafts.of_client(other_id, opened.client_id) == []
    theirs, _ = record.drafts.open(
        context(other_id), opened.stream_id, opened.client_id, b"their words"
    )
    assert theirs.text == b"their words"
    assert record.drafts.find(by.practice_id, opened.stream_id) == opened
    with pytest.raises(Unreadable):  # the place tells them apart
        record.drafts.save(
            by.model_copy(update={"practice_id": record.new_practice()}), opened, b"x",
            base_version=0,
        )  # fmt: skip


def test_a_draft_under_a_destroyed_key_is_gone(record: Record, by: Context, opened: Draft) -> None:
    record.admin(
        """UPDATE record.data_key SET wrapped = NULL, destroyed_at = now()
        WHERE practice_id = %s AND subject = %s""",
        [by.practice_id, opened.client_id],
    )
    record.keys.forget()
    assert record.drafts.find(by.practice_id, opened.stream_id) is None
    assert record.drafts.of_client(by.practice_id, opened.client_id) == []


def test_a_command_that_started_a_draft_serves_nothing_else(
    record: Record, by: Context, opened: Draft
) -> None:
    practice, client_id = record.practices[by.practice_id], ClientId(uuid4())
    other = by.model_copy(update={"digest": b"another request"})
    with pytest.raises(IdempotencyMismatch):
        practice.handle(CLIENT, client_id, register(client_id, other), other)
    assert practice.stream(client_id) == []


def test_what_is_being_signed_is_not_saved_over(record: Record, by: Context, opened: Draft) -> None:
    signing = context(by.practice_id)
    with record.drafts.claimed(signing, opened):
        with pytest.raises(DraftBeingSigned):
            record.drafts.save(
                context(by.practice_id, actor=by.actor_id), opened, b"x", base_version=0
            )
        with record.drafts.claimed(signing, opened):  # the same request, sent twice
            pass
        with (
            pytest.raises(DraftBeingSigned),
            record.drafts.claimed(context(by.practice_id), opened),
        ):
            pytest.fail("two signatures of one draft at once")
    # Signed without a lock, the next draft builds on the signature.
    saved = record.drafts.save(by, opened, b"second thoughts", base_version=1)
    with pytest.raises(StaleDraft), record.drafts.claimed(context(by.practice_id), opened):
        pytest.fail("an older revision was signed")
    assert saved.revision == 2


def test_a_refused_signature_gives_the_draft_back(
    record: Record, by: Context, opened: Draft
) -> None:
    with pytest.raises(StaleVersion), record.drafts.claimed(context(by.practice_id), opened):
        raise StaleVersion
    assert record.drafts.save(by, opened, b"goes on", base_version=0).text == b"goes on"


def test_a_claim_left_by_a_crash_ends_by_itself(record: Record, by: Context, opened: Draft) -> None:
    with suppress(KeyboardInterrupt), record.drafts.claimed(context(by.practice_id), opened):
        raise KeyboardInterrupt
    with pytest.raises(DraftBeingSigned):
        record.drafts.save(by, opened, b"too soon", base_version=0)
    an_hour_ahead = by.model_copy(update={"at": by.at + timedelta(hours=1)})
    with pytest.raises(DraftBeingSigned):
        record.drafts.save(an_hour_ahead, opened, b"by a wrong clock", base_version=0)
    record.admin("UPDATE record.draft SET claimed_at = claimed_at - %s", (CLAIM_LASTS,))
    assert record.drafts.save(by, opened, b"goes on", base_version=0).text == b"goes on"

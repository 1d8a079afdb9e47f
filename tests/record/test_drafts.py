"""Is unsigned text kept for its author, sealed, with no save lost behind another's back?"""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from domain.kernel.events import Context
from domain.kernel.ids import ClientId, PracticeId
from record.drafts import Draft, NotYourDraft, StaleDraft
from record.errors import IdempotencyMismatch, Unreadable
from tests.support.record import Record, context


@pytest.fixture
def by(practice_id: PracticeId) -> Context:
    return context(practice_id)


@pytest.fixture
def opened(record: Record, by: Context) -> Draft:
    return record.drafts.open(by, uuid4(), ClientId(uuid4()), b"first words")


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
    again = record.drafts.open(by, opened.stream_id, opened.client_id, b"first words")
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
    other = record.drafts.open(by, uuid4(), opened.client_id, b"canary-draft-77")
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
    theirs = record.drafts.open(
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

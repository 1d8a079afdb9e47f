"""Unsigned text: saved as it is typed, sealed, outside the log; the latest wording only."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, LiteralString
from uuid import UUID

from domain.kernel.errors import Conflict, Forbidden
from domain.kernel.events import Category, Context
from domain.kernel.ids import ActorId, ClientId, PracticeId
from record.database import Database, Row
from record.errors import IdempotencyMismatch, Unreadable
from record.keys import KeyRing


class StaleDraft(Conflict):
    """The draft was saved elsewhere meanwhile; `current_revision` says how far it is."""

    code = "stale_draft"


class NotYourDraft(Forbidden):
    """A draft belongs to the person who writes it."""

    code = "not_your_draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands. `base_version` is the stream version it builds on."""

    stream_id: UUID
    client_id: ClientId
    base_version: int
    revision: int
    text: bytes
    author: ActorId
    opened_at: datetime
    saved_at: datetime


class Drafts:
    """The drafts of all practices. The text is whatever the caller writes; here it is bytes."""

    _COLUMNS: ClassVar[LiteralString] = """SELECT stream_id, subject, base_version, revision,
        key_id, body, author, opened_at, saved_at """

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    def open(
        self,
        context: Context,
        stream_id: UUID,
        client_id: ClientId,
        text: bytes,
        *,
        base_version: int = 0,
    ) -> Draft:
        """Starts a draft; the same request again finds it. Raises `IdempotencyMismatch`."""
        key_id, body = self._seal(context.practice_id, stream_id, client_id, text)
        with self._database.practice(context.practice_id) as connection:
            connection.execute(
                """INSERT INTO record.draft (stream_id, subject, base_version, revision, key_id,
                    body, author, opened_at, saved_at, opened_digest)
                VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (practice_id, stream_id) DO NOTHING""",
                (stream_id, client_id, base_version, key_id, body, context.actor_id, context.at,
                 context.at, context.digest),
            )  # fmt: skip
            digest = connection.execute(
                "SELECT opened_digest FROM record.draft WHERE practice_id = %s AND stream_id = %s",
                (context.practice_id, stream_id),
            ).fetchone()
        if digest is None or digest[0] != context.digest:
            raise IdempotencyMismatch
        found = self.find(context.practice_id, stream_id)
        if found is None:
            raise Unreadable(str(stream_id))
        return found

    def save(
        self,
        context: Context,
        draft: Draft,
        text: bytes,
        *,
        base_version: int,
        revision: int | None = None,
    ) -> Draft:
        """Replaces the text. `revision` is the one the writer started from, if she says.

        Raises `NotYourDraft`, `StaleDraft`.
        """
        if draft.author != context.actor_id:
            raise NotYourDraft
        if revision is not None and revision != draft.revision and text != draft.text:
            raise StaleDraft(current_revision=draft.revision)
        key_id, body = self._seal(context.practice_id, draft.stream_id, draft.client_id, text)
        with self._database.practice(context.practice_id) as connection:
            saved = connection.execute(
                """UPDATE record.draft SET revision = revision + 1, key_id = %s, body = %s,
                    saved_at = %s, base_version = %s
                WHERE practice_id = %s AND stream_id = %s AND revision = %s
                RETURNING revision""",
                (key_id, body, context.at, base_version, context.practice_id, draft.stream_id,
                 draft.revision),
            ).fetchone()  # fmt: skip
        found = self.find(context.practice_id, draft.stream_id)
        if found is None:
            raise Unreadable(str(draft.stream_id))
        if saved is None:
            raise StaleDraft(current_revision=found.revision)
        return found

    def find(self, practice_id: PracticeId, stream_id: UUID) -> Draft | None:
        """The draft of one note, spent or not."""
        with self._database.practice(practice_id) as connection:
            row = connection.execute(
                self._COLUMNS + "FROM record.draft WHERE practice_id = %s AND stream_id = %s",
                (practice_id, stream_id),
            ).fetchone()
        return None if row is None else self._draft(practice_id, row)

    def of_client(self, practice_id: PracticeId, client_id: UUID) -> list[Draft]:
        """All drafts on a client's chart, spent ones too, oldest first."""
        rows = self._database.call(
            self._COLUMNS + "FROM record.drafts(%s, %s)", (practice_id, client_id)
        )
        drafts = [self._draft(practice_id, row) for row in rows]
        return [draft for draft in drafts if draft is not None]

    def _seal(
        self, practice_id: PracticeId, stream_id: UUID, client_id: ClientId, text: bytes
    ) -> tuple[UUID, bytes]:
        key = self._keys.key_in_use(practice_id, client_id, Category.CLINICAL)
        return key.key_id, key.seal(text, _about(practice_id, stream_id, client_id))

    def _draft(self, practice_id: PracticeId, row: Row) -> Draft | None:
        stream_id, client_id, base_version, revision, key_id, body, author, *times = row
        key = self._keys.key(practice_id, key_id)
        if key is None:
            return None
        text = key.open(body, _about(practice_id, stream_id, client_id))
        return Draft(stream_id, client_id, base_version, revision, text, author, *times)


def _about(practice_id: UUID, stream_id: UUID, client_id: UUID) -> bytes:
    return practice_id.bytes + b"draft" + stream_id.bytes + client_id.bytes

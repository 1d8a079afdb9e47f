"""Unsigned text: saved as it is typed, sealed, outside the log; the latest wording only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, LiteralString
from uuid import UUID

from psycopg import Connection

from domain.kernel.errors import Conflict, DomainError, Forbidden
from domain.kernel.events import Category, Context
from domain.kernel.ids import ActorId, ClientId, PracticeId
from record.database import Database, Row
from record.errors import IdempotencyMismatch, Unreadable
from record.keys import KeyRing


class StaleDraft(Conflict):
    """The draft was saved elsewhere meanwhile; `current_revision` says how far it is."""

    code = "stale_draft"


class DraftBeingSigned(Conflict):
    """The text is being signed at this moment."""

    code = "draft_being_signed"


class NotYourDraft(Forbidden):
    """A draft belongs to the person who writes it."""

    code = "not_your_draft"


CLAIM_LASTS = timedelta(seconds=60)
"""Longer than any append may take; only a process that died in the middle leaves a claim behind.

Measured by PostgreSQL's clock, which all processes share: a program whose own is wrong neither ends
another's claim nor keeps one.
"""


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
        self, context: Context, stream_id: UUID, client_id: ClientId, text: bytes
    ) -> tuple[Draft, int]:
        """Starts a draft, and says at which position; the same command again finds it.

        Raises `IdempotencyMismatch` for a command id that served another request.
        """
        key_id, body = self._seal(context.practice_id, stream_id, client_id, text)
        with self._database.practice(context.practice_id) as connection:
            answer = connection.execute(
                "SELECT stream, at_position, digest FROM record.remember(%s, %s, %s, %s)",
                (context.practice_id, context.command_id, context.digest, stream_id),
                binary=True,
            ).fetchone()
            if answer is None or answer[2] != context.digest:
                raise IdempotencyMismatch
            self._insert(connection, context, (stream_id, client_id, 0, key_id, body))
        return self._found(context.practice_id, answer[0]), answer[1]

    def reopen(
        self,
        context: Context,
        stream_id: UUID,
        client_id: ClientId,
        text: bytes,
        base_version: int,
    ) -> Draft:
        """Starts a draft upon a signed text that has none of its own. Raises `StaleDraft`."""
        key_id, body = self._seal(context.practice_id, stream_id, client_id, text)
        with self._database.practice(context.practice_id) as connection:
            row = (stream_id, client_id, base_version, key_id, body)
            is_first = self._insert(connection, context, row)
        found = self._found(context.practice_id, stream_id)
        if not is_first:
            raise StaleDraft(current_revision=found.revision)
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

        Raises `NotYourDraft`, `StaleDraft`, and `DraftBeingSigned` while a command signs it.
        """
        if draft.author != context.actor_id:
            raise NotYourDraft
        if revision is not None and revision != draft.revision and text != draft.text:
            raise StaleDraft(current_revision=draft.revision)
        key_id, body = self._seal(context.practice_id, draft.stream_id, draft.client_id, text)
        with self._database.practice(context.practice_id) as connection:
            saved = connection.execute(
                """UPDATE record.draft SET revision = revision + 1, key_id = %s, body = %s,
                    saved_at = %s, base_version = %s, claimed_by = NULL, claimed_at = NULL
                WHERE practice_id = %s AND stream_id = %s AND revision = %s
                    AND (claimed_at IS NULL OR claimed_at < clock_timestamp() - %s
                        OR base_version < %s)
                RETURNING revision""",
                (key_id, body, context.at, base_version, context.practice_id, draft.stream_id,
                 draft.revision, CLAIM_LASTS, base_version),
            ).fetchone()  # fmt: skip
        found = self._found(context.practice_id, draft.stream_id)
        if saved is None and found.revision == draft.revision:
            raise DraftBeingSigned
        if saved is None:
            raise StaleDraft(current_revision=found.revision)
        return found

    @contextmanager
    def claimed(self, context: Context, draft: Draft) -> Iterator[None]:
        """While this revision is signed, nothing is saved over it: no acknowledged word is lost.

        The claim ends with a refusal, with the stream moving on, or by itself after a crash.
        Raises `StaleDraft`, `DraftBeingSigned`.
        """
        place = (context.practice_id, draft.stream_id)
        with self._database.practice(context.practice_id) as connection:
            claim = connection.execute(
                """UPDATE record.draft SET claimed_by = %s, claimed_at = clock_timestamp()
                WHERE practice_id = %s AND stream_id = %s AND revision = %s
                    AND (claimed_at IS NULL OR claimed_at < clock_timestamp() - %s
                        OR claimed_by = %s)
                RETURNING revision""",
                (context.command_id, *place, draft.revision, CLAIM_LASTS, context.command_id),
            ).fetchone()
        if claim is None:
            found = self._found(*place)
            if found.revision == draft.revision:
                raise DraftBeingSigned
            raise StaleDraft(current_revision=found.revision)
        try:
            yield
        except DomainError:
            with self._database.practice(context.practice_id) as connection:
                connection.execute(
                    """UPDATE record.draft SET claimed_by = NULL, claimed_at = NULL
                    WHERE practice_id = %s AND stream_id = %s AND claimed_by = %s""",
                    (*place, context.command_id),
                )
            raise

    def _insert(
        self,
        connection: Connection[Row],
        context: Context,
        row: tuple[UUID, ClientId, int, UUID, bytes],
    ) -> bool:
        made = connection.execute(
            """INSERT INTO record.draft (stream_id, subject, base_version, revision, key_id, body,
                author, opened_at, saved_at)
            VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s)
            ON CONFLICT (practice_id, stream_id) DO NOTHING""",
            (*row, context.actor_id, context.at, context.at),
        )
        return made.rowcount == 1

    def _found(self, practice_id: PracticeId, stream_id: UUID) -> Draft:
        found = self.find(practice_id, stream_id)
        if found is None:
            raise Unreadable(str(stream_id))
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

"""Which key seals what: one data key per client and category, wrapped by the practice's key."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.errors import ForeignKeyViolation

from domain.kernel.events import Category
from gateways.kms import Kms
from record.database import Database
from record.errors import Unreadable
from record.hints import Hints
from record.memory import Memory
from record.wrapping import NONCE_BYTES, Place, about_key, unwrap, wrap

CACHED_KEYS = 10_000
CACHED_PRACTICES = 1_000
TRIES = 5
"""Of making keys, while the practice's key is being rotated."""
FORMAT = b"\x01"
"""First byte of a sealed body: AES-256-GCM, 96-bit random nonce, 128-bit tag."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """An unwrapped key, ready to use."""

    key_id: UUID
    aead: AESGCM

    def seal(self, text: bytes, about: bytes) -> bytes:
        """Encrypts; `about` binds the ciphertext to its place. At most 2^32 times per key."""
        nonce = os.urandom(NONCE_BYTES)
        return FORMAT + nonce + self.aead.encrypt(nonce, text, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Decrypts. Raises `Unreadable`."""
        if sealed[:1] != FORMAT:
            raise Unreadable(str(self.key_id))
        try:
            return self.aead.decrypt(sealed[1:13], sealed[13:], about)
        except (InvalidTag, ValueError) as error:
            raise Unreadable(str(self.key_id)) from error


class _Known:
    """What a process remembers. Whoever reads puts what it finds where it stood when it began.

    So nothing that was read before a key was destroyed is remembered after that was heard of.
    """

    def __init__(self) -> None:
        self.keys: Memory[tuple[UUID, UUID], DataKey] = Memory(CACHED_KEYS)
        self.in_use: Memory[Place, DataKey] = Memory(CACHED_KEYS)
        self.destroyed: Memory[tuple[UUID, UUID], bool] = Memory(CACHED_KEYS)
        self.practice_keys: Memory[tuple[UUID, int], AESGCM] = Memory(CACHED_PRACTICES)
        self.generations: Memory[UUID, int] = Memory(CACHED_PRACTICES)

    def remember(self, place: Place, key: DataKey, *, is_in_use: bool = True) -> DataKey:
        """Keeps a key, and where it belongs unless it seals nothing more."""
        self.keys.put((place[0], key.key_id), key)
        if is_in_use:
            self.in_use.put(place, key)
        return key


class KeyRing:
    """The data keys of all practices, a bounded number of them in memory for a minute."""

    def __init__(self, database: Database, kms: Kms) -> None:
        self._database = database
        self._kms = kms
        self._known = _Known()

    def key_in_use(self, practice_id: UUID, subject: UUID | None, category: Category) -> DataKey:
        """Returns the key for new text about a subject, made now if there is none."""
        place = _place(practice_id, subject, category)
        known = self._known.in_use.get(place)
        return self._find_or_make([place])[place] if known is None else known

    def prepare(self, practice_id: UUID, wanted: Iterable[tuple[UUID | None, Category]]) -> None:
        """Finds or makes the keys of many subjects in a few statements, not in a few for each."""
        places = sorted({_place(practice_id, subject, category) for subject, category in wanted})
        missing = [place for place in places if self._known.in_use.get(place) is None]
        if missing:
            self._find_or_make(missing)

    def key(self, practice_id: UUID, key_id: UUID) -> DataKey | None:
        """Returns the key that sealed something; none if it was destroyed. Raises `Unreadable`."""
        known = self._known.keys.get((practice_id, key_id))
        if known is not None or self._known.destroyed.get((practice_id, key_id)):
            return known
        found = self._load(practice_id, [key_id])
        if key_id not in found:
            # Not this practice's key: the body was moved here.
            raise Unreadable(str(key_id))
        return found[key_id]

    def warm(self, practice_id: UUID, key_ids: Iterable[UUID | None]) -> None:
        """Reads the keys of a whole batch in one statement; those that are nowhere stay unknown."""
        missing = [
            key_id
            for key_id in set(key_ids)
            if key_id is not None
            and self._known.keys.get((practice_id, key_id)) is None
            and not self._known.destroyed.get((practice_id, key_id))
        ]
        if missing:
            self._load(practice_id, missing)

    def hand_out(
        self, practice_id: UUID, subjects: Sequence[UUID], key_ids: Collection[UUID]
    ) -> dict[UUID, bytes]:
        """The plain keys, of those named, that are some clients' own and still exist.

        What leaves seals nothing more: in the same commit they are retired, and other processes
        told. The practice's own keys are nobody's to hand out.
        """
        own = [one for one in subjects if one != practice_id]
        with self._database.practice(practice_id) as connection:
            connection.execute(
                """UPDATE record.data_key SET retired_at = now()
                WHERE practice_id = %s AND subject = ANY (%s) AND key_id = ANY (%s)
                    AND destroyed_at IS NULL AND retired_at IS NULL""",
                (practice_id, own, list(key_ids)),
            )
            rows = connection.execute(
                _WRAPPED + "AND k.subject = ANY (%s) AND k.wrapped IS NOT NULL ORDER BY k.key_id",
                (practice_id, list(key_ids), own),
                binary=True,
            ).fetchall()
            connection.execute(f"NOTIFY {Hints.KEYS_CHANNEL}")
        self.forget()
        known = self._known
        return {
            key_id: self._plain(known, (practice_id, subject, category), key_id, wrapping)
            for key_id, subject, category, _, *wrapping in rows
        }

    def forget(self) -> None:
        """Empties the memory, so that the next use reads the keys again."""
        self._known = _Known()

    def _load(self, practice_id: UUID, key_ids: list[UUID]) -> dict[UUID, DataKey | None]:
        known = self._known
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(_WRAPPED, (practice_id, key_ids), binary=True).fetchall()
        found: dict[UUID, DataKey | None] = {}
        for key_id, subject, category, is_in_use, *wrapping in rows:
            if wrapping[0] is None:
                found[key_id] = None
                known.destroyed.put((practice_id, key_id), value=True)
            else:
                place = (practice_id, subject, category)
                key = self._unwrap(known, place, key_id, wrapping)
                found[key_id] = known.remember(place, key, is_in_use=is_in_use)
        return found

    def _find_or_make(self, places: list[Place]) -> dict[Place, DataKey]:
        found = self._find(places)
        missing = [place for place in places if place not in found]
        if missing:
            found |= self._make(missing)
        # Another process may have made one first; there is one key in use, and it is that one.
        missing = [place for place in places if place not in found]
        if missing:
            found |= self._find(missing)
        if len(found) < len(places):
            raise Unreadable(str(places[0][0]))
        return found

    def _find(self, places: list[Place]) -> dict[Place, DataKey]:
        practice_id, known = places[0][0], self._known
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(
                _IN_USE,
                (*_columns(places), practice_id),
                binary=True,
            ).fetchall()
        return {
            place: known.remember(place, self._unwrap(known, place, key_id, wrapping))
            for subject, category, key_id, *wrapping in rows
            for place in ((practice_id, subject, category),)
        }

    def _make(self, places: list[Place]) -> dict[Place, DataKey]:
        """New keys for places that have none, in the order given: who makes the same waits."""
        practice_id, known = places[0][0], self._known
        plain = {uuid4(): (place, AESGCM.generate_key(256)) for place in places}
        for attempt in range(TRIES):
            generation, practice_key = self._newest(known, practice_id, anew=attempt > 0)
            wrapped = [
                wrap(practice_key, key, about_key(place, key_id))
                for key_id, (place, key) in plain.items()
            ]
            try:
                with self._database.practice(practice_id) as connection:
                    rows = connection.execute(
                        _INSERT, (generation, list(plain), *_columns(places), wrapped), binary=True
                    ).fetchall()
            except ForeignKeyViolation:
                continue  # that generation is gone since: the practice's key was rotated
            return {
                place: known.remember(place, DataKey(key_id, AESGCM(key)))
                for (key_id,) in rows
                for place, key in (plain[key_id],)
            }
        raise Unreadable(str(practice_id))

    def _unwrap(
        self, known: _Known, place: Place, key_id: UUID, wrapping: Sequence[Any]
    ) -> DataKey:
        return DataKey(key_id, AESGCM(self._plain(known, place, key_id, wrapping)))

    def _plain(self, known: _Known, place: Place, key_id: UUID, wrapping: Sequence[Any]) -> bytes:
        """Of a wrapped key, its generation, and that generation as the root key wraps it."""
        wrapped, generation, practice_wrapped = wrapping
        practice_key = self._practice_key(known, place[0], generation, practice_wrapped)
        return unwrap(practice_key, wrapped, about_key(place, key_id))

    def _newest(self, known: _Known, practice_id: UUID, *, anew: bool) -> tuple[int, AESGCM]:
        """The generation that wraps new keys. Raises `Unreadable` where there is no practice."""
        generation = None if anew else known.generations.get(practice_id)
        if generation is not None:
            practice_key = known.practice_keys.get((practice_id, generation))
            if practice_key is not None:
                return generation, practice_key
        with self._database.practice(practice_id) as connection:
            row = connection.execute(
                """SELECT generation, wrapped FROM record.practice_key WHERE practice_id = %s
                ORDER BY generation DESC LIMIT 1""",
                (practice_id,),
                binary=True,
            ).fetchone()
        if row is None:
            raise Unreadable(str(practice_id))
        known.generations.put(practice_id, row[0])
        return row[0], self._practice_key(known, practice_id, *row)

    def _practice_key(
        self, known: _Known, practice_id: UUID, generation: int, wrapped: bytes
    ) -> AESGCM:
        found = known.practice_keys.get((practice_id, generation))
        if found is None:
            found = AESGCM(self._kms.unwrap(wrapped, practice_id.bytes))
            known.practice_keys.put((practice_id, generation), found)
        return found


# With the practice's key of their generation: of one moment, so that rotating it fails no read.
_WRAPPED: LiteralString = """SELECT k.key_id, k.subject, k.category, k.retired_at IS NULL,
        k.wrapped, k.generation, p.wrapped
    FROM record.data_key AS k
    LEFT JOIN record.practice_key AS p
        ON p.practice_id = k.practice_id AND p.generation = k.generation
    WHERE k.practice_id = %s AND k.key_id = ANY (%s) """
# The limit, of the one there is, keeps each look-up to the index: before a new table's statistics
# are there, the planner would rather compare every key with every place.
_IN_USE: LiteralString = """SELECT k.subject, k.category, k.key_id,
        k.wrapped, k.generation, p.wrapped
    FROM unnest(%s::uuid[], %s::text[]) AS w(subject, category)
    CROSS JOIN LATERAL (
        SELECT d.* FROM record.data_key AS d
        WHERE d.practice_id = %s AND d.subject = w.subject AND d.category = w.category
            AND d.destroyed_at IS NULL AND d.retired_at IS NULL
        LIMIT 1
    ) AS k
    JOIN record.practice_key AS p
        ON p.practice_id = k.practice_id AND p.generation = k.generation"""
_INSERT: LiteralString = """INSERT INTO record.data_key
        (generation, key_id, subject, category, wrapped)
    SELECT %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bytea[])
    ON CONFLICT (practice_id, subject, category)
    WHERE destroyed_at IS NULL AND retired_at IS NULL DO NOTHING RETURNING key_id"""


def _place(practice_id: UUID, subject: UUID | None, category: Category) -> Place:
    return practice_id, practice_id if subject is None else subject, category.value


def _columns(places: list[Place]) -> tuple[list[UUID], list[str]]:
    return [place[1] for place in places], [place[2] for place in places]

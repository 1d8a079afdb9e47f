"""Which key seals what: one data key per client and category, wrapped by the practice's key."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.kernel.events import Category
from gateways.kms import Kms, WrongRootKey
from record.database import Database
from record.errors import Unreadable

K = TypeVar("K")
V = TypeVar("V")

NONCE_BYTES = 12
CACHED_KEYS = 10_000
CACHE_SECONDS = 60
"""A shredded key is forgotten within this time."""
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


class _Memory(Generic[K, V]):
    """A bounded number of values, each for a minute. Reading takes no lock: every event does it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._held: dict[K, tuple[float, V]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        held = self._held.get(key)
        return None if held is None or held[0] <= monotonic() else held[1]

    def put(self, key: K, value: V) -> None:
        """Keeps a value; the oldest ones, which stand first, make room."""
        now = monotonic()
        with self._lock:
            self._held.pop(key, None)
            while self._held:
                oldest = next(iter(self._held))
                if len(self._held) < self._limit and self._held[oldest][0] > now:
                    break
                del self._held[oldest]
            self._held[key] = (now + CACHE_SECONDS, value)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()


class KeyRing:
    """The data keys of all practices, a bounded number of them in memory for a minute."""

    def __init__(self, database: Database, kms: Kms) -> None:
        self._database = database
        self._kms = kms
        self._keys: _Memory[tuple[UUID, UUID], DataKey] = _Memory(CACHED_KEYS)
        self._in_use: _Memory[tuple[UUID, UUID, str], DataKey] = _Memory(CACHED_KEYS)
        self._practice_keys: _Memory[UUID, AESGCM] = _Memory(1_000)
        self._destroyed: _Memory[tuple[UUID, UUID], bool] = _Memory(CACHED_KEYS)

    def key_in_use(self, practice_id: UUID, subject: UUID | None, category: Category) -> DataKey:
        """Returns the key for new text about a subject, made now if there is none."""
        owner = practice_id if subject is None else subject
        place = (practice_id, owner, category.value)
        known = self._in_use.get(place)
        if known is None:
            known = self._find(place) or self._make(place)
            self._remember(practice_id, known, place)
        return known

    def key(self, practice_id: UUID, key_id: UUID) -> DataKey | None:
        """Returns the key that sealed something; none if it was destroyed. Raises `Unreadable`."""
        known = self._keys.get((practice_id, key_id))
        if known is not None or self._destroyed.get((practice_id, key_id)):
            return known
        with self._database.practice(practice_id) as connection:
            row = connection.execute(
                """SELECT subject, category, wrapped FROM record.data_key
                WHERE practice_id = %s AND key_id = %s""",
                (practice_id, key_id),
            ).fetchone()
        if row is None:
            # Not this practice's key: the body was moved here.
            raise Unreadable(str(key_id))
        if row[2] is None:
            self._destroyed.put((practice_id, key_id), value=True)
            return None
        unwrapped = self._unwrap((practice_id, row[0], row[1]), key_id, row[2])
        self._remember(practice_id, unwrapped)
        return unwrapped

    def hand_out(
        self, practice_id: UUID, subjects: Sequence[UUID], key_ids: Collection[UUID]
    ) -> dict[UUID, bytes]:
        """The plain keys, of those named, that are some clients' own and still exist.

        What leaves seals nothing more: in the same commit they are retired. Other processes notice
        within `CACHE_SECONDS`. The practice's own keys are nobody's to hand out.
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
                """SELECT key_id, subject, category, wrapped FROM record.data_key
                WHERE practice_id = %s AND subject = ANY (%s) AND key_id = ANY (%s)
                    AND destroyed_at IS NULL ORDER BY key_id""",
                (practice_id, own, list(key_ids)),
            ).fetchall()
        self._in_use.clear()
        return {row[0]: self._plain((practice_id, row[1], row[2]), row[0], row[3]) for row in rows}

    def forget(self) -> None:
        """Empties the memory, so that the next use reads the keys again."""
        for memory in (self._keys, self._in_use, self._practice_keys):
            memory.clear()

    def _remember(
        self, practice_id: UUID, key: DataKey, place: tuple[UUID, UUID, str] | None = None
    ) -> None:
        self._keys.put((practice_id, key.key_id), key)
        if place is not None:
            self._in_use.put(place, key)

    def _find(self, place: tuple[UUID, UUID, str]) -> DataKey | None:
        with self._database.practice(place[0]) as connection:
            row = connection.execute(
                """SELECT key_id, wrapped FROM record.data_key
                WHERE practice_id = %s AND subject = %s AND category = %s
                    AND destroyed_at IS NULL AND retired_at IS NULL""",
                place,
            ).fetchone()
        return None if row is None else self._unwrap(place, row[0], row[1])

    def _make(self, place: tuple[UUID, UUID, str]) -> DataKey:
        practice_id, owner, category = place
        key_id, plain = uuid4(), AESGCM.generate_key(256)
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + self._practice_key(practice_id).encrypt(
            nonce, plain, _about(place, key_id)
        )
        with self._database.practice(practice_id) as connection:
            made = connection.execute(
                """INSERT INTO record.data_key (key_id, subject, category, wrapped)
                VALUES (%s, %s, %s, %s)
                ON CONFLICT (practice_id, subject, category)
                WHERE destroyed_at IS NULL AND retired_at IS NULL DO NOTHING""",
                (key_id, owner, category, wrapped),
            ).rowcount
        if made:
            return DataKey(key_id, AESGCM(plain))
        # Another process made it first; there is one key in use, and it is that one.
        found = self._find(place)
        if found is None:
            raise Unreadable(str(key_id))
        return found

    def _unwrap(self, place: tuple[UUID, UUID, str], key_id: UUID, wrapped: bytes) -> DataKey:
        return DataKey(key_id, AESGCM(self._plain(place, key_id, wrapped)))

    def _plain(self, place: tuple[UUID, UUID, str], key_id: UUID, wrapped: bytes) -> bytes:
        practice_key = self._practice_key(place[0])
        try:
            return practice_key.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _about(place, key_id)
            )
        except InvalidTag as error:
            raise WrongRootKey from error

    def _practice_key(self, practice_id: UUID) -> AESGCM:
        known = self._practice_keys.get(practice_id)
        if known is None:
            with self._database.practice(practice_id) as connection:
                row = connection.execute(
                    "SELECT wrapped_key FROM record.practice WHERE practice_id = %s",
                    (practice_id,),
                ).fetchone()
            if row is None:
                raise Unreadable(str(practice_id))
            known = AESGCM(self._kms.unwrap(row[0], practice_id.bytes))
            self._practice_keys.put(practice_id, known)
        return known


def _about(place: tuple[UUID, UUID, str], key_id: UUID) -> bytes:
    practice_id, owner, category = place
    return practice_id.bytes + owner.bytes + key_id.bytes + category.encode()

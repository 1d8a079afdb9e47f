"""Which key seals what: one data key per client and category, wrapped by the practice's key."""

import os
from collections.abc import Collection, Iterable, Sequence
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
Place = tuple[UUID, UUID, str]
"""Practice, subject and category: at each there is one key in use."""

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
        self._in_use: _Memory[Place, DataKey] = _Memory(CACHED_KEYS)
        self._practice_keys: _Memory[UUID, AESGCM] = _Memory(1_000)
        self._destroyed: _Memory[tuple[UUID, UUID], bool] = _Memory(CACHED_KEYS)

    def key_in_use(self, practice_id: UUID, subject: UUID | None, category: Category) -> DataKey:
        """Returns the key for new text about a subject, made now if there is none."""
        place = _place(practice_id, subject, category)
        known = self._in_use.get(place)
        return self._find_or_make([place])[place] if known is None else known

    def prepare(self, practice_id: UUID, wanted: Iterable[tuple[UUID | None, Category]]) -> None:
        """Finds or makes the keys of many subjects in a few statements, not in a few for each."""
        places = sorted({_place(practice_id, subject, category) for subject, category in wanted})
        missing = [place for place in places if self._in_use.get(place) is None]
        if missing:
            self._find_or_make(missing)

    def key(self, practice_id: UUID, key_id: UUID) -> DataKey | None:
        """Returns the key that sealed something; none if it was destroyed. Raises `Unreadable`."""
        known = self._keys.get((practice_id, key_id))
        if known is not None or self._destroyed.get((practice_id, key_id)):
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
            and self._keys.get((practice_id, key_id)) is None
            and not self._destroyed.get((practice_id, key_id))
        ]
        if missing:
            self._load(practice_id, missing)

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

    def _load(self, practice_id: UUID, key_ids: list[UUID]) -> dict[UUID, DataKey | None]:
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(
                """SELECT key_id, subject, category, wrapped, retired_at IS NULL
                FROM record.data_key WHERE practice_id = %s AND key_id = ANY (%s)""",
                (practice_id, key_ids),
                binary=True,
            ).fetchall()
        found: dict[UUID, DataKey | None] = {}
        for key_id, subject, category, wrapped, is_in_use in rows:
            if wrapped is None:
                found[key_id] = None
                self._destroyed.put((practice_id, key_id), value=True)
            else:
                place = (practice_id, subject, category)
                found[key_id] = self._unwrap(place, key_id, wrapped, is_in_use=is_in_use)
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
        practice_id = places[0][0]
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(
                """SELECT k.subject, k.category, k.key_id, k.wrapped
                FROM unnest(%s::uuid[], %s::text[]) AS w(subject, category)
                JOIN record.data_key AS k ON k.practice_id = %s AND k.subject = w.subject
                    AND k.category = w.category AND k.destroyed_at IS NULL
                    AND k.retired_at IS NULL""",
                (*_columns(places), practice_id),
                binary=True,
            ).fetchall()
        return {
            place: self._unwrap(place, key_id, wrapped)
            for subject, category, key_id, wrapped in rows
            for place in ((practice_id, subject, category),)
        }

    def _make(self, places: list[Place]) -> dict[Place, DataKey]:
        """New keys for places that have none, in the order given: who makes the same waits."""
        practice_id = places[0][0]
        practice_key = self._practice_key(practice_id)
        made: dict[UUID, tuple[Place, bytes]] = {}
        wrapped: list[bytes] = []
        for place in places:
            key_id, plain, nonce = uuid4(), AESGCM.generate_key(256), os.urandom(NONCE_BYTES)
            made[key_id] = place, plain
            wrapped.append(nonce + practice_key.encrypt(nonce, plain, _about(place, key_id)))
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(
                """INSERT INTO record.data_key (key_id, subject, category, wrapped)
                SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bytea[])
                ON CONFLICT (practice_id, subject, category)
                WHERE destroyed_at IS NULL AND retired_at IS NULL DO NOTHING RETURNING key_id""",
                (list(made), *_columns(places), wrapped),
                binary=True,
            ).fetchall()
        return {
            place: self._remember(place, DataKey(key_id, AESGCM(plain)))
            for (key_id,) in rows
            for place, plain in (made[key_id],)
        }

    def _unwrap(
        self, place: Place, key_id: UUID, wrapped: bytes, *, is_in_use: bool = True
    ) -> DataKey:
        key = DataKey(key_id, AESGCM(self._plain(place, key_id, wrapped)))
        return self._remember(place, key, is_in_use=is_in_use)

    def _remember(self, place: Place, key: DataKey, *, is_in_use: bool = True) -> DataKey:
        """Keeps a key, and where it belongs unless it seals nothing more."""
        self._keys.put((place[0], key.key_id), key)
        if is_in_use:
            self._in_use.put(place, key)
        return key

    def _plain(self, place: Place, key_id: UUID, wrapped: bytes) -> bytes:
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


def _place(practice_id: UUID, subject: UUID | None, category: Category) -> Place:
    return practice_id, practice_id if subject is None else subject, category.value


def _columns(places: list[Place]) -> tuple[list[UUID], list[str]]:
    return [place[1] for place in places], [place[2] for place in places]


def _about(place: Place, key_id: UUID) -> bytes:
    practice_id, owner, category = place
    return practice_id.bytes + owner.bytes + key_id.bytes + category.encode()

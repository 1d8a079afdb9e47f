"""How is a practice's key exchanged for a new one, while everybody reads and writes?

Data keys are unwrapped and wrapped anew, a batch at a time; no text sealed under them is touched.
A reader gets a data key and the generation it is under in one statement, so either will do. A
writer that makes a data key under the old generation holds that generation's row until it has
committed; the old generation can only be deleted when no key refers to it, which the foreign key
between them sees to. Stopped anywhere, it goes on where it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.errors import ForeignKeyViolation

from gateways.kms import Kms
from record.rewriting import rewrite
from record.wrapping import about_key, unwrap, wrap

Owner = psycopg.Connection[tuple[Any, ...]]
BATCH: Final = 500
"""Data keys per transaction; whoever retires one of them waits for as long as that takes."""
Watch = Callable[[int, int], None]


class RotationRefused(Exception):
    """Nothing was changed. The message is for people."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run did: the generation in use now, and how many data keys it wrapped anew."""

    generation: int
    root_key_id: str
    data_keys: int


class Rotation:
    """One practice's key. Needs a connection of the migrating role, in autocommit mode."""

    def __init__(
        self,
        owner: Owner,
        kms: Kms,
        practice_id: UUID,
        watch: Watch = lambda _done, _total: None,
    ) -> None:
        self._owner = owner
        self._kms = kms
        self._practice_id = practice_id
        self._watch = watch

    def run(self, *, recorded: int) -> Rotated:
        """Ends the rotation under way, or makes one.

        `recorded` is the generation that the record says is in use; a newer one that is there
        already is a rotation that was cut short. Raises `RotationRefused`, `KmsUnavailable`, and
        `TableInUse` where only the old key's bytes are left to be written over.
        """
        with self._alone():
            generations = self._generations()
            newest = max(generations)
            if len(generations) == 1 and newest == recorded:
                newest = self._begin(newest + 1)
            return self._end(newest)

    def _begin(self, generation: int) -> int:
        wrapped = self._kms.wrap(AESGCM.generate_key(256), self._practice_id.bytes)
        with self._of_practice():
            self._owner.execute(
                """INSERT INTO record.practice_key (generation, wrapped, root_key_id)
                VALUES (%s, %s, %s)""",
                (generation, wrapped, self._kms.key_id),
            )
        return generation

    def _end(self, newest: int) -> Rotated:
        keys = {
            generation: AESGCM(self._kms.unwrap(wrapped, self._practice_id.bytes))
            for generation, wrapped in self._generations().items()
        }
        total, done = self._count(newest), 0
        while True:
            self._watch(done, max(total, done))
            wrapped_anew = self._rewrap(newest, keys)
            done += wrapped_anew
            if not wrapped_anew and self._destroy_earlier(newest):
                break
        # Earlier releases kept the key in the practice's own row.
        rewrite(self._owner, "record.practice_key", "record.practice")
        return Rotated(newest, self._kms.key_id, done)

    def _rewrap(self, newest: int, keys: dict[int, AESGCM]) -> int:
        """The next batch of data keys under an earlier generation; how many there were."""
        with self._of_practice():
            rows = self._owner.execute(
                """SELECT key_id, subject, category, wrapped, generation FROM record.data_key
                WHERE practice_id = %s AND generation < %s
                ORDER BY generation, key_id LIMIT %s FOR NO KEY UPDATE""",
                (self._practice_id, newest, BATCH),
                binary=True,
            ).fetchall()
            wrapped: list[bytes | None] = []
            for key_id, subject, category, under_old, generation in rows:
                about = about_key((self._practice_id, subject, category), key_id)
                plain = under_old and unwrap(keys[generation], under_old, about)
                wrapped.append(plain and wrap(keys[newest], plain, about))
            self._owner.execute(
                """UPDATE record.data_key AS k SET wrapped = n.wrapped,
                    generation = CASE WHEN n.wrapped IS NOT NULL THEN %s::integer END
                FROM unnest(%s::uuid[], %s::bytea[]) AS n(key_id, wrapped)
                WHERE k.practice_id = %s AND k.key_id = n.key_id""",
                (newest, [row[0] for row in rows], wrapped, self._practice_id),
            )
        return len(rows)

    def _destroy_earlier(self, newest: int) -> bool:
        """False if somebody has made a data key under one of them meanwhile."""
        try:
            with self._of_practice():
                self._owner.execute(
                    "DELETE FROM record.practice_key WHERE practice_id = %s AND generation < %s",
                    (self._practice_id, newest),
                )
        except ForeignKeyViolation:
            return False
        return True

    def _generations(self) -> dict[int, bytes]:
        with self._of_practice():
            rows = self._owner.execute(
                "SELECT generation, wrapped FROM record.practice_key WHERE practice_id = %s",
                (self._practice_id,),
                binary=True,
            ).fetchall()
        return {row[0]: row[1] for row in rows}

    def _count(self, newest: int) -> int:
        with self._of_practice():
            row = self._owner.execute(
                "SELECT count(*) FROM record.data_key WHERE practice_id = %s AND generation < %s",
                (self._practice_id, newest),
            ).fetchone()
        return 0 if row is None else cast("int", row[0])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        name = f"palimpsest rotate {self._practice_id}"
        lock = self._owner.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)
        ).fetchone()
        if lock is None or not lock[0]:
            raise RotationRefused("this practice's key is being rotated already")
        try:
            self._owner.execute("SET ROLE palimpsest_owner")
            yield
        finally:
            if not self._owner.closed:
                self._owner.execute("RESET ROLE")
                self._owner.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (name,))

    @contextmanager
    def _of_practice(self) -> Iterator[None]:
        with self._owner.transaction():
            self._owner.execute(
                "SELECT set_config('palimpsest.practice', %s, true)", (str(self._practice_id),)
            )
            yield

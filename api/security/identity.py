"""Who signs in: members, their sessions and tokens, kept in PostgreSQL by the hash of a secret."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from cachetools import TTLCache
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from domain.kernel.errors import DomainError
from domain.kernel.ids import ActorId, PracticeId
from domain.kernel.permissions import Permission
from record.database import Database, Row

# OWASP ASVS 5.0, 11.4.2: argon2id with at least 19 MiB and two passes.
_PASSWORDS = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
_NOBODY = _PASSWORDS.hash(secrets.token_urlsafe())

SEEN_EVERY = timedelta(seconds=60)
"""How precisely a session's last use is kept at most; each request would be a write otherwise."""
SESSION_LASTS = timedelta(hours=12)

Kind = Literal["session", "token"]


class NotSignedIn(DomainError):
    """No session, or one that was ended."""

    code = "not_signed_in"


class SessionExpired(DomainError):
    """The session lay idle, or has reached its end."""

    code = "session_expired"


@dataclass(frozen=True, slots=True)
class Member:
    """The person asking, with what she may do right now."""

    practice_id: PracticeId
    member_id: ActorId
    name: str
    email: str
    role: str
    role_title: str
    permissions: frozenset[str]
    practice_name: str
    zone: ZoneInfo
    secret: str

    def may(self, permission: Permission) -> bool:
        """True when her role holds the permission."""
        return permission.value in self.permissions

    @property
    def csrf(self) -> str:
        """What a form of this session must send along; follows from the session's secret."""
        return hmac.new(self.secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def hash_password(password: str) -> str:
    """Returns the argon2id hash to store."""
    return _PASSWORDS.hash(password)


class Identity:
    """Signs people in and out and tells who is asking."""

    def __init__(self, database: Database, *, idle: timedelta) -> None:
        self._database = database
        self._idle = idle
        self._seen_every = min(SEEN_EVERY, idle / 4)
        self._lock = Lock()
        self._names: TTLCache[PracticeId, dict[UUID, str]] = TTLCache(1_000, 60)

    @property
    def idle(self) -> timedelta:
        """How long a session may lie unused before it ends."""
        return self._idle

    def who_has(self, email: str, password: str) -> list[tuple[PracticeId, ActorId]]:
        """The members with this address and password, usually one; takes the same time for none."""
        candidates = self._candidates(email)
        if not candidates:
            _PASSWORDS.verify(password, _NOBODY)
        return [
            (PracticeId(practice_id), ActorId(member_id))
            for practice_id, member_id, stored in candidates
            if _PASSWORDS.verify(password, stored)
        ]

    def known_as(self, email: str) -> list[tuple[PracticeId, ActorId, str]]:
        """The members with this address, each with her role, whatever the password."""
        found = []
        for practice_id, member_id, _ in self._candidates(email):
            with self._database.practice(practice_id) as connection:
                row = connection.execute(
                    "SELECT role FROM identity.member WHERE practice_id = %s AND member_id = %s",
                    (practice_id, member_id),
                ).fetchone()
            if row is not None:
                found.append((PracticeId(practice_id), ActorId(member_id), str(row[0])))
        return found

    def begin(
        self,
        practice_id: PracticeId,
        member_id: ActorId,
        kind: Kind,
        *,
        at: datetime,
        lasts: timedelta = SESSION_LASTS,
    ) -> str:
        """Starts a session or token and returns its secret, which is not kept."""
        secret = secrets.token_bytes(32)
        with self._database.practice(practice_id) as connection:
            connection.execute(
                """INSERT INTO identity.session
                    (secret_hash, member_id, kind, created_at, last_seen_at, expires_at)
                VALUES (%s, %s, %s, %s, %s, %s)""",
                (hashlib.sha256(secret).digest(), member_id, kind, at, at, at + lasts),
            )
        return f"pal_{practice_id.hex}_{urlsafe_b64encode(secret).decode().rstrip('=')}"

    def end(self, secret: str, *, at: datetime) -> None:
        """Ends a session; an unknown one is ended already."""
        parsed = _parse(secret)
        if parsed is None:
            return
        with self._database.practice(parsed[0]) as connection:
            connection.execute(
                """UPDATE identity.session SET ended_at = %s
                WHERE practice_id = %s AND secret_hash = %s AND ended_at IS NULL""",
                (at, *parsed),
            )

    def member(self, secret: str | None, *, at: datetime) -> Member:
        """Who holds this secret, read from the database each time.

        Raises `NotSignedIn`, `SessionExpired`.
        """
        parsed = _parse(secret) if secret else None
        if parsed is None or secret is None:
            raise NotSignedIn
        rows = self._database.call("SELECT * FROM identity.whose(%s, %s)", parsed)
        if not rows or not rows[0][11]:
            raise NotSignedIn
        row = rows[0]
        kind, last_seen_at, expires_at = row[8:11]
        # Last seen in the future: it was begun or used while our clock was wrong.
        is_idle = kind == "session" and abs(at - last_seen_at) > self._idle
        if is_idle or at >= expires_at:
            raise SessionExpired
        if at - last_seen_at > self._seen_every:
            self._seen(parsed, at)
        self._heard(parsed[0], row[0], row[1])
        return Member(
            practice_id=parsed[0],
            member_id=ActorId(row[0]),
            name=row[1],
            email=row[2],
            role=row[3],
            role_title=row[4],
            permissions=frozenset(row[5]),
            practice_name=row[6],
            zone=ZoneInfo(row[7]),
            secret=secret,
        )

    def names(self, practice_id: PracticeId) -> dict[UUID, str]:
        """What its members are called; a change made elsewhere shows within a minute."""
        with self._lock:
            known = self._names.get(practice_id)
        if known is None:
            with self._database.practice(practice_id) as connection:
                rows = connection.execute(
                    "SELECT member_id, name FROM identity.member WHERE practice_id = %s",
                    (practice_id,),
                ).fetchall()
            known = {row[0]: row[1] for row in rows}
            with self._lock:
                self._names[practice_id] = known
        return known

    def _heard(self, practice_id: PracticeId, member_id: UUID, name: str) -> None:
        """Whoever asks is called by her name, though she or it came after the names were read."""
        with self._lock:
            known = self._names.get(practice_id)
            if known is not None and known.get(member_id) != name:
                del self._names[practice_id]

    def _candidates(self, email: str) -> list[Row]:
        return self._database.call(
            "SELECT practice_id, member_id, password_hash FROM identity.find_logins(%s)",
            (email.strip(),),
        )

    def _seen(self, parsed: tuple[PracticeId, bytes], at: datetime) -> None:
        with self._database.practice(parsed[0]) as connection:
            connection.execute(
                """UPDATE identity.session SET last_seen_at = greatest(last_seen_at, %s)
                WHERE practice_id = %s AND secret_hash = %s""",
                (at, *parsed),
            )


def _parse(secret: str) -> tuple[PracticeId, bytes] | None:
    """The practice and the hash that a presented secret names."""
    prefix, _, rest = secret.partition("_")
    practice, _, key = rest.partition("_")
    try:
        practice_id = PracticeId(UUID(hex=practice))
        raw = urlsafe_b64decode(key + "=" * (-len(key) % 4))
    except ValueError:
        return None
    return (practice_id, hashlib.sha256(raw).digest()) if prefix == "pal" else None

"""How do a practice and its members come to be?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID, uuid5

import psycopg
from pydantic.dataclasses import dataclass

from api.security.identity import hash_password
from api.security.roles import ROLES
from deploy.refusal import Refusal
from domain.kernel.ids import PracticeId
from domain.kernel.text import Email, Name
from gateways.kms import Kms
from record.provision import NewPractice, create_practice

Admin = psycopg.Connection[tuple[object, ...]]

PASSWORD_MIN: Final = 8  # characters, as OWASP ASVS 5.0 asks


@dataclass(frozen=True)
class NewMember:
    """Somebody who may sign in. Raises `ValidationError`."""

    email: Email
    name: Name
    role: str


def found(admin: Admin, kms: Kms, new: NewPractice) -> PracticeId:
    """Create a practice with its key, its logs and the roles to start with; or find it."""
    practice_id = create_practice(admin, kms, new)
    with _of_practice(admin, practice_id):
        for role, (title, permissions) in ROLES.items():
            admin.execute(
                """INSERT INTO identity.role (role, title, permissions) VALUES (%s, %s, %s)
                ON CONFLICT (practice_id, role) DO NOTHING""",
                (role, title, [permission.value for permission in permissions]),
            )
    return practice_id


def add_member(admin: Admin, practice_id: PracticeId, new: NewMember, password: str) -> UUID:
    """Add somebody who may sign in. The id follows from the address, so adding twice is one."""
    if len(password) < PASSWORD_MIN:
        raise Refusal(f"password: at least {PASSWORD_MIN} characters")
    email = new.email.lower()
    role = role_named(new.role)
    member_id = uuid5(practice_id, f"member\x1f{email}")
    with _of_practice(admin, practice_id):
        admin.execute(
            """INSERT INTO identity.member (member_id, email, name, role, password_hash)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT (practice_id, member_id) DO NOTHING""",
            (member_id, email, new.name, role, hash_password(password)),
        )
    return member_id


def practice_named(admin: Admin, slug: str) -> PracticeId:
    """Find a practice by its slug, or refuse with the slugs there are."""
    known = {name: practice_id for practice_id, name in slugs(admin).items()}
    if slug not in known:
        raise Refusal(f"there is no practice {slug}; there are: {', '.join(known) or 'none yet'}")
    return known[slug]


def slugs(admin: Admin) -> dict[PracticeId, str]:
    """The practices by name, in the order of their names."""
    rows = admin.execute("SELECT practice_id, slug FROM record.practice ORDER BY slug").fetchall()
    return {PracticeId(UUID(str(row[0]))): str(row[1]) for row in rows}


def member_with_role(admin: Admin, practice_id: PracticeId, role: str) -> UUID:
    """The practice's first member with a role, or refuse."""
    row = admin.execute(
        """SELECT member_id FROM identity.member
        WHERE practice_id = %s AND role = %s AND disabled_at IS NULL
        ORDER BY created_at, email LIMIT 1""",
        (practice_id, role_named(role)),
    ).fetchone()
    if row is None:
        raise Refusal(f"nobody there has the role {role}; palimpsest user create adds somebody")
    return UUID(str(row[0]))


def role_named(text: str) -> str:
    """The stored name of a role, however it is written; or refuse with the names there are."""
    name = (
        text.strip().lower().replace("-", "_").replace(" ", "_").replace("frontdesk", "front_desk")
    )
    if name not in ROLES:
        raise Refusal(f"there is no role {text}; there are: {', '.join(ROLES)}")
    return name


@contextmanager
def _of_practice(admin: Admin, practice_id: PracticeId) -> Iterator[None]:
    """One transaction as the owner of the tables, within one practice."""
    with admin.transaction():
        admin.execute("SET LOCAL ROLE palimpsest_owner")
        admin.execute("SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),))
        yield

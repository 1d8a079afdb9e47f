"""How a practice comes to be: its key, its two logs, its name."""

import re
from typing import Annotated
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from domain.kernel.ids import PracticeId
from domain.kernel.text import Name
from gateways.kms import Kms

_SLUGS = UUID("6a1d1f0e-7d5e-5c0a-9b7e-2f3c6d1e8a44")
_SLUG = re.compile(r"[a-z][a-z0-9-]{1,62}")


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise PydanticCustomError(
            "slug", "2 to 63 lower-case letters, digits and hyphens, a letter first"
        )
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown; a path; a folder of zones
        raise PydanticCustomError(
            "zone", "not an IANA time zone, such as America/New_York"
        ) from None
    return text


Slug = Annotated[str, AfterValidator(_slug)]
Zone = Annotated[str, AfterValidator(_zone)]


def practice_id_of(slug: str) -> PracticeId:
    """The id that follows from a slug, so that two practices cannot share one."""
    return PracticeId(uuid5(_SLUGS, slug))


@dataclass(frozen=True, slots=True)
class NewPractice:
    """What a practice is called and where its clocks are. Raises `ValidationError`."""

    slug: Slug
    name: Name
    zone: Zone


def create_practice(
    connection: psycopg.Connection[tuple[object, ...]], kms: Kms, new: NewPractice
) -> PracticeId:
    """Creates a practice, or finds it; needs the migrating role."""
    practice_id = practice_id_of(new.slug)
    wrapped = kms.wrap(AESGCM.generate_key(256), practice_id.bytes)
    with connection.transaction():
        connection.execute("SET LOCAL ROLE palimpsest_owner")
        connection.execute(
            "SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),)
        )
        connection.execute(
            """INSERT INTO record.practice (slug, name, zone)
            VALUES (%s, %s, %s) ON CONFLICT (practice_id) DO NOTHING""",
            (new.slug, new.name, new.zone),
        )
        connection.execute(
            """INSERT INTO record.practice_key (generation, wrapped, root_key_id)
            SELECT 1, %s, %s WHERE NOT EXISTS (SELECT FROM record.practice_key)
            ON CONFLICT (practice_id, generation) DO NOTHING""",
            (wrapped, kms.key_id),
        )
        connection.execute(
            """INSERT INTO record.head (log) VALUES ('record'), ('access')
            ON CONFLICT (practice_id, log) DO NOTHING"""
        )
    return practice_id

"""How does a program come by a database that is running, safe and of this release's shape?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploy.migrate import app_url, is_apps_own, is_migrated, migrate
from deploy.postgres_running import running
from deploy.refusal import Refusal
from deploy.root_key import create_root_key, read_root_key
from deploy.settings import LOCAL, Settings
from gateways.kms import Kms, KmsUnavailable
from gateways.kms.aws import AwsKms
from gateways.kms.local import LocalKms


@dataclass(frozen=True)
class Database:
    """A database ready for use. `app_url` is what the application connects with."""

    admin_url: str = field(repr=False)
    app_url: str = field(repr=False)
    kms: Kms = field(repr=False)


@contextmanager
def ready_database(settings: Settings) -> Iterator[Database]:
    """Start or join the server, find who keeps the root key, migrate; stop what was started."""
    with running(settings) as given:
        kms = find_kms(settings, given)
        # Who runs the application without an administrator's address gives that role's own.
        admin_url = app_url(given, kms) if is_apps_own(given) else given
        migrate(admin_url, kms, testing=settings.testing)
        yield Database(admin_url, app_url(admin_url, kms), kms)


def find_kms(settings: Settings, admin_url: str) -> Kms:
    """Who keeps the root key: AWS, or a file, made only for a database that no key has sealed yet.

    Refuses where it cannot be had.
    """
    if settings.kms == LOCAL:
        return LocalKms(_find_root_key(settings, admin_url))
    try:
        return AwsKms(settings.kms)
    except (ValueError, KmsUnavailable) as error:
        raise Refusal(f"PALIMPSEST_KMS: {error}") from error


def _find_root_key(settings: Settings, admin_url: str) -> bytes:
    if settings.key_file.exists():
        return read_root_key(settings.key_file)
    if is_migrated(admin_url):
        raise Refusal(
            f"the root key {settings.key_file} is missing, and the database was made with one: "
            "put it back (PALIMPSEST_KEY_FILE says where it lies)"
        )
    return create_root_key(settings.key_file)

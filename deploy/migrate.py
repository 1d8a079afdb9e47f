"""Which shape must the database have, and is this one safe to be trusted with the record?

Numbered SQL files, forward only, each in a transaction of its own. Everything that speaks against
the database is found before anything is written to it.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.refusal import Refusal
from gateways.kms import Kms

Connection = psycopg.Connection[tuple[Any, ...]]

FOLDER: Final = Path(__file__).parent / "migrations"
APP_ROLE: Final = "palimpsest_app"
OWNER_ROLE: Final = "palimpsest_owner"
OLDEST_SERVER: Final = 18
LOCK: Final = 0x70616C696D707365  # "palimpse": the advisory lock of everyone who migrates

LEDGER: Final = """
CREATE SCHEMA deploy;
CREATE TABLE deploy.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
-- Tells a wrong root key before it can do harm; one row.
CREATE TABLE deploy.installation (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    key_check bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""

# Grants come after the first files, which make the roles. Both may run again.
HANDING_OVER: Final = """
ALTER SCHEMA deploy OWNER TO palimpsest_owner;
ALTER TABLE deploy.migration OWNER TO palimpsest_owner;
ALTER TABLE deploy.installation OWNER TO palimpsest_owner;
GRANT USAGE ON SCHEMA deploy TO palimpsest_app;
GRANT SELECT ON deploy.migration, deploy.installation TO palimpsest_app;
"""


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return sha256(self.text.encode()).hexdigest()


def read_migrations(folder: Path = FOLDER) -> Sequence[Migration]:
    """Read `NNNN_name.sql`; numbers run from 1 without a gap."""
    found = [
        Migration(int(file.name[:4]), file.stem, file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise Refusal(f"the migrations in {folder} are not numbered 1 to {len(found)}")
    return found


def app_url(admin_url: str, kms: Kms) -> str:
    """Name the same database, as the role that runs the application and owns nothing.

    Its password follows from the root key, so an address of that role needs none.
    """
    if is_apps_own(admin_url) and "password" in conninfo_to_dict(admin_url):
        return admin_url
    return make_conninfo(admin_url, user=APP_ROLE, password=_app_password(kms))


def is_apps_own(url: str) -> bool:
    """Whether an address is of the application's own role, who may change no shape."""
    return conninfo_to_dict(url).get("user") == APP_ROLE


def is_migrated(url: str) -> bool:
    """Whether a record may be in this database already, made under some root key."""
    with psycopg.connect(url, autocommit=True) as connection:
        return _has_ledger(connection)


def migrate(
    admin_url: str, kms: Kms, *, testing: bool = False, folder: Path = FOLDER
) -> Sequence[str]:
    """Bring the database to this release's shape; return the names of the files applied.

    As the application's own role, which may change no shape, it only checks.
    """
    migrations = read_migrations(folder)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        refuse_server(connection.info.server_version, _server_settings(connection), testing=testing)
        applied = _applied(connection)
        _refuse_history(applied, migrations)
        if applied is not None:
            _refuse_other_key(connection, kms)
        pending = [m for m in migrations if m.number not in (applied or {})]
        if connection.info.user == APP_ROLE:
            if pending:
                raise Refusal(
                    "the database is not migrated; run `palimpsest migrate` with an "
                    "administrator's address in PALIMPSEST_DATABASE_URL"
                )
            return []
        _refuse_weak_role(connection)
        if applied is None:
            _start_ledger(connection, kms)
        done = [m.name for m in pending if _apply(connection, m)]
        _hand_over(connection, admin_url, kms)
        return done


def refuse_server(version: int, settings: Mapping[str, str], *, testing: bool) -> None:
    """Refuse a server that is too old, or that may lose what it has acknowledged."""
    if version // 10000 < OLDEST_SERVER:
        raise Refusal(
            f"PostgreSQL {version // 10000} is too old: Palimpsest needs {OLDEST_SERVER} or newer"
        )
    if testing:
        return
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        if settings[name] == "off":
            raise Refusal(f"the database runs with {name} = off and could lose or spoil the record")


def _server_settings(connection: Connection) -> Mapping[str, str]:
    return dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())


def _has_ledger(connection: Connection) -> bool:
    # Not `to_regclass`: its cache may not have heard yet of what another process committed.
    row = connection.execute(
        "SELECT FROM pg_tables WHERE schemaname = 'deploy' AND tablename = 'installation'"
    ).fetchone()
    return row is not None


def _applied(connection: Connection) -> Mapping[int, tuple[str, str]] | None:
    if not _has_ledger(connection):
        return None
    rows = connection.execute("SELECT number, name, checksum FROM deploy.migration").fetchall()
    return {number: (name, checksum) for number, name, checksum in rows}


def _refuse_history(
    applied: Mapping[int, tuple[str, str]] | None, migrations: Sequence[Migration]
) -> None:
    ours = {migration.number: migration for migration in migrations}
    for number, (name, checksum) in sorted((applied or {}).items()):
        if number not in ours:
            raise Refusal(
                f"the database was migrated by a newer release (it has {name}, which this release "
                "does not know); start that release or a newer one"
            )
        if ours[number].checksum != checksum:
            raise Refusal(
                f"migration {ours[number].name} is not the one that made this database ({name}): a "
                "released migration never changes"
            )


def _refuse_other_key(connection: Connection, kms: Kms) -> None:
    row = connection.execute("SELECT key_check FROM deploy.installation").fetchone()
    if row is None or not hmac.compare_digest(row[0], _key_check(kms)):
        raise Refusal("this is not the root key that the database was made with")


def _refuse_weak_role(connection: Connection) -> None:
    row = connection.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise Refusal(
            f"the database role {connection.info.user} may not migrate: it needs CREATEROLE"
        )


def _start_ledger(connection: Connection, kms: Kms) -> None:
    with _alone(connection):
        if not _has_ledger(connection):
            connection.execute(LEDGER)
            connection.execute(
                "INSERT INTO deploy.installation (key_check) VALUES (%s)", [_key_check(kms)]
            )
    _refuse_other_key(connection, kms)  # another process may have been first


def _apply(connection: Connection, migration: Migration) -> bool:
    """Run one file; False when another process did so while we waited."""
    try:
        with _alone(connection):
            found = connection.execute(
                "SELECT FROM deploy.migration WHERE number = %s", [migration.number]
            ).fetchone()
            if found is not None:
                return False
            connection.execute(migration.text)
            connection.execute("RESET ROLE")
            connection.execute(
                "INSERT INTO deploy.migration (number, name, checksum) VALUES (%s, %s, %s)",
                [migration.number, migration.name, migration.checksum],
            )
    except psycopg.errors.DiskFull:
        raise
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise Refusal(f"migration {migration.name} failed, undone: {reason}") from error
    return True


def _hand_over(connection: Connection, admin_url: str, kms: Kms) -> None:
    """Give the ledger to its owner, and the application's role its password.

    The server is told the password's verifier only, so that the password is in nobody's log.
    """
    with _alone(connection):
        roles = connection.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)", [[APP_ROLE, OWNER_ROLE]]
        ).fetchone()
        if roles != (2,):  # only where a test brings migrations of its own
            return
        connection.execute(HANDING_OVER)
        # Roles are the whole server's: two starts on two of its databases would collide in them.
        if _may_sign_in(app_url(admin_url, kms)):
            return
        verifier = connection.pgconn.encrypt_password(
            _app_password(kms).encode(), APP_ROLE.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(APP_ROLE), sql.Literal(verifier.decode())
            )
        )


def _may_sign_in(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction that only one process at a time is in; never a long wait on a table in use."""
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '60s'")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute("SET LOCAL lock_timeout = '10s'")
        yield


def _app_password(kms: Kms) -> str:
    return kms.derive(f"database password {APP_ROLE}").hex()


def _key_check(kms: Kms) -> bytes:
    return kms.derive("palimpsest key check")

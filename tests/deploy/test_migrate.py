"""Does migrating look before it writes, and refuse whatever could harm the record?"""

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.database import Database, find_kms, ready_database
from deploy.founding import found
from deploy.migrate import app_url, is_migrated, migrate, read_migrations, refuse_server
from deploy.postgres import Cluster
from deploy.refusal import Refusal
from deploy.root_key import create_root_key
from deploy.settings import Settings
from domain.kernel.events import Category
from domain.kernel.permissions import Permission
from gateways.kms import Kms
from gateways.kms.local import LocalKms
from record.database import Database as Connected
from record.keys import KeyRing
from record.lint import lint
from record.provision import NewPractice, practice_id_of
from record.wrapping import about_key, wrap
from tests.support.postgres import KMS, ROOT_KEY, new_database

SOUND = dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit", "data_checksums"), "on")
OTHER_KMS = LocalKms(b"x" * 32)


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    """A database that nobody migrated."""
    with new_database(cluster, template="template1") as made:
        yield made


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two migrations, released."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (id int);")
    return tmp_path


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in rows}


def apply(database: Database, files: Path, kms: Kms = KMS) -> list[str]:
    return list(migrate(database.admin_url, kms, testing=True, folder=files))


def test_files_are_applied_once_in_order(empty: Database, files: Path) -> None:
    assert apply(empty, files) == ["0001_first", "0002_second"]
    assert apply(empty, files) == []
    (files / "0003_third.sql").write_text("ALTER TABLE second ADD COLUMN name text;")
    assert apply(empty, files) == ["0003_third"]


def test_a_file_that_fails_is_undone_and_names_itself(empty: Database, files: Path) -> None:
    (files / "0002_second.sql").write_text("CREATE TABLE second (id int); SELECT 1 / 0;")
    with pytest.raises(Refusal, match=r"0002_second failed, undone: division by zero"):
        apply(empty, files)
    assert tables(empty.admin_url) == {"first"}
    (files / "0002_second.sql").write_text("CREATE TABLE second (id int);")
    assert apply(empty, files) == ["0002_second"]


def test_a_role_set_in_one_file_does_not_reach_the_next(empty: Database, files: Path) -> None:
    (files / "0001_first.sql").write_text("SET ROLE pg_monitor;")
    assert apply(empty, files) == ["0001_first", "0002_second"]


def test_a_released_file_that_changed_is_refused(empty: Database, files: Path) -> None:
    apply(empty, files)
    (files / "0001_first.sql").write_text("CREATE TABLE first (id bigint);")
    (files / "0003_third.sql").write_text("CREATE TABLE third (id int);")
    with pytest.raises(Refusal, match="0001_first is not the one that made this database"):
        apply(empty, files)
    assert tables(empty.admin_url) == {"first", "second"}


def test_a_database_of_a_newer_release_is_refused(empty: Database, files: Path) -> None:
    apply(empty, files)
    (files / "0002_second.sql").unlink()
    with pytest.raises(Refusal, match=r"migrated by a newer release .*0002_second"):
        apply(empty, files)


def test_a_gap_in_the_numbers_is_refused(empty: Database, files: Path) -> None:
    (files / "0004_fourth.sql").write_text("CREATE TABLE fourth (id int);")
    with pytest.raises(Refusal, match="not numbered 1 to 3"):
        apply(empty, files)
    assert not is_migrated(empty.admin_url)


def test_two_processes_at_once_apply_each_file_once(empty: Database, files: Path) -> None:
    (files / "0001_first.sql").write_text("CREATE TABLE first (id int); SELECT pg_sleep(0.3);")
    applied: list[str] = []
    threads = [
        threading.Thread(target=lambda: applied.extend(apply(empty, files))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == ["0001_first", "0002_second"]


def test_an_old_server_is_refused() -> None:
    with pytest.raises(Refusal, match="PostgreSQL 17 is too old"):
        refuse_server(170006, SOUND, testing=True)
    refuse_server(180000, SOUND, testing=False)
    refuse_server(190001, SOUND, testing=False)


@pytest.mark.parametrize("setting", SOUND)
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(setting: str) -> None:
    with pytest.raises(Refusal, match=f"{setting} = off"):
        refuse_server(180006, SOUND | {setting: "off"}, testing=False)


def test_this_test_server_is_such_a_one_and_nothing_is_written_to_it(
    empty: Database, files: Path
) -> None:
    with pytest.raises(Refusal, match="= off and could lose or spoil the record"):
        migrate(empty.admin_url, KMS, folder=files)
    assert tables(empty.admin_url) == set()
    assert not is_migrated(empty.admin_url)


def test_another_root_key_is_refused_and_changes_nothing(database: Database, files: Path) -> None:
    with pytest.raises(Refusal, match="not the root key"):
        migrate(database.admin_url, OTHER_KMS, testing=True)
    # The application's password, derived from the right key, is still good.
    psycopg.connect(database.app_url).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(app_url(database.admin_url, OTHER_KMS))


def test_a_key_is_made_only_for_a_database_that_none_has_sealed(
    empty: Database, database: Database, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(Refusal, match=r"root\.key is missing, and the database was made with one"):
        find_kms(settings, database.admin_url)
    assert list(tmp_path.iterdir()) == []
    made = find_kms(settings, empty.admin_url)
    assert find_kms(settings, database.admin_url).key_id == made.key_id


def test_the_application_may_read_the_ledger_and_change_nothing(database: Database) -> None:
    released = [migration.name for migration in read_migrations()]
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        rows = connection.execute("SELECT name FROM deploy.migration ORDER BY number").fetchall()
        assert [row[0] for row in rows] == released
        for attempt in (
            "DELETE FROM deploy.migration",
            "UPDATE deploy.installation SET key_check = ''",
            "CREATE TABLE public.own (id int)",
            "CREATE SCHEMA own",
            "ALTER ROLE palimpsest_app SUPERUSER",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt)


def test_the_applications_own_address_needs_no_password(database: Database, tmp_path: Path) -> None:
    parts = conninfo_to_dict(database.app_url)
    del parts["password"]
    (tmp_path / "root.key").write_text(ROOT_KEY.hex())
    (tmp_path / "root.key").chmod(0o600)
    url = make_conninfo("", **parts)
    with ready_database(Settings(database_url=url, data_dir=tmp_path, testing=True)) as ready:
        assert ready.admin_url == ready.app_url
        with psycopg.connect(ready.app_url) as connection:
            assert connection.info.user == "palimpsest_app"


def test_as_the_application_it_only_checks(database: Database, empty: Database) -> None:
    assert app_url(database.app_url, KMS) == database.app_url
    assert migrate(database.app_url, KMS, testing=True) == []
    with pytest.raises(Refusal, match="run `palimpsest migrate`"):
        migrate(empty.app_url, KMS, testing=True)
    with pytest.raises(Refusal, match="not the root key"):
        migrate(database.app_url, OTHER_KMS, testing=True)


def test_a_role_that_may_not_make_roles_is_refused(cluster: Cluster, empty: Database) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS weak")
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    url = make_conninfo(empty.admin_url, user="weak", password="weak")
    with pytest.raises(Refusal, match="weak may not migrate"):
        migrate(url, KMS, testing=True)


def test_a_managed_server_gives_no_superuser_and_needs_none(data_dir: Path) -> None:
    own_cluster = Cluster(data_dir, testing=True)
    own_cluster.start()
    with psycopg.connect(own_cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE manager LOGIN CREATEROLE PASSWORD 'manager'")
        connection.execute("CREATE DATABASE managed OWNER manager")
    url = make_conninfo(own_cluster.url("managed"), user="manager", password="manager")
    released = [migration.name for migration in read_migrations()]
    assert migrate(url, KMS, testing=True) == released
    assert migrate(url, KMS, testing=True) == []
    psycopg.connect(app_url(url, KMS)).close()


def test_a_practice_of_an_earlier_release_keeps_its_keys_and_its_people(
    empty: Database, tmp_path: Path
) -> None:
    """Before keys had generations, and before anybody could erase."""
    for migration in read_migrations()[:5]:
        (tmp_path / f"{migration.name}.sql").write_text(migration.text)
    migrate(empty.admin_url, KMS, testing=True, folder=tmp_path)
    practices = [(practice_id_of(slug), slug, uuid4(), uuid4()) for slug in ("one", "two")]
    with psycopg.connect(empty.admin_url, autocommit=True) as admin:
        for practice_id, slug, client, key_id in practices:
            plain = AESGCM.generate_key(256)
            admin.execute(
                """INSERT INTO record.practice
                    (practice_id, slug, name, zone, wrapped_key, root_key_id)
                VALUES (%s, %s, 'A practice', 'UTC', %s, %s)""",
                (practice_id, slug, KMS.wrap(plain, practice_id.bytes), KMS.key_id),
            )
            about = about_key((practice_id, client, "clinical"), key_id)
            admin.execute(
                """INSERT INTO record.data_key (practice_id, key_id, subject, category, wrapped)
                VALUES (%s, %s, %s, 'clinical', %s)""",
                (practice_id, key_id, client, wrap(AESGCM(plain), bytes(32), about)),
            )
            admin.execute(
                """INSERT INTO identity.role (practice_id, role, title, permissions)
                VALUES (%s, 'owner', 'Owner', '{client.read}'), (%s, 'front_desk', 'Desk', '{}')""",
                (practice_id, practice_id),
            )
    applied = migrate(empty.admin_url, KMS, testing=True)
    assert applied[0] == read_migrations()[5].name
    with Connected(empty.app_url, size=2) as database:
        keys = KeyRing(database, KMS)
        for practice_id, _, client, key_id in practices:
            found = keys.key_in_use(practice_id, client, Category.CLINICAL)
            assert found.key_id == key_id
            assert (
                found.aead.decrypt(
                    bytes(12), AESGCM(bytes(32)).encrypt(bytes(12), b"text", b""), b""
                )
                == b"text"
            )
            assert keys.key_in_use(practice_id, uuid4(), Category.CLINICAL).key_id != key_id
    with psycopg.connect(empty.admin_url) as admin:
        roles = admin.execute("SELECT role, 'key.shred' = ANY (permissions) FROM identity.role")
        assert sorted(roles) == [("front_desk", False)] * 2 + [("owner", True)] * 2


def test_a_first_key_is_not_made_twice(tmp_path: Path) -> None:
    made = LocalKms(create_root_key(tmp_path / "root.key"))
    settings = Settings(data_dir=tmp_path)
    # With a key in place, the database is not even asked.
    found = find_kms(settings, "postgresql://nobody@127.0.0.1:1/none")
    assert found.key_id == made.key_id


def test_roles_that_are_there_already_get_what_they_need_to_prove_a_log(
    database: Database,
) -> None:
    [step] = [one for one in read_migrations() if one.name.endswith("log_verify")]
    new = Permission.LOG_VERIFY.value
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        practices = [
            found(admin, KMS, NewPractice(slug, slug, "Europe/Paris")) for slug in ("one", "two")
        ]
        admin.execute(
            "UPDATE identity.role SET permissions = array_remove(permissions, %s)", (new,)
        )
        for _ in range(2):
            admin.execute(step.text.encode())
            held = admin.execute(
                "SELECT practice_id, role FROM identity.role WHERE %s = ANY (permissions)", (new,)
            ).fetchall()
            wanted = [(one, role) for one in practices for role in ("owner", "auditor")]
            assert sorted(held) == sorted(wanted)
        assert lint(admin) == []

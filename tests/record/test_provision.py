"""Does a practice come to be once, whole, with its keys and both logs?"""

from zoneinfo import ZoneInfoNotFoundError

import psycopg
import pytest

from domain.kernel.events import Category
from record.provision import NewPractice, create_practice, practice_id_of
from tests.support.record import Record


def test_a_practice_has_two_empty_logs_and_a_key(record: Record) -> None:
    practice_id = record.new_practice("linden")
    assert practice_id == practice_id_of("linden")
    assert record.admin(
        "SELECT log, position FROM record.head WHERE practice_id = %s ORDER BY log", [practice_id]
    ) == [("access", 0), ("record", 0)]
    ((wrapped, root_key_id),) = record.admin(
        "SELECT wrapped_key, root_key_id FROM record.practice WHERE practice_id = %s", [practice_id]
    )
    assert root_key_id == record.kms.key_id
    assert len(record.kms.unwrap(wrapped, practice_id.bytes)) == 32
    own = record.keys.key_in_use(practice_id, None, Category.BUSINESS)
    assert own.open(own.seal(b"text", b""), b"") == b"text"


def test_making_it_again_changes_nothing(record: Record) -> None:
    first = record.new_practice("harbor")
    before = record.admin("SELECT * FROM record.practice WHERE practice_id = %s", [first])
    assert record.new_practice("harbor") == first
    assert record.admin("SELECT * FROM record.practice WHERE practice_id = %s", [first]) == before


def test_a_zone_that_does_not_exist_makes_no_practice(record: Record) -> None:
    with (
        psycopg.connect(record.ready.admin_url) as admin,
        pytest.raises(ZoneInfoNotFoundError),
    ):
        create_practice(admin, record.kms, NewPractice("nowhere", "Nowhere", "Middle/Earth"))
    assert not record.admin("SELECT FROM record.practice WHERE slug = 'nowhere'")


def test_the_application_cannot_make_one(record: Record) -> None:
    with (
        psycopg.connect(record.ready.app_url) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        create_practice(app, record.kms, NewPractice("mine", "Mine", "Europe/Paris"))

"""Does a practice come to be once, whole, with its keys and both logs?"""

import psycopg
import pytest
from pydantic import ValidationError

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
        "SELECT wrapped, root_key_id FROM record.practice_key WHERE practice_id = %s",
        [practice_id],
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


@pytest.mark.parametrize("zone", ["Middle/Earth", "/etc/passwd", "../x", "America", "", "a\0b"])
def test_a_zone_that_does_not_exist_makes_no_practice(zone: str) -> None:
    with pytest.raises(ValidationError, match="not an IANA time zone"):
        NewPractice("nowhere", "Nowhere", zone)


@pytest.mark.parametrize("slug", ["Bad Slug!", "", "a", "9lives", "-a", "naïve", "ok\n", "a" * 64])
def test_a_slug_is_small_letters_digits_and_hyphens(slug: str) -> None:
    with pytest.raises(ValidationError, match="lower-case letters"):
        NewPractice(slug, "Nowhere", "UTC")


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "\u202egnilaeh", "x" * 201])
def test_the_name_of_a_practice_is_one_line_that_can_be_seen(name: str) -> None:
    with pytest.raises(ValidationError):
        NewPractice("somewhere", name, "UTC")


def test_the_application_cannot_make_one(record: Record) -> None:
    with (
        psycopg.connect(record.ready.app_url) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        create_practice(app, record.kms, NewPractice("mine", "Mine", "Europe/Paris"))

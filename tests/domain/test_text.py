"""Which text, days and moments are acceptable when entered, and how they are read when stored."""

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.kernel.text import (
    MARKS_MAX,
    NAME_MAX,
    REASON_MAX,
    SECTION_MAX,
    Day,
    Email,
    Line,
    Moment,
    Name,
    Phone,
    Prose,
    Reason,
    Section,
    is_blank,
)

KINDS = {
    "name": TypeAdapter[Any](Name),
    "line": TypeAdapter[Any](Line),
    "phone": TypeAdapter[Any](Phone),
    "email": TypeAdapter[Any](Email),
    "section": TypeAdapter[Any](Section),
    "prose": TypeAdapter[Any](Prose),
    "reason": TypeAdapter[Any](Reason),
    "day": TypeAdapter[Any](Day),
    "moment": TypeAdapter[Any](Moment),
}
WRITTEN = ("name", "section", "prose", "reason")
ONE_LINE = ("name", "line", "phone", "email")


def entered(kind: str, value: object) -> Any:
    return KINDS[kind].validate_python(value)


def refused(kind: str, value: object) -> str:
    """Why it is refused."""
    with pytest.raises(ValidationError) as refusal:
        entered(kind, value)
    return refusal.value.errors()[0]["type"]


# --- text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize(
    "text",
    [
        "Ødegård",
        "O\u2019Neill-Sánchez",
        "山田 花子",
        "\u0645\u0631\u06cc\u0645\u200c\u0633\u0627\u062f\u0627\u062a",  # zero-width non-joiner
        "👩🏽\u200d⚕️",  # and so do emoji the joiner
        "\u200fשרה",  # a right-to-left mark
    ],
)
def test_people_write_in_every_script(kind: str, text: str) -> None:
    assert entered(kind, text) == text


@pytest.mark.parametrize("kind", [*WRITTEN, "phone", "email"])
@pytest.mark.parametrize("code", [0x00, 0x08, 0x0B, 0x0C, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F])
def test_no_control_character_gets_in(kind: str, code: int) -> None:
    for text in (f"ab{chr(code)}cd", f"{chr(code)}abcd", f"abcd{chr(code)}"):
        assert refused(kind, text) == "control_characters"


@pytest.mark.parametrize("kind", WRITTEN)
def test_half_a_character_does_not_get_in(kind: str) -> None:
    assert refused(kind, "a\ud800b") == "string_unicode"


@pytest.mark.parametrize("kind", ONE_LINE)
@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n", "\t", "\u2028", "\u2029"])
def test_one_line_is_one_line(kind: str, mark: str) -> None:
    text = f"mara{mark}@example.com" if kind == "email" else f"212 555{mark}0100"
    assert refused(kind, text) in {"control_characters", "string_pattern_mismatch"}


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_no_name_is_shown_backwards(code: int) -> None:
    text = f"Ana{chr(code)}lleB"
    assert refused("name", text) == refused("line", text) == "control_characters"
    assert entered("prose", text) == text


@pytest.mark.parametrize("kind", ["section", "prose", "reason"])
def test_line_ends_are_all_alike(kind: str) -> None:
    assert entered(kind, "one\r\ntwo\rthree\nfour\tfive") == "one\ntwo\nthree\nfour\tfive"


@pytest.mark.parametrize("kind", WRITTEN)
def test_letters_written_in_two_ways_are_stored_in_one(kind: str) -> None:
    assert entered(kind, "Odega\u030ard") == entered(kind, "Odeg\u00e5rd") == "Odeg\u00e5rd"


def test_space_around_is_taken_off_except_from_sections() -> None:
    for kind in ("name", "prose", "reason"):
        assert entered(kind, " \n Mara \u00a0\n") == "Mara"
    assert entered("section", "  indented\n") == "  indented\n"


@pytest.mark.parametrize("kind", ["name", "line", "prose", "reason"])
@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b", "\u2060 \ufeff", "\u3000", "\u202e"])
def test_something_can_be_seen(kind: str, text: str) -> None:
    assert refused(kind, text) in {"string_too_short", "blank"}


def test_a_section_may_be_empty() -> None:
    assert entered("section", "") == ""


def test_blank_is_what_nobody_sees() -> None:
    assert is_blank(" \n\t\u200b\u2028")
    assert not is_blank(" .")


@pytest.mark.parametrize(
    ("kind", "most"),
    [("name", NAME_MAX), ("prose", SECTION_MAX), ("section", SECTION_MAX), ("reason", REASON_MAX)],
)
def test_text_has_a_limit(kind: str, most: int) -> None:
    assert entered(kind, "x" * most) == "x" * most
    assert refused(kind, "x" * (most + 1)) == "string_too_long"


def test_the_limit_counts_what_is_kept() -> None:
    # One code point that Unicode's normal form spells with three.
    assert refused("section", "\ufb2c" * SECTION_MAX) == "string_too_long"
    assert entered("section", "x\r\n" * (SECTION_MAX // 2)) == "x\n" * (SECTION_MAX // 2)
    assert entered("name", "e\u0301" * NAME_MAX) == "é" * NAME_MAX


def test_a_tower_of_accents_is_refused_before_it_costs_time() -> None:
    assert entered("section", "a" + "\u0316\u0301" * (MARKS_MAX // 2))
    started = perf_counter()
    assert refused("section", "a" + "\u0301\u0316" * 40_000) == "combining_marks"
    assert perf_counter() - started < 1  # normalising it first takes several seconds


@pytest.mark.parametrize("kind", [*WRITTEN, "phone", "email"])
@pytest.mark.parametrize("value", [None, 5, 1.5, True, b"a@bcd.ef", ["text"]])
def test_text_is_text(kind: str, value: object) -> None:
    assert refused(kind, value) == "string_type"


@pytest.mark.parametrize(
    "phone",
    ["+1 212 555 0100", "(212) 555-0100", "+1 (212) 555-0100 x12", "212.555.0100", "+4722334455"],
)
def test_phones_are_kept_as_people_write_them(phone: str) -> None:
    assert entered("phone", f" {phone} ") == phone


@pytest.mark.parametrize("phone", ["soon", "12", "+", "0" * 60, "212 555 0100 home", "²12 555 010"])
def test_a_phone_is_mostly_digits(phone: str) -> None:
    assert refused("phone", phone) == "string_pattern_mismatch"


@pytest.mark.parametrize(
    "email", ["mara@example.com", "m.o+spa@mail.example.co.uk", "å@ødegård.no"]
)
def test_an_email_has_a_person_and_a_place(email: str) -> None:
    assert entered("email", email) == email


@pytest.mark.parametrize(
    "email",
    [
        "mara",
        "@example.com",
        "mara@",
        "mara@example",
        "mara@example..com",
        "mara@.com",
        "mara o@example.com",
        "mara@example.c",
        "mara@a@example.com",
        "Mara <mara@example.com>",
        "mara@example.com,other@example.com",
        "x" * 65 + "@example.com",
    ],
)
def test_what_is_no_email(email: str) -> None:
    assert refused("email", email) == "string_pattern_mismatch"


def test_an_email_hides_nothing() -> None:
    assert refused("email", "mara\u200b@example.com") == "control_characters"
    assert refused("email", f"mara@{'x' * 250}.com") == "string_too_long"


@pytest.mark.parametrize("kind", WRITTEN)
@given(text=st.text())
def test_what_was_accepted_once_is_accepted_again_unchanged(kind: str, text: str) -> None:
    try:
        kept = entered(kind, text)
    except ValidationError:
        return
    assert entered(kind, kept) == kept
    assert unicodedata.is_normalized("NFC", kept)


# --- days and moments --------------------------------------------------------------------------


def test_a_day_is_written_as_a_day() -> None:
    assert entered("day", "2024-02-29") == date(2024, 2, 29)
    assert entered("day", date(2024, 2, 29)) == date(2024, 2, 29)


@pytest.mark.parametrize(
    "value",
    [
        "1735689600",
        1735689600,
        1.5,
        True,
        None,
        "",
        "today",
        "2024-2-9",
        "20240229",
        "2024-02-29T00:00:00",
        "\u0662\u0660\u0662\u0664-02-29",  # digits, but not ours
        datetime(2024, 2, 29, tzinfo=UTC),
    ],
)
def test_a_day_is_nothing_else(value: object) -> None:
    assert refused("day", value) == "written_as_text"


@pytest.mark.parametrize("value", ["2023-02-29", "2024-02-30", "2024-13-01", "0000-01-01"])
def test_impossible_days_are_refused(value: str) -> None:
    assert refused("day", value).startswith("date_")


def test_a_moment_keeps_its_offset() -> None:
    moment = entered("moment", "2026-03-02T09:30:00-05:00")
    assert moment == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    assert KINDS["moment"].dump_json(moment) == b'"2026-03-02T09:30:00-05:00"'


@pytest.mark.parametrize("value", ["1735689600", 1735689600, 1.5, None, "", "2026-03-02", "now"])
def test_a_moment_is_written_as_text(value: object) -> None:
    assert refused("moment", value) == "written_as_text"


@pytest.mark.parametrize("value", ["2026-03-02T12:00:00", datetime(2026, 3, 2)])  # noqa: DTZ001 - the point
def test_a_moment_needs_its_offset(value: object) -> None:
    assert refused("moment", value) == "timezone_aware"


@pytest.mark.parametrize(
    "value", ["2026-02-30T12:00:00Z", "2026-03-02T25:00:00Z", "2026-03-02T12:00:00+99:00"]
)
def test_moments_that_no_clock_shows_are_refused(value: str) -> None:
    assert refused("moment", value).startswith("datetime_")


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2026-03-02T12:00:00+16:00",
        "2026-03-02T12:00:00-23:59",
    ],
)
def test_moments_that_a_database_could_not_keep_are_refused(value: str) -> None:
    assert refused("moment", value) == "impossible_moment"


@pytest.mark.parametrize("hours", [14, -12, 15.75])
def test_every_offset_in_use_is_accepted(hours: float) -> None:
    moment = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=hours)))
    assert entered("moment", moment) == moment


# --- what is stored ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "json"),
    [
        ("name", '"' + "x" * 500 + '"'),
        ("section", '"' + "x" * (SECTION_MAX + 1) + '"'),
        ("section", '"\\u0007"'),
        ("prose", '" "'),
        ("reason", '""'),
        ("phone", '"ask her sister"'),
        ("email", '"mara at example.com"'),
    ],
)
def test_what_is_stored_is_read_as_it_stands(kind: str, json: str) -> None:
    read = KINDS[kind].validate_json(json, strict=True)
    assert read == TypeAdapter(str).validate_json(json)
    assert refused(kind, read)


def test_what_is_stored_is_not_normalised_again() -> None:
    assert KINDS["section"].validate_json('"cafe\\u0301\\r\\n"', strict=True) == "cafe\u0301\r\n"
    assert KINDS["section"].validate_json('"cafe\\u0301\\r\\n"') == "café\n"


def test_stored_days_and_moments_are_read_as_they_stand() -> None:
    long_ago = KINDS["moment"].validate_json('"1742-05-01T12:00:00+00:00"', strict=True)
    assert long_ago == datetime(1742, 5, 1, 12, tzinfo=UTC)
    assert KINDS["day"].validate_json('"1742-05-01"', strict=True) == date(1742, 5, 1)
    with pytest.raises(ValidationError):  # a moment without a zone was never stored
        KINDS["moment"].validate_json('"1742-05-01T12:00:00"', strict=True)

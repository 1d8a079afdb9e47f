"""How alike are names that people type in their own ways?"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.client_search.words import (
    birth_date,
    folded,
    likeness,
    match,
    phone_digits,
    phone_grams,
    slips,
    trigrams,
)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Zoë  Núñez", "zoe nunez"),
        ("O\u2019Brien-Smith", "obrien smith"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("STRASSE Straße", "strasse strasse"),
        ("Ægir Þórsson", "aegir thorsson"),
        ("\u0130pek I\u015f\u0131k", "ipek isik"),
        ("Анна", "анна"),
        ("王 芳", "王 芳"),
        ("(...)", ""),
    ],
)
def test_a_name_is_folded_to_plain_words(typed: str, plain: str) -> None:
    assert folded(typed) == plain


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_a_word_is_cut_into_threes_with_its_ends_marked() -> None:
    assert trigrams(["ana"]) == {"  a", " an", "ana", "na "}
    assert trigrams([]) == frozenset()


def test_phone_grams_cannot_be_taken_for_those_of_names() -> None:
    assert phone_grams("2125") == {"#212", "#125"}
    assert phone_grams("21") == frozenset()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jonson", "johnson"),
        ("smiht", "smith"),
        ("bel", "bell"),
        ("anna", "ana"),
        ("hanna", "anna"),
        ("katherine", "catherine"),
        ("kareena", "karenina"),
    ],
)
def test_typing_errors_are_alike_enough(typed: str, meant: str) -> None:
    assert 0 < likeness(typed, meant) < 1
    assert likeness(meant, typed) > 0


@pytest.mark.parametrize(
    ("typed", "other"), [("smith", "johnson"), ("jonson", "jon"), ("kim", "jim"), ("ana", "ed")]
)
def test_other_names_are_not(typed: str, other: str) -> None:
    assert likeness(typed, other) == 0


@pytest.mark.parametrize(
    ("typed", "meant", "number"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("jonson", "johnson", 1),
        ("smiht", "smith", 1),
        ("bel", "bell", 1),
        ("kitten", "sitting", 3),
    ],
)
def test_slips_are_counted(typed: str, meant: str, number: int) -> None:
    assert slips(typed, meant) == slips(meant, typed) == number


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_there_are_no_more_slips_than_letters(typed: str, meant: str) -> None:
    assert abs(len(typed) - len(meant)) <= slips(typed, meant) <= max(len(typed), len(meant))
    assert (slips(typed, meant) == 0) == (typed == meant)


def test_a_beginning_is_better_than_an_error_and_the_whole_word_best() -> None:
    assert likeness("john", "john") > likeness("john", "johnson") > likeness("johmson", "johnson")


def test_names_match_in_either_order() -> None:
    assert match(["bell", "ana"], ["ana", "bell"]) == match(["ana", "bell"], ["ana", "bell"]) == 1


def test_each_word_must_be_found() -> None:
    assert match(["ana", "smith"], ["ana", "bell"]) == 0


def test_of_three_words_one_may_be_missing() -> None:
    assert 0 < match(["ana", "maria", "bell"], ["ana", "bell"]) < 1
    assert match(["ana", "maria", "smith"], ["ana", "bell"]) == 0


def test_names_match_however_they_are_spaced() -> None:
    assert match(["maryann", "delacruz"], ["mary ann", "de la cruz"]) > 0.9


def test_fewer_surplus_names_match_better() -> None:
    assert match(["ana", "bell"], ["ana", "bell"]) > match(["ana", "bell"], ["ana", "bell smith"])


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("+1 (212) 555-0100 x12", "2125550100"),
        ("1-212-555-0100", "2125550100"),
        ("212.555.0100 ext. 9", "2125550100"),
        ("+44 20 7946 0000", "442079460000"),
        ("5550", "5550"),
        ("155", "155"),
        ("", ""),
    ],
)
def test_a_phone_number_is_its_digits_without_country_and_extension(
    typed: str, digits: str
) -> None:
    assert phone_digits(typed) == digits


@pytest.mark.parametrize("typed", ["1990-02-28", "02/28/1990", "2/28/1990", "28.02.1990"])
def test_a_birth_date_is_read_as_people_type_it(typed: str) -> None:
    assert birth_date(typed) == date(1990, 2, 28)


@pytest.mark.parametrize("typed", ["1990-02-30", "28/02/1990", "1990", "Ana", "0000-01-01"])
def test_what_is_no_date_is_none(typed: str) -> None:
    assert birth_date(typed) is None

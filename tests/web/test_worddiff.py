"""Does a word-level difference tell exactly what changed, whatever the texts?"""

from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from api.web.worddiff import Run, counts, word_diff

WORDS = st.sampled_from(
    ["24 units", "glabella", "left", "no", "\n", "  ", "(5-5-4-5-5),", "é", "."]
)
TEXTS = st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60)


def test_a_changed_dose_is_one_word_gone_and_one_word_new() -> None:
    assert word_diff("20 units to the glabella", "24 units to the glabella") == (
        Run("del", "20"),
        Run("ins", "24"),
        Run("same", " units to the glabella"),
    )


def test_a_number_with_its_unit_sign_or_decimals_is_one_word() -> None:
    assert word_diff("14.5 J at 50%", "14.8 J at 55%") == (
        Run("del", "14.5"),
        Run("ins", "14.8"),
        Run("same", " J at "),
        Run("del", "50%"),
        Run("ins", "55%"),
    )


def test_neighbouring_changes_are_read_as_one() -> None:
    assert word_diff("left brow droop", "right eyelid droop") == (
        Run("del", "left brow"),
        Run("ins", "right eyelid"),
        Run("same", " droop"),
    )


def test_nothing_changed_and_nothing_there() -> None:
    assert word_diff("Ice after.", "Ice after.") == (Run("same", "Ice after."),)
    assert word_diff("", "") == ()
    assert word_diff("", "Ice.") == (Run("ins", "Ice."),)
    assert word_diff("Ice.", "") == (Run("del", "Ice."),)


def test_words_are_counted_not_characters() -> None:
    assert counts(word_diff("20 units", "24 units, lot C7214C3")) == (4, 1)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_back(before: str, after: str) -> None:
    runs = word_diff(before, after)
    assert "".join(run.text for run in runs if run.op != "ins") == before
    assert "".join(run.text for run in runs if run.op != "del") == after
    assert all(run.text for run in runs)


def test_the_longest_note_allowed_is_compared_quickly() -> None:
    line = "Glabella {} units, procerus {} units, no bruising.\n"
    before = "".join(line.format(n, n + 1) for n in range(2_000))[:100_000]
    after = "".join(line.format(n + n % 7 // 6, n + 1) for n in range(2_000))[:100_000]
    started = perf_counter()
    runs = word_diff(before, after)
    assert perf_counter() - started < 5
    assert "".join(run.text for run in runs if run.op != "del") == after


def test_two_long_texts_without_a_line_in_common_are_compared_quickly() -> None:
    started = perf_counter()
    runs = word_diff("a b " * 25_000, "c d " * 25_000)
    assert perf_counter() - started < 5
    assert {run.op for run in runs} == {"del", "ins"} or runs[-1].op == "same"

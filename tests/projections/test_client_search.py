"""Is the client found that was meant, and nobody of another practice?"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import pytest

from domain.kernel.ids import ClientId
from projections.client_search.reader import MOST, ClientFound, QueryTooShort
from tests.support.projections import BORN, Shown

People = dict[str, ClientId]


@pytest.fixture(scope="module")
def people(shared: Shown) -> People:
    here, there = shared.here, shared.there
    made = {
        "ana": here.register("Ana", "Bell", phone="+1 (212) 555-0100 x12", email="Ana.B@Ex.com"),
        "lars": here.register("Lars", "Johnson", date(1980, 5, 6), phone="(917) 555-0199"),
        "zoe": here.register("Zoë", "Łukasiewicz-Núñez", date(1975, 12, 1)),
        "mary": here.register("Mary Ann", "O\u2019Brien", date(1961, 7, 4), email="mary@ex.com"),
        "anna": here.register("Анна", "Каренина", date(1999, 1, 9)),
        "fang": here.register("芳", "王", date(1988, 8, 8)),
    }
    there.register("Ana", "Bell", phone="212 555 0100", email="ana.b@ex.com")
    there.register("Lars", "Johnson", date(1980, 5, 6))
    shared.catch_up()
    return made


def ids(found: Sequence[ClientFound]) -> list[UUID]:
    return [one.id for one in found]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Ana Bell", "ana"),
        ("bell ANA", "ana"),
        ("Anna Bel", "ana"),
        ("Jonson", "lars"),
        ("jhonson lars", "lars"),
        ("Joh", "lars"),
        ("lukasiewicz", "zoe"),
        ("nunez zoe", "zoe"),
        ("maryann obrien", "mary"),
        ("o'brien", "mary"),
        ("анна", "anna"),
        ("каренна", "anna"),
        ("王 芳", "fang"),
        ("0199", "lars"),
        ("917 555", "lars"),
        ("+19175550199", "lars"),
        ("1 (212) 555-0100", "ana"),
        ("ana.b", "ana"),
        ("ANA.B@EX", "ana"),
        ("mary@", "mary"),
        ("1980-05-06", "lars"),
        ("05/06/1980", "lars"),
        ("06.05.1980", "lars"),
        ("  bell  ", "ana"),
        ("bel 02/28/1990", "ana"),
    ],
)
def test_a_client_is_found(shared: Shown, people: People, typed: str, meant: str) -> None:
    assert ids(shared.search.search(shared.here.practice_id, typed))[:1] == [people[meant]]


@pytest.mark.parametrize(
    "typed",
    [
        "Smithers",
        "ana smith",
        "0000",
        "bell 01/01/1990",
        "nobody@",
        "...",
        "' OR 1=1",
        "%%%",
        "___",
    ],
)
def test_nobody_is_found(shared: Shown, people: People, typed: str) -> None:
    assert shared.search.search(shared.here.practice_id, typed) == []


@pytest.mark.parametrize("typed", ["", "  ", "an", " an  ", "12"])
def test_too_little_to_search_by_is_refused(shared: Shown, people: People, typed: str) -> None:
    with pytest.raises(QueryTooShort) as refused:
        shared.search.search(shared.here.practice_id, typed)
    assert (refused.value.code, refused.value.field) == ("query_too_short", "q")


def test_a_birth_date_alone_finds_everybody_born_then(shared: Shown, people: People) -> None:
    found = shared.search.search(shared.here.practice_id, "1990-02-28")
    assert ids(found) == [people["ana"]]
    assert found[0].birth_date == BORN


def test_a_row_tells_two_people_apart(shared: Shown, people: People) -> None:
    (found,) = shared.search.search(shared.here.practice_id, "Ana Bell")
    assert found == ClientFound(
        id=people["ana"], given_name="Ana", family_name="Bell", birth_date=BORN,
        phone="+1 (212) 555-0100 x12", email="Ana.B@Ex.com", merged_into=None, is_deceased=False,
    )  # fmt: skip


def test_clients_are_found_by_id_in_their_own_practice_only(shared: Shown, people: People) -> None:
    found = shared.search.find(shared.here.practice_id, [people["ana"], UUID(int=1)])
    assert list(found) == [people["ana"]]
    assert shared.search.find(shared.there.practice_id, [people["ana"]]) == {}


def test_the_position_is_that_of_the_practice(shared: Shown, people: People) -> None:
    assert shared.search.position(shared.here.practice_id) == shared.here.head() == 6
    assert shared.search.position(shared.there.practice_id) == shared.there.head() == 2


class TestPossibleDuplicates:
    def test_the_same_phone_number_however_written(self, shared: Shown, people: People) -> None:
        found = shared.search.possible_duplicates(
            shared.here.practice_id, "Somebody", "Else", date(2000, 1, 1), "212.555.0100"
        )
        assert ids(found) == [people["ana"]]

    def test_the_same_email_in_other_letters(self, shared: Shown, people: People) -> None:
        found = shared.search.possible_duplicates(
            shared.here.practice_id, "Somebody", "Else", None, None, " MARY@EX.COM "
        )
        assert ids(found) == [people["mary"]]

    def test_the_same_birth_date_and_a_similar_name(self, shared: Shown, people: People) -> None:
        find = shared.search.possible_duplicates
        assert ids(find(shared.here.practice_id, "Anna", "Bel", BORN)) == [people["ana"]]
        assert find(shared.here.practice_id, "Zebulon", "Quirk", BORN) == []
        assert find(shared.here.practice_id, "Anna", "Bel", date(1990, 3, 28)) == []

    def test_who_agrees_in_most_comes_first(self, shared: Shown, people: People) -> None:
        found = shared.search.possible_duplicates(
            shared.here.practice_id, "Ana", "Bell", BORN, "917 555 0199", "ana.b@ex.com"
        )
        assert ids(found) == [people["ana"], people["lars"]]

    @pytest.mark.usefixtures("people")
    def test_nothing_known_finds_nobody(self, shared: Shown) -> None:
        assert shared.search.possible_duplicates(shared.here.practice_id, "Ana", "Bell") == []


def test_a_changed_name_and_number_are_found_and_the_old_ones_no_more(shown: Shown) -> None:
    here = shown.here
    client = here.register("Ana", "Bell", phone="212 555 0100", email="ana@ex.com")
    other = here.register("Ana", "Bell")
    shown.catch_up()
    here.change(client, family_name="Quirk", phone="646 777 0000", email=None)
    shown.catch_up()
    find = shown.search.search
    assert ids(find(here.practice_id, "quirk")) == [client]
    assert ids(find(here.practice_id, "646777")) == [client]
    assert ids(find(here.practice_id, "bell")) == [other]
    assert find(here.practice_id, "2125550100") == []
    assert find(here.practice_id, "ana@ex") == []


def test_a_record_that_was_merged_away_says_where_it_went(shown: Shown) -> None:
    here = shown.here
    kept, other = here.register("Ana", "Bell"), here.register("Anna", "Bell")
    here.merge(kept, other)
    shown.catch_up()
    by_id = {one.id: one for one in shown.search.search(here.practice_id, "anna bell")}
    assert by_id[other].merged_into == kept
    assert by_id[kept].merged_into is None
    assert list(by_id) == [kept, other], "the record to read on at comes first"
    here.unmerge(kept, other)
    shown.catch_up()
    assert all(one.merged_into is None for one in shown.search.search(here.practice_id, "bell"))


def test_a_death_is_shown_and_taken_back(shown: Shown) -> None:
    here = shown.here
    client, other = here.register("Ana", "Bell"), here.register("Ana", "Bell")
    here.die(client)
    shown.catch_up()
    found = {one.id: one.is_deceased for one in shown.search.search(here.practice_id, "bell")}
    assert found == {client: True, other: False}
    here.live(client)
    shown.catch_up()
    assert not any(one.is_deceased for one in shown.search.search(here.practice_id, "bell"))


def test_an_answer_is_never_longer_than_twenty_rows(shown: Shown) -> None:
    for number in range(MOST + 5):
        shown.here.register("Ana", f"Bell{number}", phone=f"212 555 {number:04}", email="a@ex.com")
    shown.catch_up()
    for typed in ("bell", "212555", "a@ex", "1990-02-28"):
        assert len(shown.search.search(shown.here.practice_id, typed)) == MOST
    assert len(
        shown.search.possible_duplicates(shown.here.practice_id, "Ana", "Bell", BORN)
    ) == MOST  # fmt: skip


def test_an_exact_name_comes_first_among_many_like_it(shown: Shown) -> None:
    for number in range(30):
        shown.here.register("Ana", f"Bella{number}")
    meant = shown.here.register("Ana", "Bell")
    shown.catch_up()
    assert ids(shown.search.search(shown.here.practice_id, "ana bell"))[0] == meant


def test_the_search_reads_an_index_under_row_level_security(shown: Shown) -> None:
    """Operators that might leak are never looked up in an index there; these must be."""
    shown.here.register()
    shown.catch_up()
    with shown.record.database.practice(shown.here.practice_id) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(
            """EXPLAIN SELECT client_id FROM projection.client_search_gram_v1
            WHERE practice_id = %s AND gram = ANY (%s)""",
            (shown.here.practice_id, ["  a", " an"]),
        ).fetchall()
    conditions = [line for (line,) in plan if "Index Cond" in line]
    assert len(conditions) == 1
    assert "gram = ANY" in conditions[0]

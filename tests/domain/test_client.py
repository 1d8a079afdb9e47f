"""What a client's record allows and refuses."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.client.aggregate import (
    CLIENT,
    BirthDateAfterDeath,
    BirthDateInFuture,
    BirthDateTooEarly,
    Client,
    ClientAlreadyRegistered,
    ClientMerged,
    ClientsNotMerged,
    ClientUnknown,
    DeathAlreadyRecorded,
    DeathDateImpossible,
    DeathNotRecorded,
    DetailRequired,
    NoDetailsGiven,
    NothingChanged,
    SameClient,
    living_record,
)
from domain.client.commands import (
    AbsorbClient,
    ChangeContactDetails,
    MergeAway,
    RecordDeath,
    RegisterClient,
    ReleaseClient,
    RestoreClient,
    WithdrawDeath,
)
from domain.client.events import (
    ClientAbsorbed,
    ClientMergedAway,
    ClientRegistered,
    ClientReleased,
    ClientRestored,
    ContactDetailsChanged,
    DeathRecorded,
    DeathWithdrawn,
    Details,
)
from domain.kernel.events import Command
from domain.kernel.ids import ActorId, ClientId
from tests.support.spec import Spec

client = Spec(CLIENT)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOON.date()
MARA, HER_DOUBLE, SOMEBODY_ELSE = (ClientId(UUID(int=n)) for n in (1, 2, 3))
RECEPTION = ActorId(UUID(int=9))

details = Details(
    given_name="Mara",
    family_name="Ødegård",
    birth_date=date(1984, 7, 19),
    phone="+1 212 555 0100",
    email="mara@example.com",
)
register = RegisterClient(by=RECEPTION, at=NOON, client_id=MARA, details=details)
registered = ClientRegistered(client_id=MARA, occurred_at=NOON, details=details)

die = RecordDeath(by=RECEPTION, at=NOON, died_on=date(2026, 2, 27), source="her sister rang")
died = DeathRecorded(
    client_id=MARA, occurred_at=NOON, died_on=date(2026, 2, 27), source="her sister rang"
)
undo_death = WithdrawDeath(by=RECEPTION, at=NOON, reason="her mother of the same name")
death_withdrawn = DeathWithdrawn(
    client_id=MARA, occurred_at=NOON, reason="her mother of the same name"
)

absorb = AbsorbClient(by=RECEPTION, at=NOON, other_client_id=HER_DOUBLE, reason="same person")
absorbed = ClientAbsorbed(
    client_id=MARA, occurred_at=NOON, other_client_id=HER_DOUBLE, reason="same person"
)
release = ReleaseClient(by=RECEPTION, at=NOON, other_client_id=HER_DOUBLE, reason="twins")
released = ClientReleased(
    client_id=MARA, occurred_at=NOON, other_client_id=HER_DOUBLE, reason="twins"
)
merge_away = MergeAway(by=RECEPTION, at=NOON, into_client_id=SOMEBODY_ELSE, reason="same person")
merged_away = ClientMergedAway(
    client_id=MARA, occurred_at=NOON, into_client_id=SOMEBODY_ELSE, reason="same person"
)
restore = RestoreClient(by=RECEPTION, at=NOON, from_client_id=SOMEBODY_ELSE, reason="twins")
restored = ClientRestored(
    client_id=MARA, occurred_at=NOON, from_client_id=SOMEBODY_ELSE, reason="twins"
)


def change(**given: Any) -> ChangeContactDetails:
    return ChangeContactDetails(by=RECEPTION, at=NOON, **given)


def changed(**given: object) -> ContactDetailsChanged:
    now = Details.model_validate(dict(details) | given)
    return ContactDetailsChanged(client_id=MARA, occurred_at=NOON, details=now)


def born(day: date, at: datetime = NOON) -> RegisterClient:
    someone = details.model_copy(update={"birth_date": day})
    return RegisterClient(by=RECEPTION, at=at, client_id=MARA, details=someone)


# --- registering -------------------------------------------------------------------------------


def test_a_client_is_registered() -> None:
    client.given().when(register).then(registered)


def test_a_client_is_registered_once() -> None:
    client.given(registered).when(register).refused(ClientAlreadyRegistered)


def test_a_record_that_was_merged_away_is_not_registered_again() -> None:
    client.given(registered, merged_away).when(register).refused(ClientAlreadyRegistered)


def test_a_child_born_today_is_registered() -> None:
    assert client.given().when(born(TODAY)).refusal is None


def test_nobody_is_born_tomorrow() -> None:
    refusal = client.given().when(born(TODAY + timedelta(days=1))).refused(BirthDateInFuture)
    assert refusal.field == "birth_date"


def test_today_is_the_day_where_the_practice_is() -> None:
    sydney = datetime(2026, 3, 3, 8, tzinfo=timezone(timedelta(hours=11)))
    assert sydney.astimezone(UTC).date() == TODAY
    assert client.given().when(born(sydney.date(), at=sydney)).refusal is None
    los_angeles = datetime(2026, 3, 2, 20, tzinfo=timezone(timedelta(hours=-8)))
    assert los_angeles.astimezone(UTC).date() == date(2026, 3, 3)
    client.given().when(born(date(2026, 3, 3), at=los_angeles)).refused(BirthDateInFuture)


def test_the_oldest_client_is_130() -> None:
    assert client.given().when(born(date(1896, 1, 1))).refusal is None
    client.given().when(born(date(1895, 12, 31))).refused(BirthDateTooEarly)


# --- contact details ---------------------------------------------------------------------------


def test_a_client_moves_to_another_phone() -> None:
    client.given(registered).when(change(phone="(212) 555-0199")).then(
        changed(phone="(212) 555-0199")
    )


def test_details_that_are_not_given_stay() -> None:
    history = (registered, changed(email="new@example.com"))
    client.given(*history).when(change(given_name="Maria")).then(
        changed(given_name="Maria", email="new@example.com")
    )


def test_a_phone_or_email_given_as_none_is_taken_off() -> None:
    client.given(registered).when(change(phone=None)).then(changed(phone=None))
    client.given(registered).when(change(email=None)).then(changed(email=None))


@pytest.mark.parametrize("name", ["given_name", "family_name", "birth_date"])
def test_a_name_or_birth_date_cannot_be_taken_off(name: str) -> None:
    asked = change(**{name: None, "phone": "+1 212 555 0199"})
    assert client.given(registered).when(asked).refused(DetailRequired).field == name


def test_a_change_names_at_least_one_detail() -> None:
    client.given(registered).when(change()).refused(NoDetailsGiven)


def test_a_change_changes_something() -> None:
    same = change(phone=details.phone, given_name=details.given_name)
    client.given(registered).when(same).refused(NothingChanged)


def test_a_changed_detail_is_checked_like_a_new_one() -> None:
    for wrong in ({"email": "mara at example.com"}, {"phone": "soon"}, {"given_name": " "}):
        with pytest.raises(ValidationError):
            change(**wrong)


def test_a_corrected_birth_date_is_checked_too() -> None:
    client.given(registered).when(change(birth_date=date(2026, 3, 3))).refused(BirthDateInFuture)
    client.given(registered).when(change(birth_date=date(1860, 1, 1))).refused(BirthDateTooEarly)


def test_who_has_died_was_born_before() -> None:
    client.given(registered, died).when(change(birth_date=date(2026, 2, 28))).refused(
        BirthDateAfterDeath
    )


def test_a_very_old_client_can_still_get_another_phone() -> None:
    at = datetime(1984 + 131, 1, 1, tzinfo=UTC)
    asked = ChangeContactDetails(by=RECEPTION, at=at, phone="+1 212 555 0199")
    assert client.given(registered).when(asked).refusal is None


# --- death -------------------------------------------------------------------------------------


def test_a_death_is_recorded_with_its_source() -> None:
    client.given(registered).when(die).then(died)


def test_a_death_is_recorded_once() -> None:
    client.given(registered, died).when(die).refused(DeathAlreadyRecorded)


@pytest.mark.parametrize("day", [details.birth_date - timedelta(days=1), date(2026, 3, 3)])
def test_a_death_lies_between_birth_and_today(day: date) -> None:
    impossible = die.model_copy(update={"died_on": day})
    client.given(registered).when(impossible).refused(DeathDateImpossible)


@pytest.mark.parametrize("day", [details.birth_date, TODAY])
def test_birth_and_today_are_possible_days(day: date) -> None:
    assert client.given(registered).when(die.model_copy(update={"died_on": day})).refusal is None


def test_a_death_recorded_in_error_is_withdrawn() -> None:
    client.given(registered, died).when(undo_death).then(death_withdrawn)


def test_a_death_can_be_recorded_again_after_it_was_withdrawn() -> None:
    client.given(registered, died, death_withdrawn).when(die).then(died)


def test_only_a_recorded_death_is_withdrawn() -> None:
    client.given(registered).when(undo_death).refused(DeathNotRecorded)
    client.given(registered, died, death_withdrawn).when(undo_death).refused(DeathNotRecorded)


def test_contact_details_can_be_corrected_after_death() -> None:
    client.given(registered, died).when(change(phone=None)).then(changed(phone=None))


# --- two records of one person -----------------------------------------------------------------


def test_a_record_takes_another_in() -> None:
    client.given(registered).when(absorb).then(absorbed)


def test_a_record_points_at_the_one_that_is_kept() -> None:
    client.given(registered).when(merge_away).then(merged_away)


def test_a_record_is_not_merged_with_itself() -> None:
    with_herself = absorb.model_copy(update={"other_client_id": MARA})
    into_herself = merge_away.model_copy(update={"into_client_id": MARA})
    client.given(registered).when(with_herself).refused(SameClient)
    client.given(registered).when(into_herself).refused(SameClient)


def test_a_record_is_taken_in_once() -> None:
    client.given(registered, absorbed).when(absorb).refused(ClientMerged, merged_into=MARA)


def test_a_record_that_was_let_go_can_be_taken_in_again() -> None:
    client.given(registered, absorbed, released).when(absorb).then(absorbed)


@pytest.mark.parametrize("command", [change(phone=None), die, undo_death, absorb, merge_away])
def test_a_record_merged_away_says_where_it_went(command: Command) -> None:
    client.given(registered, merged_away).when(command).refused(
        ClientMerged, merged_into=SOMEBODY_ELSE
    )


def test_a_record_is_let_go() -> None:
    client.given(registered, absorbed).when(release).then(released)


def test_a_record_merged_away_can_still_let_go_of_what_it_took_in() -> None:
    client.given(registered, absorbed, merged_away).when(release).then(released)


def test_only_what_was_taken_in_is_let_go() -> None:
    client.given(registered).when(release).refused(ClientsNotMerged)
    client.given(registered, absorbed, released).when(release).refused(ClientsNotMerged)
    another = release.model_copy(update={"other_client_id": SOMEBODY_ELSE})
    client.given(registered, absorbed).when(another).refused(ClientsNotMerged)


def test_a_record_stands_by_itself_again() -> None:
    client.given(registered, merged_away).when(restore).then(restored)
    client.given(registered, merged_away, restored).when(change(phone=None)).then(
        changed(phone=None)
    )


def test_only_the_record_it_was_merged_into_gives_it_back() -> None:
    client.given(registered).when(restore).refused(ClientsNotMerged)
    from_another = restore.model_copy(update={"from_client_id": HER_DOUBLE})
    client.given(registered, merged_away).when(from_another).refused(ClientsNotMerged)


@pytest.mark.parametrize(
    "command",
    [change(phone=None), die, undo_death, absorb, merge_away, release, restore],
)
def test_nothing_can_be_asked_of_a_client_nobody_knows(command: Command) -> None:
    client.given().when(command).refused(ClientUnknown)


def test_a_living_record_gives_its_details() -> None:
    assert living_record(CLIENT.fold([registered])) == details
    with pytest.raises(ClientUnknown):
        living_record(Client())
    with pytest.raises(ClientMerged):
        living_record(CLIENT.fold([registered, merged_away]))

"""How a note that was written on the wrong client's chart gets to the right one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain.chart.aggregate import (
    NOTE,
    NoteHasMoved,
    NoteIsRetracted,
    NoteNotSigned,
    SameChart,
)
from domain.chart.commands import AddAddendum, CorrectNote, RetractNote, SignNote
from domain.chart.events import EarlierEntry, NoteMovedAway, NoteMovedIn, Sections
from domain.client.aggregate import CLIENT, Client, ClientMerged, ClientUnknown
from domain.client.events import ClientMergedAway, ClientRegistered, Details
from domain.kernel.errors import DomainError
from domain.kernel.events import Act, Command, Event
from domain.kernel.ids import ActorId, ClientId, NoteId
from domain.usecases.reassign_note import reassign
from tests.support.spec import Streams, recorded

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
VISIT = NOON - timedelta(days=3)
MARA, HER_SISTER, A_THIRD = (ClientId(UUID(int=n)) for n in (1, 2, 3))
FIRST, SECOND, THIRD = (NoteId(UUID(int=n)) for n in (11, 12, 13))
AUTHOR, COLLEAGUE, DESK = (ActorId(UUID(int=n)) for n in (21, 22, 23))
SOAP = Sections(subjective="Itching since Friday.", plan="Antihistamine, review tomorrow.")
CORRECTED = SOAP.model_copy(update={"plan": "Antihistamine, review on Monday."})


def on_file(client_id: ClientId) -> Client:
    details = Details(given_name="Mara", family_name="Berg", birth_date=date(1984, 7, 19))
    event = ClientRegistered(client_id=client_id, occurred_at=NOON, details=details)
    return CLIENT.fold([event])


def written(*later: Command) -> Streams:
    """A late entry on Mara's chart, and what was done to it."""
    sign = SignNote(by=AUTHOR, at=NOON, client_id=MARA, sections=SOAP, occurred_at=VISIT)
    streams = Streams()
    for command in (sign, *later):
        streams.perform(Act(NOTE, FIRST, command))
    return streams


def moved(
    streams: Streams, note_id: NoteId, successor_id: NoteId, to_client: Client
) -> Sequence[Event]:
    """Moves the note as the record would have it; returns the successor's events."""
    history = recorded(streams.events.get(note_id, []), stream_id=note_id, actor=COLLEAGUE, at=NOON)
    streams.perform(
        *reassign(history, note_id, successor_id, to_client, "wrong chart", by=DESK, at=NOON)
    )
    return streams.events[successor_id]


ADD = AddAddendum(by=COLLEAGUE, at=NOON, text="Rang: better.")
CORRECT = CorrectNote(
    by=AUTHOR, at=NOON, changes={"plan": CORRECTED.plan}, reason="wrong day written"
)


def test_both_charts_say_where_the_note_went_and_came_from() -> None:
    streams = written()
    (arrived,) = moved(streams, FIRST, SECOND, on_file(HER_SISTER))
    assert streams.events[FIRST][-1] == NoteMovedAway(
        client_id=MARA,
        occurred_at=VISIT,
        to_client_id=HER_SISTER,
        to_note_id=SECOND,
        reason="wrong chart",
    )
    assert isinstance(arrived, NoteMovedIn)
    assert (arrived.from_client_id, arrived.from_note_id) == (MARA, FIRST)
    assert (arrived.client_id, arrived.reason) == (HER_SISTER, "wrong chart")


def test_the_note_arrives_as_it_stood_under_its_authors_name_and_time() -> None:
    (arrived,) = moved(written(ADD, CORRECT), FIRST, SECOND, on_file(HER_SISTER))
    assert isinstance(arrived, NoteMovedIn)
    assert (arrived.sections, arrived.addenda) == (CORRECTED, ("Rang: better.",))
    assert (arrived.signed_by, arrived.signed_at) == (AUTHOR, NOON)
    assert arrived.occurred_at == VISIT
    assert arrived.is_late_entry


def test_the_right_chart_tells_who_wrote_what_without_the_wrong_one() -> None:
    (arrived,) = moved(written(ADD, CORRECT), FIRST, SECOND, on_file(HER_SISTER))
    assert isinstance(arrived, NoteMovedIn)
    assert arrived.history == (
        EarlierEntry(
            kind="signature", author=AUTHOR, recorded_at=NOON, sections=SOAP, is_late_entry=True
        ),
        EarlierEntry(
            kind="addendum",
            author=COLLEAGUE,  # the log says who wrote it
            recorded_at=NOON,
            sections=SOAP,
            text="Rang: better.",
        ),
        EarlierEntry(
            kind="correction",
            author=COLLEAGUE,
            recorded_at=NOON,
            sections=CORRECTED,
            reason="wrong day written",
        ),
    )


def test_a_note_moved_twice_brings_everything_along() -> None:
    streams = written(ADD)
    (first_move,) = moved(streams, FIRST, SECOND, on_file(HER_SISTER))
    streams.perform(Act(NOTE, SECOND, CORRECT))
    (second_move,) = moved(streams, SECOND, THIRD, on_file(A_THIRD))
    assert isinstance(first_move, NoteMovedIn)
    assert isinstance(second_move, NoteMovedIn)
    assert second_move.history[:2] == first_move.history
    assert [entry.kind for entry in second_move.history] == ["signature", "addendum", "correction"]
    assert (second_move.sections, second_move.addenda) == (CORRECTED, ("Rang: better.",))
    assert (second_move.from_client_id, second_move.from_note_id) == (HER_SISTER, SECOND)


def test_a_note_may_be_moved_back_to_a_new_place_on_the_first_chart() -> None:
    streams = written()
    moved(streams, FIRST, SECOND, on_file(HER_SISTER))
    (back,) = moved(streams, SECOND, THIRD, on_file(MARA))
    assert isinstance(back, NoteMovedIn)
    assert (back.client_id, back.sections) == (MARA, SOAP)


def test_what_is_on_the_wrong_chart_stays_legible() -> None:
    streams = written(ADD, CORRECT)
    before = list(streams.events[FIRST])
    moved(streams, FIRST, SECOND, on_file(HER_SISTER))
    assert streams.events[FIRST][:-1] == before


MERGED_AWAY = CLIENT.evolve(
    on_file(HER_SISTER),
    ClientMergedAway(client_id=HER_SISTER, occurred_at=NOON, into_client_id=A_THIRD, reason="same"),
)


@pytest.mark.parametrize(
    ("streams", "to_client", "refusal"),
    [
        (Streams(), on_file(HER_SISTER), NoteNotSigned),
        (written(), Client(), ClientUnknown),
        (written(), MERGED_AWAY, ClientMerged),
        (written(), on_file(MARA), SameChart),
        (
            written(RetractNote(by=AUTHOR, at=NOON, reason="x")),
            on_file(HER_SISTER),
            NoteIsRetracted,
        ),
    ],
)
def test_a_move_happens_to_both_charts_or_to_neither(
    streams: Streams, to_client: Client, refusal: type[DomainError]
) -> None:
    before = {one: list(events) for one, events in streams.events.items()}
    with pytest.raises(refusal):
        moved(streams, FIRST, SECOND, to_client)
    assert streams.events == before


def test_a_note_leaves_its_chart_once() -> None:
    streams = written()
    moved(streams, FIRST, SECOND, on_file(HER_SISTER))
    with pytest.raises(NoteHasMoved):
        moved(streams, FIRST, THIRD, on_file(A_THIRD))
    assert THIRD not in streams.events

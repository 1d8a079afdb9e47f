"""One note in the field's words: what is asked of it, and the facts that follow."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.chart.commands import (
    AddAddendum,
    CorrectNote,
    LockNote,
    MoveNoteAway,
    MoveNoteIn,
    RetractNote,
    SignNote,
)
from domain.chart.events import (
    AddendumAdded,
    EarlierEntry,
    NoteCorrected,
    NoteLocked,
    NoteMovedAway,
    NoteMovedIn,
    NoteRetracted,
    NoteSigned,
    Sections,
)
from domain.chart.policy import LATE_ENTRY_RULE
from domain.kernel.ids import ActorId, ClientId, NoteId

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
VISIT = NOON - timedelta(minutes=20)
MARA, SOMEBODY_ELSE = (ClientId(UUID(int=n)) for n in (1, 2))
THIS_NOTE, THE_OTHER_NOTE = (NoteId(UUID(int=n)) for n in (11, 12))
DR_OKAFOR, A_COLLEAGUE = (ActorId(UUID(int=n)) for n in (21, 22))

soap = Sections(
    subjective="Wants a softer frown.",
    objective="Glabellar lines at rest, grade 2.",
    assessment="Suitable for botulinum toxin.",
    plan="20 units, five points; review in two weeks.",
)
sign = SignNote(by=DR_OKAFOR, at=NOON, client_id=MARA, sections=soap, occurred_at=VISIT)
sign_unlocked = sign.model_copy(update={"lock": False})
signed = NoteSigned(
    client_id=MARA,
    occurred_at=VISIT,
    sections=soap,
    signed_by=DR_OKAFOR,
    signed_at=NOON,
    is_locked=True,
    is_late_entry=False,
    rule=LATE_ENTRY_RULE,
)
signed_unlocked = signed.model_copy(update={"is_locked": False})
lock = LockNote(by=DR_OKAFOR, at=NOON)
locked = NoteLocked(client_id=MARA, occurred_at=VISIT)
add = AddAddendum(by=A_COLLEAGUE, at=NOON, text="Rang next day: no headache.")
added = AddendumAdded(client_id=MARA, occurred_at=VISIT, text="Rang next day: no headache.")
correct = CorrectNote(
    by=DR_OKAFOR, at=NOON, changes={"plan": "25 units, five points."}, reason="misread the syringe"
)
corrected = NoteCorrected(
    client_id=MARA,
    occurred_at=VISIT,
    changes={"plan": "25 units, five points."},
    reason="misread the syringe",
)
retract = RetractNote(by=DR_OKAFOR, at=NOON, reason="entered in error")
retracted = NoteRetracted(client_id=MARA, occurred_at=VISIT, reason="entered in error")
move_away = MoveNoteAway(
    by=DR_OKAFOR,
    at=NOON,
    to_client_id=SOMEBODY_ELSE,
    to_note_id=THE_OTHER_NOTE,
    reason="wrong chart",
)
moved_away = NoteMovedAway(
    client_id=MARA,
    occurred_at=VISIT,
    to_client_id=SOMEBODY_ELSE,
    to_note_id=THE_OTHER_NOTE,
    reason="wrong chart",
)
first_entry = EarlierEntry(
    kind="signature", author=DR_OKAFOR, recorded_at=NOON, sections=soap, is_late_entry=True
)
move_in = MoveNoteIn(
    by=A_COLLEAGUE,
    at=NOON,
    client_id=MARA,
    from_client_id=SOMEBODY_ELSE,
    from_note_id=THE_OTHER_NOTE,
    sections=soap,
    addenda=("Rang next day: no headache.",),
    signed_by=DR_OKAFOR,
    signed_at=NOON,
    is_late_entry=True,
    history=(first_entry,),
    occurred_at=VISIT,
    reason="wrong chart",
)
moved_in = NoteMovedIn(
    client_id=MARA,
    occurred_at=VISIT,
    from_client_id=SOMEBODY_ELSE,
    from_note_id=THE_OTHER_NOTE,
    sections=soap,
    addenda=("Rang next day: no headache.",),
    signed_by=DR_OKAFOR,
    signed_at=NOON,
    is_late_entry=True,
    history=(first_entry,),
    reason="wrong chart",
)
AMENDMENTS = [lock, add, correct, retract, move_away]


def reading(**sections: str) -> Sections:
    return soap.model_copy(update=sections)

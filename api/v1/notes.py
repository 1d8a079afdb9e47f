"""JSON routes for notes: draft, sign, amend, retract, move, read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.asking import Asking, Can, IfMatch
from api.drafting import DraftIn, Saved, open_note, save_draft, sign_note
from api.inputs import AddendumIn, CorrectionIn, ReassignmentIn, RetractionIn, SignatureIn
from api.reading import NoteOut, read_note
from api.v1.answers import REFUSALS, WrittenOut, written
from api.writing import add_addendum, correct_note, reassign_note, retract_note
from domain.chart.events import SECTIONS
from domain.kernel.permissions import Permission

router = APIRouter(prefix="/v1", tags=["notes"], responses=REFUSALS)

Reads = Annotated[Asking, Depends(Can(Permission.CHART_READ, "read"))]
Writes = Annotated[Asking, Depends(Can(Permission.NOTE_WRITE, "draft"))]
Signs = Annotated[Asking, Depends(Can(Permission.NOTE_SIGN, "write"))]
Amends = Annotated[Asking, Depends(Can(Permission.NOTE_AMEND, "write"))]


class Reassigned(WrittenOut):
    """A note was moved: where it continues."""

    to_note_id: UUID


@router.post("/clients/{client_id}/notes", status_code=201)
def start_note(
    client_id: UUID, body: DraftIn, asking: Writes, expected: IfMatch, response: Response
) -> Saved:
    """Starts a draft on a client's chart. 409 `client_merged`."""
    saved = open_note(asking, client_id, body, expected)
    response.headers["Location"] = f"/v1/notes/{saved.id}"
    return saved


@router.get("/notes/{note_id}")
def get_note(note_id: UUID, asking: Reads, response: Response) -> NoteOut:
    """The note with every version it ever had, and its draft while it is unsigned."""
    note = read_note(asking, note_id)
    response.headers["ETag"] = f'"{note.version}"'
    return note


@router.put("/notes/{note_id}/draft")
def put_draft(note_id: UUID, body: DraftIn, asking: Writes, expected: IfMatch) -> Saved:
    """Saves unsigned text. 409 `stale_draft` when `revision` is not the latest, `note_locked`."""
    return save_draft(asking, note_id, body, expected)


@router.post("/notes/{note_id}/signature")
def sign(
    note_id: UUID,
    asking: Signs,
    expected: IfMatch,
    response: Response,
    body: SignatureIn | None = None,
) -> WrittenOut:
    """Signs the draft, and locks it. 409 `note_already_signed`, 422 `note_empty`."""
    body = body or SignatureIn()
    answer = sign_note(
        asking,
        note_id,
        lock=body.lock,
        revision=body.revision,
        seen_position=body.seen_position,
        expected=expected,
    )
    return written(response, answer)


@router.post("/notes/{note_id}/addenda")
def addendum(
    note_id: UUID, body: AddendumIn, asking: Amends, expected: IfMatch, response: Response
) -> WrittenOut:
    """Adds below the signed text. 409 `note_not_signed`."""
    return written(response, add_addendum(asking, note_id, body.text, expected))


@router.post("/notes/{note_id}/corrections")
def correction(
    note_id: UUID, body: CorrectionIn, asking: Amends, expected: IfMatch, response: Response
) -> WrittenOut:
    """Changes wording, with a reason; the signed text stays. 403 `not_the_author`."""
    changes = {name: text for name in SECTIONS if (text := getattr(body, name)) is not None}
    return written(response, correct_note(asking, note_id, changes, body.reason, expected))


@router.post("/notes/{note_id}/retraction")
def retraction(
    note_id: UUID, body: RetractionIn, asking: Amends, expected: IfMatch, response: Response
) -> WrittenOut:
    """Marks the note as entered in error; it stays legible. 409 `note_retracted`."""
    return written(response, retract_note(asking, note_id, body.reason, expected))


@router.post("/notes/{note_id}/reassignment")
def reassignment(
    note_id: UUID, body: ReassignmentIn, asking: Amends, expected: IfMatch, response: Response
) -> Reassigned:
    """Moves the note to the right client: two linked events, both legible. 422 `same_chart`."""
    answer, successor = reassign_note(asking, note_id, body.to_client_id, body.reason, expected)
    out = written(response, answer)
    return Reassigned(**dict(out), to_note_id=successor)

"""Pages that read a signed note and amend it: addendum, correction, retraction, move."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.inputs import AddendumIn, CorrectionIn, ReassignmentIn, RetractionIn
from api.reading import NoteOut, read_note
from api.web.charts import identity
from api.web.note_page import note_page
from api.web.page import Page, PageRoute, page, refusal, typed
from api.web.people import head, search
from api.web.views.clients import Search
from api.writing import add_addendum, correct_note, reassign_note, retract_note
from domain.chart.events import SECTIONS
from domain.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from domain.kernel.permissions import Permission

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/notes/{note_id}")

Reads = Annotated[Page, Depends(page(Permission.CHART_READ, "read"))]
Amends = Annotated[Page, Depends(page(Permission.NOTE_AMEND, "write"))]
Number = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("")
def read(note_id: UUID, page: Reads, left: Number = 0, right: Number = 0) -> Response:
    """The note with every version; `left` and `right` choose which two texts are compared."""
    note = read_note(page.asking, note_id)
    if note.status == "draft":
        return page.go(f"/notes/{note_id}/edit")
    return _show(page, note, left=left, right=right)


@router.post("/addenda")
def addendum(note_id: UUID, page: Amends) -> Response:
    """Adds below the signed text."""

    def act(body: AddendumIn) -> str:
        add_addendum(page.asking, note_id, body.text, page.expected())
        return f"/notes/{note_id}"

    return _act(page, note_id, "addendum", AddendumIn, ("text",), act)


@router.post("/corrections")
def correction(note_id: UUID, page: Amends) -> Response:
    """Changes wording, with a reason; sections left as they were are no part of it."""

    def act(body: CorrectionIn) -> str:
        changes = {name: text for name in SECTIONS if (text := getattr(body, name)) is not None}
        correct_note(page.asking, note_id, changes, body.reason, page.expected())
        return f"/notes/{note_id}"

    return _act(page, note_id, "correction", CorrectionIn, ("reason", *SECTIONS), act)


@router.post("/retraction")
def retraction(note_id: UUID, page: Amends) -> Response:
    """Marks the note as entered in error; it stays legible."""

    def act(body: RetractionIn) -> str:
        retract_note(page.asking, note_id, body.reason, page.expected())
        return f"/notes/{note_id}"

    return _act(page, note_id, "retraction", RetractionIn, ("reason",), act)


@router.post("/reassignment/search")
def search_client(note_id: UUID, page: Amends) -> Response:
    """Who was found, to move the note to; a script gets the choice alone."""
    found = search(page)
    if page.is_part:
        return page.show("parts/_choices.html", search=found, name="to_client_id")
    return _show(page, read_note(page.asking, note_id), opened="move", found=found)


@router.post("/reassignment")
def reassignment(note_id: UUID, page: Amends) -> Response:
    """Moves the note to the right client and goes to it there."""

    def act(body: ReassignmentIn) -> str:
        _, successor = reassign_note(
            page.asking, note_id, body.to_client_id, body.reason, page.expected()
        )
        return f"/notes/{successor}"

    return _act(page, note_id, "move", ReassignmentIn, ("to_client_id", "reason"), act)


_SAID = {
    "addendum": "addendum_added",
    "correction": "corrected",
    "retraction": "retracted",
    "move": "moved",
}


def _act(
    page: Page,
    note_id: UUID,
    name: str,
    model: type,
    fields: tuple[str, ...],
    act: Callable[..., str],
) -> Response:
    """Does it, or shows the note again with what was typed and what is wrong with it."""
    sent = {field: page.form[field] for field in fields if field in page.form}
    body, errors = typed(model, sent)
    status = 422
    if body is not None:
        try:
            return page.go(act(body), _SAID[name])
        except (Invalid, Conflict, Forbidden) as error:
            kind = {Invalid: 422, Conflict: 409, Forbidden: 403}
            status = next(number for base, number in kind.items() if isinstance(error, base))
            errors = refusal(error)
        except NotFound as error:
            if name != "move":
                raise
            status, errors = 422, {"to_client_id": refusal(error).get("", "")}
    if "sections" in errors:
        errors = {"": errors["sections"]}
    note = read_note(page.asking, note_id)
    return _show(page, note, opened=name, typed=sent, errors=errors, status=status)


def _show(
    page: Page,
    note: NoteOut,
    *,
    found: Search | None = None,
    status: int = 200,
    **more: object,
) -> Response:
    stream = page.asking.practice.stream(note.client_id)
    return page.show(
        "notes/show.html",
        status,
        client=head(page, identity(stream, note.client_id)),
        note=note_page(page, note, **more),  # type: ignore[arg-type]  # by name, see note_page
        search=found or Search(state="start"),
    )

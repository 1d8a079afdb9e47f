"""Pages for writing a note: draft, save, sign."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.drafting import DraftIn, Saved, open_note, save_draft, sign_note
from api.reading import DraftOut, NoteOut, read_note
from api.web.charts import identity, sections_of
from api.web.page import Page, PageRoute, page, refusal, typed, whole
from api.web.people import head
from api.web.times import NotAMoment
from api.web.views.notes import Conflict as TwoTexts
from api.web.views.notes import ConflictSection, Draft
from domain.chart.events import SECTIONS, Sections
from domain.kernel.errors import Conflict, DomainError, Invalid
from domain.kernel.permissions import Permission
from record.drafts import NotYourDraft, StaleDraft

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reads = Annotated[Page, Depends(page(Permission.NOTE_WRITE, "read"))]
Writes = Annotated[Page, Depends(page(Permission.NOTE_WRITE, "draft"))]
Signs = Annotated[Page, Depends(page(Permission.NOTE_SIGN, "write"))]

ATTESTATION = (
    "I attest that I wrote this note or have read every word of it, that it is accurate and "
    "complete to the best of my knowledge, and that this electronic signature is the equal of my "
    "handwritten one."
)


@router.post("/clients/{client_id}/notes")
def start_note(client_id: UUID, page: Writes) -> Response:
    """Starts an empty draft and goes to it. 409 `client_merged`."""
    saved = open_note(page.asking, client_id, DraftIn())
    return page.go(f"/notes/{saved.id}/edit")


@router.get("/notes/{note_id}/edit")
def edit_page(note_id: UUID, page: Reads) -> Response:
    """The draft, to be written on by its author. A note that is closed is shown instead."""
    note = read_note(page.asking, note_id)
    if note.is_locked or note.status in {"entered_in_error", "moved"}:
        return page.go(f"/notes/{note_id}")
    if note.draft is not None and note.draft.author_id != page.asking.member.member_id:
        raise NotYourDraft
    return _edit_page(page, note, _stored(page, note))


@router.post("/notes/{note_id}/draft")
def save_page(note_id: UUID, page: Writes) -> Response:
    """Saves the draft. A script gets the new state alone; 409 with both texts when they differ."""
    text, errors = _typed(page)
    if text is not None:
        try:
            saved = save_draft(page.asking, note_id, text)
        except StaleDraft:
            return _two_texts(page, note_id)
        except Invalid as error:
            errors = refusal(error)
        else:
            return _saved(page, note_id, saved)
    return _again(page, note_id, errors)


@router.post("/notes/{note_id}/signature")
def sign_page(note_id: UUID, page: Signs) -> Response:
    """Saves what stands in the form and signs exactly that. 409 with both texts if they differ."""
    if page.asking.practice.answered(page.asking.context) is not None:
        return page.go(f"/notes/{note_id}")
    text, errors = _typed(page)
    if text is None:
        return _again(page, note_id, errors)
    lock = page.form.get("lock") == "yes"
    try:
        saved = save_draft(page.asking, note_id, text)
        sign_note(page.asking, note_id, lock=lock, revision=saved.revision)
    except StaleDraft:
        return _two_texts(page, note_id)
    except (Invalid, Conflict) as error:
        return _again(page, note_id, refusal(error), error)
    return page.go(f"/notes/{note_id}", "signed_locked" if lock else "signed")


def _typed(page: Page) -> tuple[DraftIn | None, dict[str, str]]:
    """The form as a draft: the time of care on the practice's clock, the revision it was made from.

    Once both texts were seen, the writer saves upon the revision shown to her.
    """
    form = page.form
    occurred: datetime | None = None
    errors: dict[str, str] = {}
    try:
        if form.get("occurred_at"):
            occurred = page.time.begun(form["occurred_at"], page.asking.context.at)
    except NotAMoment as error:
        errors["occurred_at"] = refusal(error)["as_of"]
    revision = whole(form.get("resolved") or form.get("revision", ""))
    fields: dict[str, Any] = {name: form.get(name, "") for name in SECTIONS}
    text, wrong = typed(DraftIn, {**fields, "occurred_at": occurred, "revision": revision})
    return (None if errors else text), errors | wrong


def _saved(page: Page, note_id: UUID, saved: Saved) -> Response:
    if not page.is_part:
        return page.go(f"/notes/{note_id}/edit", "draft_saved")
    draft = Draft(
        note_id=str(note_id),
        revision=saved.revision,
        sections=(),
        occurred_at="",
        occurred_max="",
        saved=page.time.moment(page.asking.context.at),
    )
    return page.show("notes/_saved.html", draft=draft)


def _again(
    page: Page, note_id: UUID, errors: dict[str, str], error: DomainError | None = None
) -> Response:
    """The form with what was typed and what is wrong with it."""
    note = read_note(page.asking, note_id)
    status = 409 if isinstance(error, Conflict) else 422
    stored = _stored(page, note)
    if "sections" in errors:
        errors = {"": errors["sections"]}
    draft = replace(_from_form(page, stored), errors=errors)
    return _edit_page(page, note, draft, status=status)


def _two_texts(page: Page, note_id: UUID) -> Response:
    """Both texts; what was typed stays in the form, on top of the revision saved meanwhile."""
    note = read_note(page.asking, note_id)
    if note.draft is None:
        raise StaleDraft
    draft = _from_form(page, _stored(page, note))
    mine = {one.key: one.text for one in draft.sections}
    conflict = TwoTexts(
        revision=note.draft.revision,
        author=note.draft.author,
        saved=page.time.moment(note.draft.saved_at),
        sections=tuple(
            ConflictSection(key=one.key, label=one.label, theirs=one.text, mine=mine[one.key])
            for one in sections_of(note.draft.sections)
            if one.text != mine[one.key]
        ),
    )
    if page.is_part:
        return page.show("notes/_conflict.html", 409, conflict=conflict)
    return _edit_page(page, note, draft, status=409, conflict=conflict)


def _stored(page: Page, note: NoteOut) -> Draft:
    """The draft as it was saved; of a signed note not yet locked, its text."""
    found: DraftOut | None = note.draft
    text = found.sections if found else note.versions[-1].sections if note.versions else Sections()
    return Draft(
        note_id=str(note.id),
        revision=found.revision if found else None,
        sections=sections_of(text),
        occurred_at=page.time.typed(found.occurred_at if found else note.occurred_at),
        occurred_max=page.time.typed(page.asking.context.at),
        saved=page.time.moment(found.saved_at) if found else None,
    )


def _from_form(page: Page, stored: Draft) -> Draft:
    """The draft as it was typed, whatever of it may be stored."""
    return replace(
        stored,
        sections=tuple(replace(one, text=page.form.get(one.key, "")) for one in stored.sections),
        occurred_at=page.form.get("occurred_at", ""),
        revision=whole(page.form.get("revision", "")),
    )


def _edit_page(
    page: Page,
    note: NoteOut,
    draft: Draft,
    *,
    status: int = 200,
    conflict: TwoTexts | None = None,
) -> Response:
    stream = page.asking.practice.stream(note.client_id)
    return page.show(
        "notes/edit.html",
        status,
        client=head(page, identity(stream, note.client_id)),
        draft=draft,
        conflict=conflict,
        attestation=ATTESTATION,
    )

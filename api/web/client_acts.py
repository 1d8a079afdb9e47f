"""Pages that change who a client is: contact details, a death, merging and undoing a merge."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.inputs import DeathIn, MergeIn, ReasonIn
from api.reading import ClientOut, read_client
from api.web.charts import identity
from api.web.clients import details_fields, details_form
from api.web.page import Page, PageRoute, page, refusal, typed
from api.web.people import full_name, head, search
from api.web.views.clients import ClientForm, ClientLink, ReasonForm, Search
from api.writing import (
    change_details,
    merge_clients,
    record_death,
    unmerge_clients,
    withdraw_death,
)
from domain.client.aggregate import ClientMerged, ClientsNotMerged, ClientUnknown, NothingChanged
from domain.client.events import Details
from domain.kernel.errors import Conflict, DomainError, Invalid
from domain.kernel.permissions import Permission

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/clients/{client_id}")

Reads = Annotated[Page, Depends(page(Permission.CLIENT_WRITE, "read"))]
Writes = Annotated[Page, Depends(page(Permission.CLIENT_WRITE, "write"))]
ReadsToMerge = Annotated[Page, Depends(page(Permission.CLIENT_MERGE, "read"))]
Merges = Annotated[Page, Depends(page(Permission.CLIENT_MERGE, "write"))]


def _status(error: DomainError) -> int:
    return 422 if isinstance(error, Invalid) else 409


@router.get("/contact-details")
def contact_page(client_id: UUID, page: Reads) -> Response:
    """The contact details, to be changed."""
    client = read_client(page.asking, client_id)
    form = ClientForm(
        given_name=client.given_name or "",
        family_name=client.family_name or "",
        birth_date=client.birth_date.isoformat() if client.birth_date else "",
        phone=client.phone or "",
        email=client.email or "",
        version=client.version,
    )
    return page.show("clients/contact.html", client=head(page, client), form=form)


@router.post("/contact-details")
def change_contact(client_id: UUID, page: Writes) -> Response:
    """Changes them. 422 by field, 409 when somebody else changed them meanwhile."""
    details, errors = typed(Details, details_fields(page))
    status = 422
    if details is not None:
        try:
            change_details(page.asking, client_id, dict(details), page.expected())
        except NothingChanged:
            return page.go(f"/clients/{client_id}")
        except (Invalid, Conflict) as error:
            status, errors = _status(error), refusal(error)
        else:
            return page.go(f"/clients/{client_id}", "details_changed")
    client = read_client(page.asking, client_id)
    form = details_form(page, errors=errors, version=client.version)
    return page.show("clients/contact.html", status, client=head(page, client), form=form)


@router.get("/death")
def death_page(client_id: UUID, page: Reads) -> Response:
    """The form for a death."""
    client = read_client(page.asking, client_id)
    return _reason_page(page, "clients/death.html", client, ReasonForm())


@router.post("/death")
def record_a_death(client_id: UUID, page: Writes) -> Response:
    """Records a death. 422 by field, 409 if one is on record."""
    sent = {"died_on": page.form.get("died_on", ""), "source": page.form.get("reason", "")}
    death, errors = typed(DeathIn, sent)
    status = 422
    if death is not None:
        try:
            record_death(page.asking, client_id, dict(death))
        except (Invalid, Conflict) as error:
            status, errors = _status(error), refusal(error)
        else:
            return page.go(f"/clients/{client_id}", "death_recorded")
    if "source" in errors:
        errors["reason"] = errors.pop("source")
    client = read_client(page.asking, client_id)
    form = ReasonForm(reason=sent["source"], date=sent["died_on"], errors=errors)
    return _reason_page(page, "clients/death.html", client, form, status)


@router.get("/death-withdrawal")
def death_withdrawal_page(client_id: UUID, page: Reads) -> Response:
    """The form to take back a death recorded in error."""
    client = read_client(page.asking, client_id)
    return _reason_page(page, "clients/withdraw_death.html", client, ReasonForm())


@router.post("/death-withdrawal")
def withdraw_a_death(client_id: UUID, page: Writes) -> Response:
    """Takes it back. 409 when none is on record."""
    reason = page.form.get("reason", "")
    why, errors = typed(ReasonIn, {"reason": reason})
    status = 422
    if why is not None:
        try:
            withdraw_death(page.asking, client_id, why.reason)
        except (Invalid, Conflict) as error:
            status, errors = _status(error), refusal(error)
        else:
            return page.go(f"/clients/{client_id}", "death_withdrawn")
    client = read_client(page.asking, client_id)
    form = ReasonForm(reason=reason, errors=errors)
    return _reason_page(page, "clients/withdraw_death.html", client, form, status)


def _reason_page(
    page: Page, template: str, client: ClientOut, form: ReasonForm, status: int = 200
) -> Response:
    return page.show(template, status, client=head(page, client), form=form, version=client.version)


@router.get("/merge")
def merge_page(client_id: UUID, page: ReadsToMerge) -> Response:
    """The search for the other record of the same person."""
    return _merge_page(page, read_client(page.asking, client_id), ReasonForm())


@router.post("/merge/search")
def search_to_merge(client_id: UUID, page: Merges) -> Response:
    """Who was found, to be chosen from; a script gets the choice alone."""
    found = search(page)
    if page.is_part:
        return page.show("parts/_choices.html", search=found, name="other_client_id")
    return _merge_page(page, read_client(page.asking, client_id), ReasonForm(), found=found)


@router.post("/merge")
def merge(client_id: UUID, page: Merges) -> Response:
    """The chosen record goes into this one. 422 by field, 409 if either was merged before."""
    sent = {name: page.form.get(name, "") for name in ("other_client_id", "reason")}
    wanted, errors = typed(MergeIn, sent)
    status = 422
    if wanted is not None:
        other = wanted.other_client_id
        try:
            merge_clients(page.asking, client_id, other, wanted.reason, page.expected())
        except ClientMerged as error:
            status, errors = 409, {"": refusal(error)[""]}
        except (Invalid, Conflict) as error:
            status, errors = _status(error), refusal(error)
        else:
            return page.go(f"/clients/{client_id}", "merged")
    client = read_client(page.asking, client_id)
    form = ReasonForm(reason=sent["reason"], errors=errors)
    return _merge_page(page, client, form, status=status)


def _merge_page(
    page: Page,
    client: ClientOut,
    form: ReasonForm,
    *,
    found: Search | None = None,
    status: int = 200,
) -> Response:
    return page.show(
        "clients/merge.html",
        status,
        client=head(page, client),
        search=found or Search(state="start"),
        form=form,
        chosen="",
        version=client.version,
    )


@router.get("/unmerge/{other_id}")
def unmerge_page(client_id: UUID, other_id: UUID, page: ReadsToMerge) -> Response:
    """The form to undo the merge of two records."""
    return _unmerge_page(page, client_id, other_id, ReasonForm())


@router.post("/unmerge")
def unmerge(client_id: UUID, page: Merges) -> Response:
    """Both records stand by themselves again. 409 if they are not merged."""
    if not page.asking.practice.stream(client_id):
        raise ClientUnknown
    sent = {name: page.form.get(name, "") for name in ("other_client_id", "reason")}
    wanted, errors = typed(MergeIn, sent)
    status = 422
    if wanted is not None:
        other = wanted.other_client_id
        try:
            unmerge_clients(page.asking, client_id, other, wanted.reason, page.expected())
        except (Invalid, Conflict) as error:
            status, errors = _status(error), refusal(error)
        else:
            return page.go(f"/clients/{client_id}", "unmerged")
    if "other_client_id" in errors:
        raise ClientsNotMerged  # no form of ours leaves it out
    other_id = UUID(sent["other_client_id"])
    form = ReasonForm(reason=sent["reason"], errors=errors)
    return _unmerge_page(page, client_id, other_id, form, status)


def _unmerge_page(
    page: Page, client_id: UUID, other_id: UUID, form: ReasonForm, status: int = 200
) -> Response:
    practice = page.asking.practice
    events = practice.stream(client_id)
    if not events:
        raise ClientUnknown
    client = identity(events, client_id)
    if other_id not in {client.merged_into, *client.absorbed}:
        raise ClientsNotMerged
    page.asking.note("read", "client", [client_id])
    other = identity(practice.stream(other_id), other_id)
    name = full_name(other.given_name, other.family_name)
    link = ClientLink(id=str(other_id), name=name, href=f"/clients/{other_id}")
    return page.show(
        "clients/unmerge.html",
        status,
        client=head(page, client),
        other=link,
        form=form,
        version=client.version,
    )

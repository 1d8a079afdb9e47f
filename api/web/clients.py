"""Pages about clients: find, register, open, and the chart through time."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.problems import AsOfInFuture
from api.reading import read_chart, read_client
from api.web.accesses import accesses_of
from api.web.charts import chart_of, history, identity, time_control
from api.web.page import Page, PageRoute, page, refusal, typed
from api.web.people import erasure_notices, head, rows_of, search
from api.web.times import NotAMoment
from api.web.views.clients import ClientForm, Search
from api.writing import register
from domain.client.aggregate import ClientMerged
from domain.client.events import Details
from domain.kernel.errors import Invalid
from domain.kernel.permissions import Permission
from projections.chart_view.document import View

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Searches = Annotated[Page, Depends(page(Permission.CLIENT_SEARCH, "search"))]
Reads = Annotated[Page, Depends(page(Permission.CLIENT_READ, "read"))]
Registers = Annotated[Page, Depends(page(Permission.CLIENT_WRITE, "write"))]
ReadsAccesses = Annotated[Page, Depends(page(Permission.ACCESS_READ, "read"))]
Position = Annotated[int | None, Query(ge=1, lt=2**63)]


@router.get("/clients")
def clients_page(page: Searches) -> Response:
    """The search, empty."""
    return _clients(page, Search(state="start"))


@router.post("/clients/search")
def search_page(page: Searches) -> Response:
    """Who was found; a script gets the list alone. What was typed never stands in an address."""
    found = search(page)
    if page.is_part:
        return page.show("clients/_results.html", search=found)
    return _clients(page, found)


def _clients(page: Page, found: Search) -> Response:
    may_register = page.may(Permission.CLIENT_WRITE)
    return page.show("clients/index.html", search=found, may_register=may_register)


@router.get("/clients/new")
def new_client_page(page: Registers) -> Response:
    """The form to register a client."""
    return page.show("clients/new.html", form=ClientForm())


@router.post("/clients")
def register_client(page: Registers) -> Response:
    """Registers, unless somebody like this is there already: then it asks first. 422 by field."""
    form = details_form(page)
    details, errors = typed(Details, details_fields(page))
    if details is None:
        return page.show("clients/new.html", 422, form=details_form(page, errors=errors))
    asking = page.asking
    if page.form.get("anyway") != "yes" and asking.practice.answered(asking.context) is None:
        alike = asking.platform.client_search.possible_duplicates(
            asking.context.practice_id, **dict(details)
        )
        if alike:
            asking.note("search", "clients", [one.id for one in alike])
            form = details_form(page, possible_matches=rows_of(page, alike))
            return page.show("clients/new.html", 409, form=form)
    try:
        done = register(asking, details)
    except Invalid as error:
        return page.show("clients/new.html", 422, form=details_form(page, errors=refusal(error)))
    return page.go(f"/clients/{done.id}", "registered")


def details_fields(page: Page) -> dict[str, str | None]:
    """What was typed, an empty phone or e-mail being none."""
    names = ("given_name", "family_name", "birth_date", "phone", "email")
    fields: dict[str, str | None] = {name: page.form.get(name, "").strip() for name in names}
    return {**fields, "phone": fields["phone"] or None, "email": fields["email"] or None}


def details_form(page: Page, **more: object) -> ClientForm:
    """The form as it was typed, with what is wrong beside the fields."""
    fields = {name: value or "" for name, value in details_fields(page).items()}
    return ClientForm(**{**fields, "version": page.expected() or 0, **more})  # type: ignore[arg-type]  # fields by name


@router.get("/clients/{client_id}")
def client_page(client_id: UUID, page: Reads, as_of: str = "", view: View = "known") -> Response:
    """A client; with the chart, now or at a moment, for those who may read charts.

    422 beside the field for a moment that is none or lies in the future; a record that was merged
    away says where it went.
    """
    if not page.may(Permission.CHART_READ):
        try:
            client = read_client(page.asking, client_id)
        except ClientMerged:
            return merged_page(page, client_id)
        return page.show(
            "clients/show.html",
            client=head(page, client),
            erasures=erasure_notices(page, client),
            chart=None,
            time=None,
            may_write=False,
        )
    try:
        moment, problem = _moment(page, as_of)
        found = read_chart(page.asking, client_id, moment, view)
    except AsOfInFuture as error:
        moment, problem = None, refusal(error)["as_of"]
        found = read_chart(page.asking, client_id, None, view)
    except ClientMerged:
        return merged_page(page, client_id)
    events = history(page.asking, client_id)
    return page.show(
        "clients/show.html",
        422 if problem else 200,
        client=head(page, identity(events, client_id)),
        erasures=erasure_notices(page, found.client),
        chart=chart_of(page, found, events),
        time=time_control(page, client_id, events, moment, view, as_of=as_of, error=problem),
        may_write=page.may(Permission.NOTE_WRITE) and found.client.family_name is not None,
    )


def _moment(page: Page, as_of: str) -> tuple[datetime | None, str]:
    if not as_of:
        return None, ""
    try:
        return page.time.ended(as_of, page.asking.context.at), ""
    except NotAMoment:
        return None, "This is not a date and time."


def merged_page(page: Page, client_id: UUID) -> Response:
    """Where a record that was merged away is read on."""
    client = head(page, identity(page.asking.practice.stream(client_id), client_id))
    return page.show("clients/merged.html", 409, client=client)


@router.get("/clients/{client_id}/accesses")
def accesses_page(client_id: UUID, page: ReadsAccesses, before: Position = None) -> Response:
    """Who has looked at this client's record, newest first."""
    accesses = accesses_of(page, client_id, f"/clients/{client_id}/accesses", before)
    client = head(page, identity(page.asking.practice.stream(client_id), client_id))
    return page.show("clients/accesses.html", client=client, accesses=accesses)

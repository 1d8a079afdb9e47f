"""JSON routes for clients: register, search, read, change, merge, replay, accesses."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.asking import Asking, Can, IfMatch
from api.evidence import HEADERS, MEDIA_TYPE, Taking, evidence_bundle
from api.inputs import DeathIn, DetailsIn, EvidenceIn, MergeIn, ReasonIn, SearchIn, UnmergeIn
from api.reading import ChartOut, ClientOut, read_chart, read_client
from api.replay import AccessItem, EventItem, event_items, read_accesses, replay
from api.v1.answers import (
    PAGE,
    REFUSALS,
    After,
    Instant,
    Page,
    Place,
    WrittenOut,
    written,
)
from api.waiting import wait_for
from api.writing import (
    change_details,
    merge_clients,
    record_death,
    register,
    unmerge_clients,
    withdraw_death,
)
from domain.client.events import Details
from domain.kernel.permissions import Permission
from projections.chart_view.document import View
from projections.client_search.reader import ClientFound

ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {}}}}

router = APIRouter(prefix="/v1/clients", tags=["clients"], responses=REFUSALS)

Reads = Annotated[Asking, Depends(Can(Permission.CLIENT_READ, "read"))]
Writes = Annotated[Asking, Depends(Can(Permission.CLIENT_WRITE, "write"))]
Merges = Annotated[Asking, Depends(Can(Permission.CLIENT_MERGE, "write"))]
Searches = Annotated[Asking, Depends(Can(Permission.CLIENT_SEARCH, "search"))]
ReadsChart = Annotated[Asking, Depends(Can(Permission.CHART_READ, "read"))]
Replays = Annotated[Asking, Depends(Can(Permission.RECORD_REPLAY, "replay"))]
ReadsAccesses = Annotated[Asking, Depends(Can(Permission.ACCESS_READ, "read"))]
Exports = Annotated[Asking, Depends(Can(Permission.RECORD_EXPORT, "export"))]


@router.post("", status_code=201)
def register_client(body: Details, asking: Writes, response: Response) -> WrittenOut:
    """Registers a client. 422 names the field that needs another look."""
    answer = register(asking, body)
    response.headers["Location"] = f"/v1/clients/{answer.id}"
    return written(response, answer)


@router.post("/search")
def search_clients(body: SearchIn, asking: Searches, after: After = None) -> Page[ClientFound]:
    """Finds clients, best match first, at most 20. 422 `query_too_short` under 3 characters."""
    wait_for(asking, after)
    found = asking.platform.client_search.search(asking.context.practice_id, body.q)
    asking.note("search", "clients", [one.id for one in found])
    return Page(items=found)


@router.get("/{client_id}")
def get_client(client_id: UUID, asking: Reads, response: Response) -> ClientOut:
    """Identity and contact. 409 `client_merged` with `merged_into` if it was merged away."""
    client = read_client(asking, client_id)
    response.headers["ETag"] = f'"{client.version}"'
    return client


@router.post("/{client_id}/contact-details")
def change_contact_details(
    client_id: UUID, body: DetailsIn, asking: Writes, expected: IfMatch, response: Response
) -> WrittenOut:
    """Changes the given fields; the earlier ones stay in the log. 409 `nothing_changed`."""
    fields: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    return written(response, change_details(asking, client_id, fields, expected))


@router.post("/{client_id}/death")
def record_a_death(
    client_id: UUID, body: DeathIn, asking: Writes, response: Response
) -> WrittenOut:
    """Records that the client has died. 409 `death_already_recorded`."""
    return written(response, record_death(asking, client_id, dict(body)))


@router.post("/{client_id}/death-withdrawal")
def withdraw_a_death(
    client_id: UUID, body: ReasonIn, asking: Writes, response: Response
) -> WrittenOut:
    """Takes back a death recorded in error. 409 `death_not_recorded`."""
    return written(response, withdraw_death(asking, client_id, body.reason))


@router.post("/{client_id}/merge")
def merge_two_clients(
    client_id: UUID, body: MergeIn, asking: Merges, expected: IfMatch, response: Response
) -> WrittenOut:
    """Merges the other record into this one. 409 `client_merged` if one was merged before."""
    answer = merge_clients(asking, client_id, body.other_client_id, body.reason, expected)
    return written(response, answer)


@router.post("/{client_id}/unmerge")
def unmerge_two_clients(
    client_id: UUID,
    asking: Merges,
    expected: IfMatch,
    response: Response,
    body: UnmergeIn | None = None,
) -> WrittenOut:
    """Undoes a merge; both records stand by themselves again. 409 `clients_not_merged`."""
    body = body or UnmergeIn()
    answer = unmerge_clients(asking, client_id, body.other_client_id, body.reason, expected)
    return written(response, answer)


@router.get("/{client_id}/chart")
def get_chart(
    client_id: UUID,
    asking: ReadsChart,
    response: Response,
    as_of: Annotated[Instant, Query()] = None,
    view: View = "known",
    after: After = None,
) -> ChartOut:
    """The chart now, or as it was known or true at a moment. 422 `as_of_in_future`."""
    del after  # the chart is read with the log's tail: it always shows what was acknowledged
    chart = read_chart(asking, client_id, as_of, view)
    response.headers["Palimpsest-Position"] = str(chart.position)
    return chart


@router.get("/{client_id}/events")
def get_events(
    client_id: UUID,
    asking: Replays,
    first: Annotated[Place, Query(alias="from")] = None,
    last: Annotated[Place, Query(alias="to")] = None,
) -> Page[EventItem]:
    """The replay, oldest first. `from` and `to` are positions or moments of recording."""
    events, following = replay(asking, client_id, first, last, PAGE)
    return Page(items=event_items(asking, events), next=following)


@router.get("/{client_id}/accesses")
def get_accesses(
    client_id: UUID,
    asking: ReadsAccesses,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Page[AccessItem]:
    """Who saw this client's record, newest first; `before` takes the `next` of a page."""
    items, following = read_accesses(asking, client_id, before, PAGE)
    return Page(items=items, next=following)


@router.post("/{client_id}/evidence-bundle", response_class=Response, responses=ZIP)
def take_evidence(client_id: UUID, asking: Exports, body: EvidenceIn | None = None) -> Response:
    """Everything about a client, signed: for `palimpsest verify-bundle`. 503 `seals_behind`.

    Both logs are in it up to now; `as_of` is the moment that its readable chart is of. It is an
    act: the access is noted, and what is written about the client afterwards is sealed under new
    keys. Asked again, under the same Idempotency-Key too, it makes the bundle anew. One is made at
    a time in a practice: 503 `export_under_way`.
    """
    moment = None if body is None else body.as_of
    bundle = evidence_bundle(Taking.of(asking), client_id, moment)
    return Response(bundle, media_type=MEDIA_TYPE, headers=HEADERS)

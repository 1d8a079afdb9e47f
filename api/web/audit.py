"""The auditor's desk: pick a client, replay event by event, compare two dates, see who looked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.problems import AsOfInFuture
from api.replay import event_items, replay
from api.web.accesses import accesses_of
from api.web.charts import history, identity, notes_at
from api.web.page import Page, PageRoute, page, refusal
from api.web.people import head, search
from api.web.replays import day_range, event_panel, event_row, two_dates
from api.web.times import NotAMoment
from api.web.views.audit import Replay, TwoDates
from api.web.views.clients import Search
from domain.client.aggregate import ClientUnknown
from domain.kernel.permissions import Permission

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/audit")

Replays = Annotated[Page, Depends(page(Permission.RECORD_REPLAY, "replay"))]
ReadsAccesses = Annotated[Page, Depends(page(Permission.ACCESS_READ, "read"))]
Position = Annotated[int | None, Query(ge=1, lt=2**63)]
Typed = Annotated[str, Query(max_length=40)]

EVENTS = 5_000
"""Events on the list; a longer record is replayed by dates."""


@router.get("")
def desk(page: Replays) -> Response:
    """The search for a client whose record is to be replayed."""
    return page.show("audit/index.html", search=Search(state="start"))


@router.post("/search")
def search_page(page: Replays) -> Response:
    """Who was found; a script gets the list alone."""
    found = search(page)
    template = "audit/_results.html" if page.is_part else "audit/index.html"
    return page.show(template, search=found)


@router.get("/clients/{client_id}")
def replay_page(
    client_id: UUID,
    page: Replays,
    at: Position = None,
    from_: Annotated[str, Query(alias="from", max_length=40)] = "",
    to: Typed = "",
) -> Response:
    """The record event by event, oldest first; `at` is the event in view, else the newest."""
    error, status = "", 200
    first = last = None
    try:
        first, last = day_range(page, from_, to)
    except NotAMoment as wrong:
        error, status = refusal(wrong)["as_of"], 422
    events, _ = replay(page.asking, client_id, first, last, EVENTS)
    items = event_items(page.asking, events)
    here = at if at in {one.position for one in items} else items[-1].position if items else 0
    if first is not None:  # the chart stands on what came before, too
        events = page.asking.practice.about([client_id], until=here)
    rows = [event_row(page, one, client_id, here=here) for one in items]
    shown = Replay(
        events=tuple(rows),
        panel=event_panel(page, items, rows, events),
        total=page.asking.practice.count_about(client_id),
        from_=from_,
        to=to,
        error=error,
    )
    return show_tab(page, client_id, "audit/client.html", status, tab="replay", replay=shown)


@router.get("/clients/{client_id}/compare")
def compare_page(client_id: UUID, page: Replays, left: Typed = "", right: Typed = "") -> Response:
    """The chart as it was known at two moments, word by word. 422 beside the form."""
    events = history(page.asking, client_id)
    if not events:
        raise ClientUnknown
    page.asking.note("replay", "chart", sorted({one.subject for one in events if one.subject}))
    two = TwoDates(left=left, right=right)
    status = 200
    if left and right:
        now = page.asking.context.at
        try:
            moments = [_past(page.time.ended(text, now), now) for text in (left, right)]
        except (NotAMoment, AsOfInFuture) as wrong:
            two, status = TwoDates(left=left, right=right, error=refusal(wrong)["as_of"]), 422
        else:
            before, after = (notes_at(page.asking, events, client_id, one) for one in moments)
            two = two_dates(page, left, right, before, after)
    return show_tab(page, client_id, "audit/compare.html", status, tab="compare", two=two)


@router.get("/clients/{client_id}/accesses")
def accesses_page(client_id: UUID, page: ReadsAccesses, before: Position = None) -> Response:
    """Who has looked at this client's record, newest first."""
    accesses = accesses_of(page, client_id, f"/audit/clients/{client_id}/accesses", before)
    return show_tab(page, client_id, "audit/accesses.html", tab="accesses", accesses=accesses)


def _past(moment: datetime, now: datetime) -> datetime:
    if moment > now:
        raise AsOfInFuture
    return moment


def show_tab(
    page: Page, client_id: UUID, template: str, status: int = 200, **rows: object
) -> Response:
    """One of the desk's pages about a client, whose name its head shows."""
    may_export = page.may(Permission.RECORD_EXPORT)
    client = identity(page.asking.practice.stream(client_id), client_id)
    shown = head(page, client)
    return page.show(template, status, client=shown, may_export=may_export, **rows)

"""Who has looked at a client's record, when and what for?"""

from collections.abc import Mapping
from uuid import UUID

from api.web.page import Page
from api.web.replays import day_range
from api.web.views.audit import Accesses, AccessRow
from api.web.words import ACTION, OUTCOME, WHAT, role_words
from domain.client.aggregate import ClientUnknown
from domain.kernel.events import Recorded
from record.access import Accessed

ON_A_PAGE = 50
LOOKED_THROUGH = 2_000
"""Accesses that a filter goes through for one page."""


def accesses_of(page: Page, client_id: UUID, path: str, before: int | None) -> Accesses:
    """A page of the access log, filtered as the address says; noted before it is shown.

    Raises `ClientUnknown`, `NotAMoment`.
    """
    asking, query = page.asking, page.request.query_params
    if not asking.practice.stream(client_id):
        raise ClientUnknown
    asking.note("read", "accesses", [client_id])
    chosen = {name: query.get(name, "") for name in ("who", "outcome", "from", "to")}
    first, last = day_range(page, chosen["from"], chosen["to"])
    entries = asking.platform.accesses.of_client(
        asking.context.practice_id, client_id, before=before, limit=LOOKED_THROUGH
    )
    wanted = [
        one
        for one in entries
        if (not chosen["who"] or str(one.actor) == chosen["who"])
        and (not chosen["outcome"] or _is_allowed(one) == (chosen["outcome"] == "allowed"))
        and (first is None or one.recorded_at >= first)
        and (last is None or one.recorded_at <= last)
    ]
    shown = wanted[:ON_A_PAGE]
    more = ""
    if len(wanted) > ON_A_PAGE or len(entries) == LOOKED_THROUGH:
        until = shown[-1].position if len(wanted) > ON_A_PAGE else entries[-1].position
        more = f"{path}?{page.request.url.include_query_params(before=until).query}"
    names = asking.platform.identity.names(asking.context.practice_id)
    return Accesses(
        action_path=path,
        rows=tuple(_access_row(page, one, names) for one in shown),
        people=tuple(sorted(((str(id_), name) for id_, name in names.items()), key=lambda x: x[1])),
        who=chosen["who"],
        outcome=chosen["outcome"],
        from_=chosen["from"],
        to=chosen["to"],
        more=more,
    )


def _is_allowed(one: Recorded) -> bool:
    return isinstance(one.event, Accessed) and one.event.outcome == "allowed"


def _access_row(page: Page, one: Recorded, names: Mapping[UUID, str]) -> AccessRow:
    event = one.event
    if not isinstance(event, Accessed):
        message = f"position {one.position} of the access log is no access"
        raise TypeError(message)
    return AccessRow(
        position=one.position,
        at=page.time.moment(one.recorded_at),
        actor=names.get(one.actor, "unknown"),
        role=role_words(one.role),
        action=ACTION.get(event.action, event.action),
        what=WHAT.get(event.what, event.what),
        purpose=one.purpose.capitalize(),
        is_allowed=event.outcome == "allowed",
        outcome=OUTCOME.get(event.outcome, event.outcome),
    )

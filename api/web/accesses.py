"""Who has looked at a client's record, when and what for?"""

from collections.abc import Callable
from uuid import UUID

from api.replay import AccessItem, read_accesses
from api.web.page import Page
from api.web.replays import day_range
from api.web.views.audit import Accesses, AccessRow
from api.web.words import ACTION, OUTCOME, WHAT, role_words

ON_A_PAGE = 50


def accesses_of(page: Page, client_id: UUID, path: str, before: int | None) -> Accesses:
    """A page of the access log, filtered as the address says; noted before it is shown.

    Raises `ClientUnknown`, `NotAMoment`.
    """
    query = page.request.query_params
    chosen = {name: query.get(name, "") for name in ("who", "outcome", "from", "to")}
    items, following = read_accesses(
        page.asking, client_id, before, ON_A_PAGE, _wanted(page, **chosen)
    )
    more = ""
    if following is not None:
        more = f"{path}?{page.request.url.include_query_params(before=following).query}"
    names = page.asking.platform.identity.names(page.asking.context.practice_id)
    return Accesses(
        action_path=path,
        rows=tuple(_access_row(page, one) for one in items),
        people=tuple(sorted(((str(id_), name) for id_, name in names.items()), key=lambda x: x[1])),
        who=chosen["who"],
        outcome=chosen["outcome"],
        from_=chosen["from"],
        to=chosen["to"],
        more=more,
    )


def _wanted(page: Page, who: str, outcome: str, **days: str) -> Callable[[AccessItem], bool] | None:
    """What the filter lets through; none when nothing is chosen."""
    if not (who or outcome or any(days.values())):
        return None
    first, last = day_range(page, days["from"], days["to"])

    def is_wanted(one: AccessItem) -> bool:
        return (
            (not who or str(one.actor_id) == who)
            and (not outcome or (one.outcome == "allowed") == (outcome == "allowed"))
            and (first is None or one.at >= first)
            and (last is None or one.at <= last)
        )

    return is_wanted


def _access_row(page: Page, one: AccessItem) -> AccessRow:
    return AccessRow(
        position=one.position,
        at=page.time.moment(one.at),
        actor=one.actor,
        role=role_words(one.role),
        action=ACTION.get(one.action, one.action),
        what=WHAT.get(one.what, one.what),
        purpose=one.purpose.capitalize(),
        is_allowed=one.outcome == "allowed",
        outcome=OUTCOME.get(one.outcome, one.outcome),
    )

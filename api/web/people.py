"""How are people shown: in a search, at the top of a page, as a link?"""

from collections.abc import Iterable
from uuid import UUID

from api.reading import ClientOut, client_out
from api.waiting import wait_for
from api.web.page import Page
from api.web.times import age, day
from api.web.views.clients import ClientHead, ClientLink, ClientRow, ErasureNotice, Search
from api.web.views.frame import Action
from api.web.words import CATEGORY
from domain.kernel.permissions import Permission
from projections.chart_view.document import fold
from projections.client_search.reader import MOST, SHORTEST, ClientFound


def search(page: Page) -> Search:
    """Who might be meant by what was typed; noted with everybody it shows."""
    q = page.form.get("q", "").strip()[:200]
    if not q:
        return Search(state="start")
    if len(q) < SHORTEST:
        return Search(state="too_short", q=q)
    asking = page.asking
    wait_for(asking, None)
    found = asking.platform.client_search.search(asking.context.practice_id, q)
    asking.note("search", "clients", [one.id for one in found])
    rows = rows_of(page, found)
    return Search(state="found" if rows else "none", q=q, rows=rows, has_more=len(found) >= MOST)


def rows_of(page: Page, found: Iterable[ClientFound]) -> tuple[ClientRow, ...]:
    """The lines of a search."""
    today = page.time.today(page.asking.context.at)
    return tuple(
        ClientRow(
            id=str(one.id),
            name=full_name(one.given_name, one.family_name),
            born=day(one.birth_date),
            age=age(one.birth_date, today),
            phone=one.phone or "",
            email=one.email or "",
            is_merged=one.merged_into is not None,
            is_deceased=one.is_deceased,
        )
        for one in found
    )


def head(page: Page, client: ClientOut) -> ClientHead:
    """The top of a page about a client, with what may be done from there.

    It names the records merged with hers, so reading those is noted.
    """
    asking = page.asking
    href = f"/clients/{client.id}"
    links = _linked(page, client, href)
    born = client.birth_date
    until = client.died_on or page.time.today(asking.context.at)
    return ClientHead(
        id=str(client.id),
        name=full_name(client.given_name, client.family_name),
        born=day(born) if born else "",
        age=age(born, until) if born else 0,
        phone=client.phone or "",
        email=client.email or "",
        href=href,
        died_on=day(client.died_on) if client.died_on else None,
        withdraw_death=_when(page, Permission.CLIENT_WRITE, f"{href}/death-withdrawal"),
        merged_into=links[client.merged_into] if client.merged_into else None,
        merged_from=tuple(links[one] for one in client.absorbed),
        actions=tuple(_actions(page, client, href)),
    )


def _linked(page: Page, client: ClientOut, href: str) -> dict[UUID, ClientLink]:
    ids = [one for one in (client.merged_into, *client.absorbed) if one is not None]
    if not ids:
        return {}
    asking = page.asking
    found = asking.practice.streams(ids)
    asking.note("read", "client", ids)
    others = {id_: client_out(fold(events), id_) for id_, events in found.items()}
    return {
        id_: ClientLink(
            id=str(id_),
            name=full_name(other.given_name, other.family_name),
            href=f"/clients/{id_}",
            undo=_when(page, Permission.CLIENT_MERGE, f"{href}/unmerge/{id_}"),
        )
        for id_, other in others.items()
    }


def full_name(given_name: str | None, family_name: str | None) -> str:
    """A person's name as it is read."""
    return f"{given_name or ''} {family_name or ''}".strip() or "Name erased"


def erasure_notices(page: Page, client: ClientOut) -> tuple[ErasureNotice, ...]:
    """What her page says at the top of what is no longer there."""
    return tuple(
        ErasureNotice(
            what=CATEGORY[one.category],
            at=page.time.moment(one.at),
            requested_by=one.requested_by,
            agreed_by=one.agreed_by,
            legal_basis=one.legal_basis,
            reason=one.reason or "",
        )
        for one in client.erasures
    )


def _actions(page: Page, client: ClientOut, href: str) -> Iterable[Action]:
    is_named = client.family_name is not None
    if is_named and client.merged_into is None and page.may(Permission.CLIENT_WRITE):
        yield Action(key="contact", label="Contact details", href=f"{href}/contact-details")
    if is_named and client.merged_into is None and page.may(Permission.CLIENT_MERGE):
        yield Action(key="merge", label="Merge", href=f"{href}/merge")
    if is_named and client.died_on is None and page.may(Permission.CLIENT_WRITE):
        yield Action(key="death", label="Record death", href=f"{href}/death")
    if page.may(Permission.ACCESS_READ):
        yield Action(key="accesses", label="Who has looked", href=f"{href}/accesses")
    if page.may(Permission.RECORD_REPLAY):
        yield Action(key="replay", label="Replay", href=f"/audit/clients/{client.id}")


def _when(page: Page, permission: Permission, href: str) -> str:
    return href if page.may(permission) else ""

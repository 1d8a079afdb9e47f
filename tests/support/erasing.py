"""How does a test have a client's texts erased, as two people would?"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from deploy.erasing import Erasing
from deploy.erasing_wish import Step, Wish
from domain.kernel.events import Category
from domain.kernel.ids import ClientId
from projections.all import all_projections
from projections.base import Projection
from tests.support.api import Api, Json, Member, Team
from tests.support.states import client_with_signed_note, done

LONG_AGO = "2010-03-01T10:00:00-05:00"
WHY, BASIS = "She asked us to.", "the client's request"
CLINICAL, CONTACT = Category.CLINICAL, Category.CONTACT


def erasing_with(
    api: Api, owner: psycopg.Connection[Any], projections: tuple[Projection, ...] | None = None
) -> Erasing:
    practices = api.platform.practices
    return Erasing(
        owner,
        practices[api.demo.practice_id],
        all_projections(api.parts.keys, practices) if projections is None else projections,
    )


def old_note(by: Member, client: str | None = None, **text: Any) -> tuple[str, str]:
    """A client last seen so long ago that nothing has to be kept."""
    noted = client_with_signed_note(by, client, occurred_at=LONG_AGO, **text)
    return noted.client, noted.note


def ask(
    api: Api,
    erasing: Erasing,
    by: Member,
    client: str,
    category: Category = CLINICAL,
    *,
    step: Step = "request",
) -> str:
    at = datetime.now(UTC)
    wish = Wish(ClientId(UUID(client)), category, WHY, BASIS, step)
    member = api.platform.identity.member(by.token, at=at)
    return erasing.erase(wish, member, at.astimezone(member.zone)).status


def agree(
    api: Api, erasing: Erasing, by: Member, client: str, category: Category = CLINICAL
) -> str:
    return ask(api, erasing, by, client, category, step="agree")


def erase(api: Api, erasing: Erasing, client: str, category: Category = CLINICAL) -> None:
    assert ask(api, erasing, api.demo.owner, client, category) == "requested"
    assert agree(api, erasing, api.demo.auditor, client, category) == "carried_out"


def wrapped(api: Api, client: str) -> dict[str, int]:
    """How many of the keys that sealed her entries there still are, by category.

    Not counted: one that only seals her chart as it is shown, made anew with it.
    """
    rows = api.admin(
        """SELECT category, count(wrapped) FROM record.data_key AS k
        WHERE subject = %s AND EXISTS (SELECT FROM record.event AS e WHERE e.key_id = k.key_id)
        GROUP BY category""",
        (client,),
    )
    return {category: count for category, count in rows if count}


def chart(team: Team, client: str) -> Json:
    return done(team.clinician.get(f"/v1/clients/{client}/chart"))


def found_by(team: Team, words: str) -> list[str]:
    """Whom the front desk finds by a family name, once all is shown."""
    position = done(team.clinician.post("/v1/clients", {
        "given_name": "Later", "family_name": "Somebody", "birth_date": "1990-02-28"
    }))["position"]  # fmt: skip
    found = team.front_desk.ask(
        "POST", "/v1/clients/search", {"q": words}, params={"after": position}
    )
    named = [one for one in done(found)["items"] if one["family_name"].lower() == words]
    return [one["id"] for one in named]

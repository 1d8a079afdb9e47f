"""How does a test fill in our forms without a browser?"""

import re
from collections.abc import Callable
from itertools import count
from uuid import uuid4

import httpx2
from fastapi.routing import APIRoute

from api.web import ROUTERS

NUMBERS = count(1)
CANARY = "Canary glabella QX7731"
PUBLIC = {"/", "/sign-in", "/sign-out", "/static/{path:path}", "/{address:path}"}
ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.path not in PUBLIC
    for method in sorted(route.methods or ())
]
NOT_FOR_THE_FRONT_DESK = re.compile(r"/notes|/audit|/merge|/unmerge|/accesses")

Client = httpx2.Client
SignIn = Callable[[str], Client]


def hidden(html: str) -> dict[str, str]:
    """What a page's form carries along."""
    return {
        name: (re.search(f'name="{name}" value="([^"]*)"', html) or [""] * 2)[1]
        for name in ("csrf", "ticket")
    }


def new_client(client: Client, **more: str) -> str:
    """Registers somebody and returns the path of her page."""
    fields = {
        "given_name": "Test",
        "family_name": f"Person{next(NUMBERS)}",
        "birth_date": "1984-05-14",
        "anyway": "yes",
        **more,
    }
    form = hidden(client.get("/clients/new").text)
    answer = client.post("/clients", data=form | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def new_note(
    client: Client, path: str, text: str = CANARY, occurred_at: str = "2026-11-03T14:02"
) -> str:
    """Writes and signs a note and returns its path."""
    form = hidden(client.get(path).text)
    edit = client.post(f"{path}/notes", data=form).headers["location"]
    note = edit.removesuffix("/edit")
    page = client.get(edit).text
    fields = {"revision": "1", "plan": text, "lock": "yes", "occurred_at": occurred_at}
    answer = client.post(f"{note}/signature", data=hidden(page) | fields)
    assert answer.headers["location"] == note, answer.text
    return note


def concrete(path: str) -> str:
    """A route's path with ids that name nothing."""
    return re.sub(r"\{\w+_id\}", lambda _: str(uuid4()), path)

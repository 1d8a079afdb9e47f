"""Who read what, when and for what purpose: the second log, written before anything is shown."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from psycopg import Error
from pydantic import StringConstraints

from domain.kernel.events import Category, Context, Event, Recorded
from domain.kernel.ids import ClientId, PracticeId
from gateways.kms import KmsUnavailable, WrongRootKey
from record.database import DatabaseUnavailable
from record.envelope import Pending
from record.errors import AccessNotLogged, GateBusy, Unreadable
from record.ids import new_id
from record.practice import Practices

_UNLOGGED = (DatabaseUnavailable, Error, GateBusy, KmsUnavailable, WrongRootKey, Unreadable)
Action = Literal["read", "search", "replay", "draft", "write", "sign_in", "sign_out", "export"]
Outcome = Literal["allowed", "denied", "not_found", "failed"]
Short = Annotated[str, StringConstraints(max_length=200)]


class Accessed(Event):
    """Somebody saw, searched for, or was refused something. Ids and field names, never content."""

    type: ClassVar[str] = "access.noted.v1"
    category: ClassVar[Category] = Category.BUSINESS
    client_id: ClientId | None
    action: Action
    what: Short
    outcome: Outcome
    thing_id: UUID | None = None
    origin: Short = ""
    """The address and program the request came from."""


class AccessLog:
    """Notes accesses, one entry per client concerned, all of one request in one append."""

    def __init__(self, practices: Practices) -> None:
        self._practices = practices

    def note(
        self,
        context: Context,
        action: Action,
        what: str,
        *,
        clients: Sequence[UUID] = (),
        outcome: Outcome = "allowed",
        thing_id: UUID | None = None,
        origin: str = "",
    ) -> None:
        """Returns once the entries are durable. Raises `AccessNotLogged`."""
        entries = [
            Pending(
                new_id(),
                1,
                Accessed(
                    occurred_at=context.at,
                    client_id=None if client is None else ClientId(client),
                    action=action,
                    what=what,
                    outcome=outcome,
                    thing_id=thing_id,
                    origin=origin[:200],
                ),
            )
            for client in (clients or (None,))
        ]
        try:
            self._practices[context.practice_id].append(entries, context)
        except _UNLOGGED as error:
            raise AccessNotLogged from error

    def of_client(
        self, practice_id: PracticeId, client_id: UUID, *, before: int | None, limit: int
    ) -> list[Recorded]:
        """The accesses to a client's record, newest first, from before a position on."""
        return self._practices[practice_id].latest_about(client_id, before=before, limit=limit)

"""Which events change who is found under which words?"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.client.events import (
    ClientMergedAway,
    ClientRegistered,
    ClientRestored,
    ContactDetailsChanged,
    DeathRecorded,
    DeathWithdrawn,
    Details,
)
from domain.compliance.events import ErasureCarriedOut
from domain.kernel.events import Category, Recorded
from projections.base import TableProjection
from projections.client_search.words import folded, phone_digits, phone_grams, trigrams
from record.database import Row
from record.shredding import Gone


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A row of the table, in the order of its columns."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    phone: str | None
    phone_digits: str | None
    email: str | None
    email_folded: str | None
    is_deceased: bool
    merged_into: UUID | None
    position: int

    def grams(self) -> frozenset[str]:
        """What the row is found under."""
        words = folded(f"{self.given_name} {self.family_name}").split()
        return trigrams(words) | phone_grams(self.phone_digits or "")


def evolve(row: ClientRow | None, recorded: Recorded) -> ClientRow | None:
    """The client's row after one more event; none until she is registered, or if it is erased."""
    event = recorded.event
    changes: dict[str, Any]
    match event:
        case ClientRegistered():
            changes = {**_contact(event.details), "is_deceased": False, "merged_into": None}
            return ClientRow(client_id=event.client_id, position=recorded.position, **changes)
        case ContactDetailsChanged():
            changes = _contact(event.details)
        case DeathRecorded():
            changes = {"is_deceased": True}
        case DeathWithdrawn():
            changes = {"is_deceased": False}
        case ClientMergedAway():
            changes = {"merged_into": event.into_client_id}
        case ClientRestored():
            changes = {"merged_into": None}
        case ErasureCarriedOut(of_category=Category.CONTACT):
            return None
        case _:
            return row
    return None if row is None else replace(row, position=recorded.position, **changes)


def _contact(details: Details) -> dict[str, Any]:
    digits = phone_digits(details.phone or "")
    return {
        **dict(details),
        "phone_digits": digits or None,
        "email_folded": details.email.casefold() if details.email else None,
    }


class ClientSearchProjection(TableProjection):
    """A row per client, and the trigrams it is found under."""

    name = "client_search_v1"
    tables = ("client_search_v1", "client_search_gram_v1")
    handles = (
        ClientRegistered,
        ContactDetailsChanged,
        DeathRecorded,
        DeathWithdrawn,
        ClientMergedAway,
        ClientRestored,
        ErasureCarriedOut,
    )
    canonical = """SELECT client_id, jsonb_build_object('row', to_jsonb(c), 'grams', g.grams)::text
        FROM (SELECT * FROM {0} WHERE practice_id = %s) AS c
        FULL JOIN (
            SELECT client_id, jsonb_agg(gram ORDER BY gram) AS grams FROM {1}
            WHERE practice_id = record.current_practice() GROUP BY client_id
        ) AS g USING (client_id)
        ORDER BY client_id"""

    def apply(
        self, connection: Connection[Row], practice_id: UUID, batch: Sequence[Recorded]
    ) -> None:
        clients = list({one.subject for one in batch if one.subject is not None})
        if not clients:
            return
        before = self._load(connection, practice_id, clients)
        after: dict[UUID, ClientRow | None] = dict(before)
        for recorded in batch:
            if recorded.subject is None:
                continue
            row = after.get(recorded.subject)
            if row is None or row.position < recorded.position:
                after[recorded.subject] = evolve(row, recorded)
        kept = [row for row in after.values() if row is not None]
        changes = [row for row in kept if row != before.get(row.client_id)]
        if changes:
            self._store(connection, changes)
            self._store_grams(connection, practice_id, before, changes)
        gone = [client for client, row in after.items() if row is None and client in before]
        if gone:
            self._delete(connection, practice_id, gone)

    def _delete(
        self, connection: Connection[Row], practice_id: UUID, clients: Sequence[UUID]
    ) -> None:
        wanted = (practice_id, list(clients))
        rows = self.query("DELETE FROM {0} WHERE practice_id = %s AND client_id = ANY (%s)")
        grams = self.query("DELETE FROM {1} WHERE practice_id = %s AND client_id = ANY (%s)")
        connection.execute(rows, wanted)
        connection.execute(grams, wanted)

    def erase(self, connection: Connection[Row], practice_id: UUID, gone: Gone) -> tuple[str, ...]:
        if gone.category != Category.CONTACT:
            return ()
        self._delete(connection, practice_id, list(gone.keys))
        return self.tables

    def _load(
        self, connection: Connection[Row], practice_id: UUID, clients: Sequence[UUID]
    ) -> dict[UUID, ClientRow]:
        query = self.query(
            """SELECT client_id, given_name, family_name, birth_date, phone, phone_digits, email,
                email_folded, is_deceased, merged_into, position
            FROM {0} WHERE practice_id = %s AND client_id = ANY (%s)"""
        )
        rows = connection.execute(query, (practice_id, list(clients)), binary=True)
        return {row[0]: ClientRow(*row) for row in rows}

    def _store(self, connection: Connection[Row], rows: list[ClientRow]) -> None:
        query = self.query(
            """INSERT INTO {0} (client_id, given_name, family_name, birth_date, phone, phone_digits,
                email, email_folded, is_deceased, merged_into, position)
            SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::date[], %s::text[],
                %s::text[], %s::text[], %s::text[], %s::boolean[], %s::uuid[], %s::bigint[])
            ON CONFLICT (practice_id, client_id) DO UPDATE SET
                given_name = excluded.given_name, family_name = excluded.family_name,
                birth_date = excluded.birth_date, phone = excluded.phone,
                phone_digits = excluded.phone_digits, email = excluded.email,
                email_folded = excluded.email_folded, is_deceased = excluded.is_deceased,
                merged_into = excluded.merged_into, position = excluded.position"""
        )
        columns = zip(*(astuple(row) for row in rows), strict=True)
        connection.execute(query, [list(column) for column in columns])

    def _store_grams(
        self,
        connection: Connection[Row],
        practice_id: UUID,
        before: dict[UUID, ClientRow],
        rows: list[ClientRow],
    ) -> None:
        gone: list[tuple[str, UUID]] = []
        come: list[tuple[str, UUID]] = []
        for row in rows:
            earlier = before.get(row.client_id)
            had = frozenset[str]() if earlier is None else earlier.grams()
            has = row.grams()
            gone += ((gram, row.client_id) for gram in sorted(had - has))
            come += ((gram, row.client_id) for gram in sorted(has - had))
        if gone:
            query = self.query(
                """DELETE FROM {1} AS g USING unnest(%b::text[], %b::uuid[]) AS u(gram, client_id)
                WHERE g.practice_id = %s AND g.gram = u.gram AND g.client_id = u.client_id"""
            )
            grams, clients = zip(*gone, strict=True)
            connection.execute(query, (list(grams), list(clients), practice_id))
        if come:
            query = self.query(
                """INSERT INTO {1} (gram, client_id) SELECT * FROM unnest(%b::text[], %b::uuid[])
                ON CONFLICT DO NOTHING"""
            )
            grams, clients = zip(*come, strict=True)
            connection.execute(query, (list(grams), list(clients)))

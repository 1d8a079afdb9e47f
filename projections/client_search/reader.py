"""Who might be meant by what was typed, best match first?"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, LiteralString
from uuid import UUID

from psycopg import Connection

from domain.kernel.errors import Invalid
from domain.kernel.events import Frozen
from domain.kernel.ids import ClientId, PracticeId
from projections import positions
from projections.client_search.projection import ClientSearchProjection
from projections.client_search.words import (
    birth_date,
    folded,
    match,
    phone_digits,
    phone_grams,
    trigrams,
)
from record.database import Database, Row

SHORTEST: Final = 3
"""Characters; fewer would list half the practice."""
LONGEST: Final = 200
MOST: Final = 20
"""Rows per answer."""
CANDIDATES: Final = 200
"""Rows that share most trigrams with what was typed, from which the best are chosen."""
SHARED: Final = 0.25
"""Of the trigrams typed; less cannot be a match."""

_COLUMNS: LiteralString = """c.client_id, c.given_name, c.family_name, c.birth_date, c.phone,
    c.email, c.merged_into, c.is_deceased"""


class QueryTooShort(Invalid):
    """Too little to search by."""

    code = "query_too_short"
    field = "q"


class ClientFound(Frozen):
    """Enough to tell two people apart. A record that was merged away says where to read on."""

    id: ClientId
    given_name: str
    family_name: str
    birth_date: date
    phone: str | None
    email: str | None
    merged_into: ClientId | None
    is_deceased: bool


Scored = tuple[float, ClientFound]


class ClientSearch:
    """Clients by what people know of them."""

    name = ClientSearchProjection.name

    def __init__(self, database: Database) -> None:
        self._database = database
        query = ClientSearchProjection().query
        self._by_grams = query(
            f"""SELECT {_COLUMNS} FROM {{0}} AS c
            JOIN (
                SELECT client_id, count(*) AS shared FROM {{1}}
                WHERE practice_id = %(practice)s AND gram = ANY (%(grams)s)
                GROUP BY client_id HAVING count(*) >= %(least)s
                ORDER BY shared DESC, client_id LIMIT {CANDIDATES}
            ) AS g ON g.client_id = c.client_id
            WHERE c.practice_id = %(practice)s"""  # noqa: S608 - constants
        )
        self._by_phone = query(
            f"""SELECT {_COLUMNS} FROM {{0}} AS c
            JOIN (
                SELECT client_id FROM {{1}}
                WHERE practice_id = %(practice)s AND gram = ANY (%(grams)s)
                GROUP BY client_id HAVING count(*) = %(least)s
            ) AS g ON g.client_id = c.client_id
            WHERE c.practice_id = %(practice)s AND strpos(c.phone_digits, %(digits)s) > 0
            ORDER BY right(c.phone_digits, length(%(digits)s)) <> %(digits)s,
                strpos(c.phone_digits, %(digits)s), c.family_name, c.given_name, c.client_id
            LIMIT {CANDIDATES}"""  # noqa: S608 - constants
        )
        self._by_email = query(
            f"""SELECT {_COLUMNS} FROM {{0}} AS c
            WHERE c.practice_id = %s AND c.email_folded >= %s AND c.email_folded < %s
            ORDER BY c.email_folded LIMIT {CANDIDATES}"""  # noqa: S608 - constants
        )
        self._by_birth_date = query(
            f"""SELECT {_COLUMNS} FROM {{0}} AS c
            WHERE c.practice_id = %s AND c.birth_date = %s
            ORDER BY c.family_name, c.given_name LIMIT {CANDIDATES}"""  # noqa: S608 - constants
        )
        self._like_this = query(
            f"""SELECT {_COLUMNS}, c.phone_digits, c.email_folded FROM {{0}} AS c
            WHERE c.practice_id = %(practice)s AND (c.birth_date = %(birth_date)s
                OR c.phone_digits = %(digits)s OR c.email_folded = %(email)s)
            ORDER BY c.family_name, c.given_name
            LIMIT {CANDIDATES}"""  # noqa: S608 - constants
        )
        self._by_id = query(
            f"""SELECT {_COLUMNS} FROM {{0}} AS c
            WHERE c.practice_id = %s AND c.client_id = ANY (%s)"""  # noqa: S608 - constants
        )

    def position(self, practice_id: PracticeId) -> int:
        """How far the search has come in the practice's record."""
        return positions.position(self._database, practice_id, self.name)

    def search(self, practice_id: PracticeId, q: str) -> list[ClientFound]:
        """By name in either order, phone digits, e-mail or birth date. Raises `QueryTooShort`.

        A birth date and a name together narrow each other.
        """
        typed = q.strip()[:LONGEST]
        if len(typed) < SHORTEST:
            raise QueryTooShort
        tokens = typed.split()
        days = [day for day in map(birth_date, tokens) if day is not None]
        words = folded(" ".join(one for one in tokens if birth_date(one) is None)).split()
        with self._database.practice(practice_id) as connection:
            if days:
                found = self._born(connection, practice_id, days[0], words)
            else:
                found = [
                    *self._named(connection, practice_id, words),
                    *self._called(connection, practice_id, typed),
                    *self._written_to(connection, practice_id, typed),
                ]
        return _best(found)

    def possible_duplicates(
        self,
        practice_id: PracticeId,
        given_name: str,
        family_name: str,
        birth_date: date | None = None,
        phone: str | None = None,
        email: str | None = None,
    ) -> list[ClientFound]:
        """Who in the practice might be this person already.

        The same phone or e-mail, or the same birth date and a similar name.
        """
        values = {
            "practice": practice_id,
            "birth_date": birth_date,
            "digits": phone_digits(phone or "") or None,
            "email": email.strip().casefold() if email else None,
        }
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(self._like_this, values, binary=True).fetchall()
        names = folded(f"{given_name} {family_name}").split()
        found: list[Scored] = []
        for *columns, digits, address in rows:
            client = _client(columns)
            alike = match(names, _names(client))
            reasons = [
                values["digits"] is not None and digits == values["digits"],
                values["email"] is not None and address == values["email"],
                client.birth_date == birth_date and alike > 0,
            ]
            if any(reasons):
                found.append((sum(reasons) + alike, client))
        return _best(found)

    def find(self, practice_id: PracticeId, ids: Iterable[UUID]) -> dict[ClientId, ClientFound]:
        """Some clients by id, those of them that are known."""
        with self._database.practice(practice_id) as connection:
            rows = connection.execute(self._by_id, (practice_id, list(ids)), binary=True).fetchall()
        return {client.id: client for client in map(_client, rows)}

    def _named(
        self, connection: Connection[Row], practice_id: PracticeId, words: list[str]
    ) -> list[Scored]:
        grams = sorted(trigrams(words))
        if not grams:
            return []
        least = max(1, int(SHARED * len(grams)))
        rows = connection.execute(
            self._by_grams,
            {"practice": practice_id, "grams": grams, "least": least},
            binary=True,
        )
        return [
            (score, client)
            for client in map(_client, rows)
            if (score := match(words, _names(client))) > 0
        ]

    def _called(
        self, connection: Connection[Row], practice_id: PracticeId, typed: str
    ) -> list[Scored]:
        digits = phone_digits(typed)
        if len(digits) < SHORTEST or any(char.isalpha() for char in typed):
            return []
        grams = sorted(phone_grams(digits))
        values = {"practice": practice_id, "grams": grams, "least": len(grams), "digits": digits}
        rows = connection.execute(self._by_phone, values, binary=True)
        # In the order of the rows: whole numbers and last digits before those in the middle.
        return [(1 - number / CANDIDATES, _client(row)) for number, row in enumerate(rows)]

    def _written_to(
        self, connection: Connection[Row], practice_id: PracticeId, typed: str
    ) -> list[Scored]:
        prefix = typed.casefold()
        if " " in prefix or not prefix.isprintable():
            return []
        rows = connection.execute(
            self._by_email, (practice_id, prefix, f"{prefix}\U0010ffff"), binary=True
        )
        # Behind a name that was typed in full, before one that is only similar.
        return [(0.9, client) for client in map(_client, rows)]

    def _born(
        self, connection: Connection[Row], practice_id: PracticeId, day: date, words: list[str]
    ) -> list[Scored]:
        rows = connection.execute(self._by_birth_date, (practice_id, day), binary=True)
        scored = [
            (match(words, _names(client)) if words else 1.0, client)
            for client in map(_client, rows)
        ]
        return [(score, client) for score, client in scored if score > 0]


def _client(row: Sequence[object]) -> ClientFound:
    return ClientFound.model_validate(dict(zip(ClientFound.model_fields, row, strict=True)))


def _names(client: ClientFound) -> tuple[str, str]:
    return folded(client.given_name), folded(client.family_name)


def _best(found: Iterable[Scored]) -> list[ClientFound]:
    """The best of each client, once; a record that was merged away after the one that is kept."""
    best: dict[ClientId, Scored] = {}
    for score, client in found:
        if client.id not in best or best[client.id][0] < score:
            best[client.id] = (score, client)
    ranked = sorted(
        best.values(),
        key=lambda one: (
            one[1].merged_into is not None,
            -one[0],
            one[1].family_name,
            one[1].given_name,
            one[1].id,
        ),
    )
    return [client for _, client in ranked[:MOST]]

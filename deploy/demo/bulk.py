"""How are very many calls of the gate made at once, without waiting between them?"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from record.database import Row
from record.gate import Append, arrays

Call = tuple[datetime, Sequence[Append]]
"""Appends recorded at one moment."""

# What `record.append` takes of an append and of an event, column by column and in its order; before
# that, which call the row belongs to and where in it.
_APPENDS: Final = {
    "call": "int4", "n": "int4", "practice": "uuid", "log": "text", "command": "uuid",
    "digest": "bytea", "actor": "uuid", "on_behalf_of": "uuid", "role": "text",
    "location": "uuid", "purpose": "text", "correlation": "uuid", "causation": "uuid",
    "at": "timestamptz",
}  # fmt: skip
_EVENTS: Final = {
    "call": "int4", "n": "int4", "append": "int4", "stream": "uuid", "version": "int4",
    "type": "text", "subject": "uuid", "occurred": "timestamptz", "key": "uuid", "body": "bytea",
}  # fmt: skip
_HEAD = tuple(_APPENDS)[2:-1]
_BODY = tuple(_EVENTS)[2:]


def _table(name: str, columns: dict[str, str]) -> str:
    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    return f"CREATE TEMP TABLE IF NOT EXISTS {name} ({declared}) ON COMMIT DELETE ROWS"


def _gathered(columns: Iterable[str]) -> str:
    return ", ".join(f'array_agg("{column}" ORDER BY n) AS "{column}"' for column in columns)


def _passed(columns: Iterable[str]) -> str:
    return ", ".join(f'c."{column}"' for column in columns)


_COPY: Final = "COPY {} FROM STDIN (FORMAT BINARY)"
# The calls are made one after the other, in order: the next sees what the last has done.
_APPEND: Final = f"""SELECT c.call, r.append, r.outcome FROM (
        SELECT * FROM (
            SELECT call, min(at) AS at, {_gathered(_HEAD)} FROM demo_append GROUP BY call
        ) AS a JOIN (
            SELECT call, {_gathered(_BODY)} FROM demo_event GROUP BY call
        ) AS e USING (call)
        ORDER BY call OFFSET 0
    ) AS c
    CROSS JOIN LATERAL record.append({_passed((*_HEAD, *_BODY))}, c.at) AS r
    """  # noqa: S608 - made of the constants above


def append_all(connection: Connection[Row], calls: Sequence[Call]) -> list[list[str]]:
    """Makes the calls within the caller's transaction; the outcome of each append of each call."""
    parameters = [arrays(appends, at) for at, appends in calls]
    heads = [
        (number, n, *row, columns[-1])
        for number, columns in enumerate(parameters)
        for n, row in enumerate(zip(*columns[: len(_HEAD)], strict=True))
    ]
    bodies = [
        (number, n, *row)
        for number, columns in enumerate(parameters)
        for n, row in enumerate(zip(*columns[len(_HEAD) : -1], strict=True))
    ]
    outcomes = [["lost"] * len(appends) for _, appends in calls]
    connection.execute(_table("demo_append", _APPENDS))
    connection.execute(_table("demo_event", _EVENTS))
    _copy(connection, "demo_append", _APPENDS, heads)
    _copy(connection, "demo_event", _EVENTS, bodies)
    for number, n, outcome in connection.execute(_APPEND):
        outcomes[number][n - 1] = outcome
    return outcomes


def _copy(
    connection: Connection[Row], name: str, columns: dict[str, str], rows: list[tuple[Any, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY.format(name)) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)

"""How do the bytes of what was destroyed leave the file of its table?

An update or a delete leaves the old row where it was until its space is needed. Writing the whole
table anew, with its indexes, leaves nothing behind; for that moment nobody else can use it.
"""

from time import sleep
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.errors import LockNotAvailable

LOCK_WAIT: Final = "1s"
"""How long everybody else may have to wait in a row for us to get the table."""
TRIES: Final = 20


class TableInUse(Exception):
    """The table could not be had for a moment; what was destroyed may still lie in its file."""


def rewrite(owner: psycopg.Connection[tuple[Any, ...]], *tables: str) -> None:
    """Writes tables, such as `record.data_key`, anew, and takes their statistics anew.

    Their owner asks, in autocommit mode; a table that is not hers is left alone, with a warning of
    the server's. Raises `TableInUse`.
    """
    owner.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(LOCK_WAIT)))
    try:
        for table in tables:
            _rewrite(owner, sql.Identifier(*table.split(".")))
    finally:
        if not owner.closed:
            owner.execute("RESET lock_timeout")


def _rewrite(owner: psycopg.Connection[tuple[Any, ...]], table: sql.Identifier) -> None:
    for attempt in range(TRIES):
        try:
            owner.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(table))
        except LockNotAvailable:
            sleep(attempt / 10)
        else:
            return
    raise TableInUse

"""How the application reaches PostgreSQL: a pool, and transactions that belong to one practice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, Self
from uuid import UUID

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

Row = tuple[Any, ...]

WAIT_SECONDS = 5.0
"""How long a request waits for a free connection before it is told to come back."""
STATEMENT_MS = 30_000
IDLE_IN_TRANSACTION_MS = 10_000


class DatabaseUnavailable(Exception):
    """PostgreSQL did not answer; whether it still did what was asked is not known."""


class Database:
    """The pool of connections of the application role."""

    def __init__(self, url: str, *, size: int = 10) -> None:
        self.url = url
        self.pool: ConnectionPool[Connection[Row]] = ConnectionPool(
            url,
            min_size=min(2, size),
            max_size=size,
            timeout=WAIT_SECONDS,
            # It tries ever more rarely for this long, then at once when the next request asks: an
            # outage, however long, is over a moment after the server is back.
            reconnect_timeout=WAIT_SECONDS,
            kwargs={
                "autocommit": True,
                "application_name": "palimpsest",
                "options": f"-c statement_timeout={STATEMENT_MS} "
                f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}",
            },
            open=False,
        )

    def open(self) -> Self:
        """Connects. Raises `DatabaseUnavailable`."""
        self.pool.open()
        try:
            self.pool.wait(timeout=WAIT_SECONDS * 2)
        except PoolTimeout as error:
            self.pool.close()
            raise DatabaseUnavailable from error
        return self

    def close(self) -> None:
        """Gives all connections back."""
        self.pool.close()

    def __enter__(self) -> Self:
        """Opens the pool for a `with` block."""
        return self.open()

    def __exit__(self, *_: object) -> None:
        """Closes the pool."""
        self.close()

    @contextmanager
    def connection(self) -> Iterator[Connection[Row]]:
        """Lends a connection in autocommit mode, of no practice. Raises `DatabaseUnavailable`."""
        lent: Connection[Row] | None = None
        try:
            with self.pool.connection() as lent:
                yield lent
        except (PoolTimeout, OperationalError) as error:
            # Where one connection was lost the idle ones are likely to be, and each of them would
            # cost a request before the pool noticed.
            if lent is not None and lent.closed:
                self.pool.check()
            raise DatabaseUnavailable from error

    @contextmanager
    def practice(self, practice_id: UUID) -> Iterator[Connection[Row]]:
        """Lends a transaction of one practice; the setting ends with the transaction."""
        with self.connection() as connection, connection.transaction():
            connection.execute(
                "SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),)
            )
            yield connection

    def call(self, sql: LiteralString, values: tuple[Any, ...] = ()) -> list[Row]:
        """Runs one statement of no practice, on its own, and returns its rows."""
        with self.connection() as connection:
            return connection.execute(sql, values).fetchall()

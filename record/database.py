"""How the application reaches PostgreSQL: a pool, and transactions that belong to one practice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from select import POLLIN, poll
from typing import Any, Final, LiteralString, Self
from uuid import UUID

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

Row = tuple[Any, ...]

WAIT_SECONDS = 5.0
"""How long a request waits for a free connection before it is told to come back."""
STATEMENT_MS = 30_000
IDLE_IN_TRANSACTION_MS = 10_000
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""Seconds: a server that is gone without a word is noticed within half a minute."""

_OF_PRACTICE: Final = "SELECT set_config('palimpsest.practice', %s, true)"
_OF_DERIVED: Final = _OF_PRACTICE + ", set_config('synchronous_commit', 'off', true)"


class DatabaseUnavailable(Exception):
    """PostgreSQL did not answer; whether it still did what was asked is not known."""


class Database:
    """The pool of connections of the application role."""

    def __init__(self, url: str, *, size: int = 10) -> None:
        self.url = url
        self._process = os.getpid()
        self.pool: ConnectionPool[Connection[Row]] = ConnectionPool(
            url,
            min_size=min(2, size),
            max_size=size,
            timeout=WAIT_SECONDS,
            check=self._look,
            # It tries ever more rarely for this long, then at once when the next request asks: an
            # outage, however long, is over a moment after the server is back.
            reconnect_timeout=WAIT_SECONDS,
            kwargs={
                "autocommit": True,
                "application_name": "palimpsest",
                **KEEPALIVE,
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

    def _look(self, connection: Connection[Row]) -> None:
        """Raises where the server has hung up. It asks the socket: no round trip for each loan."""
        news = poll()
        news.register(connection.fileno(), POLLIN)
        try:
            while news.poll(0):
                connection.pgconn.consume_input()
        except OperationalError:
            self.pool.check()  # the other idle ones are likely to be lost too
            raise

    def check_process(self) -> None:
        """Raises `RuntimeError` in a fork: on one socket two processes mix up their answers."""
        if os.getpid() != self._process:
            message = "opened before a fork; each process opens a Database of its own"
            raise RuntimeError(message)

    @contextmanager
    def connection(self) -> Iterator[Connection[Row]]:
        """Lends a connection in autocommit mode, of no practice. Raises `DatabaseUnavailable`."""
        self.check_process()
        try:
            with self.pool.connection() as lent:
                yield lent
        except (PoolTimeout, OperationalError) as error:
            raise DatabaseUnavailable from error

    @contextmanager
    def practice(self, practice_id: UUID, *, is_derived: bool = False) -> Iterator[Connection[Row]]:
        """Lends a transaction of one practice; the setting ends with the transaction.

        What is `derived` from the record, with the position it stands at, commits without waiting
        for the disk: a crash takes back both, and both come again.
        """
        with self.connection() as connection, connection.transaction():
            connection.execute(_OF_DERIVED if is_derived else _OF_PRACTICE, (str(practice_id),))
            yield connection

    def call(self, sql: LiteralString, values: tuple[Any, ...] = ()) -> list[Row]:
        """Runs one statement of no practice, on its own, and returns its rows."""
        with self.connection() as connection:
            return connection.execute(sql, values).fetchall()

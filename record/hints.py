"""How those who follow a log learn that there is news: a hint after the commit, coalesced.

A hint may be lost; whoever waits for one looks again by itself after `POLL_SECONDS`. Hints are sent
over a connection of their own and never within an append, because NOTIFY holds a lock of the whole
server until its transaction has ended.

That a key was destroyed or retired is told the same way, on a channel of its own: in the very
transaction, for it is rare. Who hears of it forgets the keys in memory before anything else.
"""

from collections.abc import Callable
from threading import Event as Flag
from threading import Lock, Thread
from time import sleep
from typing import ClassVar, Self
from weakref import WeakSet

import psycopg
import structlog

log = structlog.get_logger()
Connection = psycopg.Connection[tuple[object, ...]]


class Hints:
    """Sends and receives hints between the threads and processes of one database."""

    CHANNEL: ClassVar[str] = "palimpsest_news"
    KEYS_CHANNEL: ClassVar[str] = "palimpsest_keys"
    POLL_SECONDS: ClassVar[float] = 0.25
    PAUSE_SECONDS: ClassVar[float] = 0.002
    """At most one NOTIFY per pause, however many commits there were."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pending = Flag()
        self._listeners: WeakSet[Flag] = WeakSet()
        self._forgetters: list[Callable[[], None]] = []
        self._lock = Lock()
        self._stopped = Flag()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        """Starts sending and receiving."""
        for work in (self._send, self._receive):
            thread = Thread(target=self._forever, args=(work,), daemon=True, name="hints")
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        """Stops both threads."""
        self._stopped.set()
        self._pending.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def send(self, *_: object) -> None:
        """Says that something was committed; returns at once."""
        self._pending.set()

    def listen(self, flag: Flag) -> None:
        """Sets the flag whenever there is news, for as long as somebody holds the flag."""
        with self._lock:
            self._listeners.add(flag)

    def on_lost_key(self, forget: Callable[[], None]) -> None:
        """Calls this whenever a key has ended, or may have while nobody could tell us."""
        with self._lock:
            self._forgetters.append(forget)

    def _forget_keys(self) -> None:
        with self._lock:
            forgetters = list(self._forgetters)
        for forget in forgetters:
            forget()

    def _forever(self, work: Callable[[Connection], None]) -> None:
        is_told = False
        while not self._stopped.is_set():
            try:
                with psycopg.connect(
                    self._url, autocommit=True, application_name="palimpsest hints"
                ) as connection:
                    is_told = False
                    work(connection)
            except psycopg.Error as error:
                if not (is_told or self._stopped.is_set()):
                    log.warning("hints_interrupted", error=type(error).__name__)
                is_told = True
                self._stopped.wait(self.POLL_SECONDS)

    def _send(self, connection: Connection) -> None:
        connection.execute("SET synchronous_commit = off")
        while not self._stopped.is_set():
            self._pending.wait()
            self._pending.clear()
            connection.execute(f"NOTIFY {self.CHANNEL}")
            sleep(self.PAUSE_SECONDS)

    def _receive(self, connection: Connection) -> None:
        connection.execute(f"LISTEN {self.CHANNEL}")
        connection.execute(f"LISTEN {self.KEYS_CHANNEL}")
        self._forget_keys()
        while not self._stopped.is_set():
            for told in connection.notifies(timeout=self.POLL_SECONDS, stop_after=1):
                if told.channel == self.KEYS_CHANNEL:
                    self._forget_keys()
                with self._lock:
                    waiting = list(self._listeners)
                for flag in waiting:
                    flag.set()

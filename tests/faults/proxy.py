"""What lies between the application and PostgreSQL? A wire that can be cut at the worst moment.

It forwards bytes and understands just enough of the protocol to know when the server has finished:
a `ReadyForQuery` outside of a transaction follows the commit, so whatever was asked is done.
(PostgreSQL 18, "Frontend/Backend Protocol", message formats.)
"""

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, Thread
from uuid import UUID

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.database import Database

CHUNK = 65_536
READY_AND_IDLE = b"Z\x00\x00\x00\x05I"
Socket = socket.socket


@dataclass
class Trap:
    """Whose answer is to be lost: of those who sent a certain id, once something is done."""

    mark: UUID
    done: Callable[[], bool]
    senders: set[Socket] = field(default_factory=set)

    def is_in(self, request: bytes) -> bool:
        """Whether it names the id, in any of the ways in which the driver sends one."""
        forms = (self.mark.bytes, self.mark.hex.encode(), str(self.mark).encode())
        return any(form in request for form in forms)


class Wire:
    """Listens on a socket of its own and passes on what it hears, while it likes to."""

    def __init__(self, here: Path, server: Path) -> None:
        self._server = server
        self._lock = Lock()
        self._dice = random.Random(5)
        self._trap: Trap | None = None
        self.chance = 0.0
        """How likely each request is to lose its connection: before, while, or after it is done."""
        self.cuts = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(here))
        self._listener.listen(64)
        Thread(target=self._accept, daemon=True).start()

    def cut_answer(self, mark: UUID, done: Callable[[], bool]) -> None:
        """Once it is done, loses the answer of whoever has sent this id, and that connection."""
        self._trap = Trap(mark, done)

    def mend(self) -> None:
        """Everything gets through again."""
        self._trap = None
        self.chance = 0.0

    def close(self) -> None:
        """Takes no more connections."""
        self.mend()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._server))
            except OSError:
                _hang_up(client, server)
                continue
            for work in (self._requests, self._answers):
                Thread(target=work, args=(client, server), daemon=True).start()

    def _requests(self, client: Socket, server: Socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(CHUNK):
                if self._trap is not None and self._trap.is_in(chunk):
                    self._trap.senders.add(server)
                fate = self._draw()
                if fate != "before":
                    server.sendall(chunk)
                if fate is not None:
                    break
        _hang_up(client, server)

    def _answers(self, client: Socket, server: Socket) -> None:
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                if chunk.endswith(READY_AND_IDLE) and self._loses_answer(server):
                    break
                client.sendall(chunk)
        _hang_up(client, server)

    def _draw(self) -> str | None:
        with self._lock:
            if self._dice.random() < self.chance / 2:
                self.cuts += 1
                return self._dice.choice(("before", "while"))
        return None

    def _loses_answer(self, server: Socket) -> bool:
        trap = self._trap
        with self._lock:
            is_lost = self._dice.random() < self.chance / 2
        is_lost = is_lost or (trap is not None and server in trap.senders and trap.done())
        with self._lock:
            self.cuts += is_lost
        return is_lost


def _hang_up(*ends: Socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def wire_to(ready: Database, folder: Path) -> Iterator[tuple[Wire, Database]]:
    """A wire, and the same database as the application reaches it through the wire."""
    place = conninfo_to_dict(ready.app_url)
    name = f".s.PGSQL.{place['port']}"
    wire = Wire(folder / name, Path(str(place["host"])) / name)
    try:
        yield wire, replace(ready, app_url=make_conninfo(ready.app_url, host=str(folder)))
    finally:
        wire.close()

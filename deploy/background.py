"""How does a role without an API run: at work until asked to stop, and watched meanwhile?"""

import json
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app

from deploy.database import ready_database
from deploy.logs import configure_logging
from deploy.serve import address_of, bound, stoppable
from deploy.settings import Role, Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Health = Callable[[], bool]


def work(settings: Settings, role: Role) -> None:
    """Run until asked to stop; `/healthz` and `/metrics` answer on the metrics port."""
    configure_logging(settings.log_level)
    with (
        stoppable(),
        bound(settings.host, settings.metrics_port, "PALIMPSEST_METRICS_PORT") as listener,
        ready_database(settings) as database,
    ):
        # Late, so that a port in use is told at once and not after everything was loaded.
        from deploy.wiring import running_workers  # noqa: PLC0415

        with (
            running_workers(settings, database, role) as workers,
            _watchable(listener, lambda: all(worker.is_alive() for worker in workers)),
        ):
            address = address_of(settings.host, listener)
            print(f"Palimpsest {role} is ready; health at {address}/healthz", flush=True)  # noqa: T201  # people and scripts wait for this line
            while True:
                signal.pause()


class _Server(ThreadingMixIn, WSGIServer):
    """Serves on a socket that is bound already; a slow asker holds up nobody."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Leaves no line per request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def _watchable(listener: socket.socket, is_well: Health) -> Iterator[None]:
    server = _Server(listener.getsockname(), _Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()[:2]
    server.setup_environ()
    server.set_app(_answer(is_well))
    server.server_activate()
    thread = Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _answer(is_well: Health) -> Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]:
    metrics = make_wsgi_app()

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                shown: Iterable[bytes] = metrics(environ, start)
                return shown
            case "/healthz":
                status, told = ("200 OK", "ok") if is_well() else ("503 Not well", "a worker ended")
            case _:
                status, told = "404 Not Found", "not found"
        start(status, [("Content-Type", "application/json")])
        return [json.dumps({"status": told}).encode()]

    return answer

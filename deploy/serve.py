"""How does the whole of Palimpsest run in one process, from free port to clean stop?"""

import signal
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

from deploy.database import ready_database
from deploy.logs import configure_logging
from deploy.refusal import Refusal
from deploy.settings import Role, Settings

if TYPE_CHECKING:
    from types import FrameType

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS: Final = 5  # for requests under way when we are asked to stop


class Stopped(BaseException):
    """Somebody asked us to stop while we were starting. Not an error, so nothing may catch it."""


class Server(uvicorn.Server):
    """Uvicorn that says when it accepts connections, and leaves cleaning up to its caller."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        print(self._announcement, flush=True)  # noqa: T201  # people and scripts wait for this line

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Uvicorn's own raises the signal again afterwards, which would end us before PostgreSQL.
        for wanted in STOP_SIGNALS:
            signal.signal(wanted, self.handle_exit)
        try:
            yield
        finally:
            _ignore_stop_signals()


def serve(settings: Settings, role: Role = "serve") -> None:
    """Run until asked to stop. The port is taken first: if it is in use, nothing else happens."""
    configure_logging(settings.log_level)
    with (
        stoppable(),
        bound(settings.host, settings.port, "PALIMPSEST_PORT") as listener,
        ready_database(settings) as database,
    ):
        # Late, so that a port in use is told at once and not after everything was loaded.
        from deploy.wiring import running_app  # noqa: PLC0415

        with running_app(settings, database, role) as app:
            config = uvicorn.Config(
                app.asgi,
                log_config=None,
                access_log=False,  # who read what stands in the access log, sealed; not in a file
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
            ready = f"Palimpsest is ready at {address_of(settings.host, listener)}"
            _run(Server(config, f"{ready}\n{app.announcement}".rstrip()), listener)


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        server.run(sockets=[listener])
    except SystemExit as end:
        if end.code:
            raise Refusal("the application did not start; its log says why") from None


@contextmanager
def bound(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """Take the port without listening yet: until we are ready, callers are turned away."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise Refusal(f"PALIMPSEST_HOST: {host} is not an address here") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except PermissionError:
            raise Refusal(f"port {port} may not be used by this user") from None
        except OSError as error:
            raise Refusal(
                f"port {port} on {host} cannot be used ({error.strerror}); "
                f"choose another with {setting}"
            ) from None
        yield listener


def address_of(host: str, listener: socket.socket) -> str:
    """As people type it."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


@contextmanager
def stoppable() -> Iterator[None]:
    """Let every request to stop unwind what was started; a second one changes nothing."""

    def stop(_number: int, _frame: "FrameType | None") -> None:
        _ignore_stop_signals()
        raise Stopped

    before = {wanted: signal.signal(wanted, stop) for wanted in STOP_SIGNALS}
    try:
        yield
    except Stopped:
        pass
    finally:
        for wanted, handler in before.items():
            signal.signal(wanted, handler)


def _ignore_stop_signals() -> None:
    for wanted in STOP_SIGNALS:
        signal.signal(wanted, signal.SIG_IGN)

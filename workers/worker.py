"""How does a background process run: a thread that goes on through outages until it is stopped?"""

from abc import ABC, abstractmethod
from threading import Event as Flag
from threading import Thread
from typing import ClassVar, Final, Self

import psycopg
import structlog

from gateways.broker import BrokerUnavailable
from gateways.kms import KmsUnavailable
from record.database import DatabaseUnavailable
from record.hints import Hints

log = structlog.get_logger()

OUTAGES: Final = (DatabaseUnavailable, KmsUnavailable, BrokerUnavailable, psycopg.OperationalError)
"""What is nobody's fault: the same step will do once it is over."""
PAUSE: Final = 1.0
"""Seconds before the next step after an outage."""
STOP_SECONDS: Final = 30.0


class Worker(ABC):
    """Takes one step after the other in a thread of its own, from `start` to `stop`."""

    name: ClassVar[str]
    POLL_SECONDS: ClassVar[float] = Hints.POLL_SECONDS
    """Before it looks again by itself."""

    def __init__(self, hints: Hints | None = None) -> None:
        self._hints = hints
        self._news = Flag()
        self._stopping = Flag()
        self._thread: Thread | None = None

    @abstractmethod
    def _step(self) -> bool:
        """Does what there is to do; says whether there may be more at once. May raise `OUTAGES`."""

    def start(self) -> Self:
        """Starts the thread."""
        self._stopping.clear()
        if self._hints is not None:
            self._hints.listen(self._news)
        self._thread = Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread once the step at hand is done."""
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout=STOP_SECONDS)
            self._thread = None

    def is_alive(self) -> bool:
        """Whether the thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def __enter__(self) -> Self:
        """Starts the thread for a `with` block."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.stop()

    def _run(self) -> None:
        is_interrupted = False
        while not self._stopping.is_set():
            self._news.clear()
            try:
                has_moved = self._step()
            except (*OUTAGES, psycopg.Error) as error:
                if not is_interrupted:  # told once, however long it lasts
                    log.warning("worker_interrupted", worker=self.name, error=type(error).__name__)
                is_interrupted = True
                self._stopping.wait(PAUSE)
            except Exception as error:  # noqa: BLE001 - the thread must outlive what nobody foresaw
                log.error("worker_failed", worker=self.name, error=type(error).__name__)  # noqa: TRY400 - no traceback
                self._stopping.wait(PAUSE)
            else:
                if is_interrupted:
                    log.info("worker_goes_on", worker=self.name)
                is_interrupted = False
                if not has_moved:
                    self._news.wait(self.POLL_SECONDS)

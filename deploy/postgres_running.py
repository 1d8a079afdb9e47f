"""Which PostgreSQL does a program use, and who starts its own again when that has died?"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

import structlog

from deploy.postgres import Cluster
from deploy.refusal import Refusal
from deploy.settings import Settings

log = structlog.get_logger()

LOOKS_EVERY: Final = 1.0
"""Seconds between two looks at the server."""


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Yield the administrator's address of a database: the one set, else our own server's."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    cluster = Cluster(settings.data_dir, testing=settings.testing)
    with cluster.joined(), revived(cluster):
        cluster.ensure_database()
        yield cluster.url()


@contextmanager
def revived(cluster: Cluster) -> Iterator[None]:
    """Keep the server running: killed, or out of room for its log, it is started again."""
    is_over = Event()
    watch = Thread(target=_watch, args=(cluster, is_over), name="postgres watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        is_over.set()
        watch.join()


def _watch(cluster: Cluster, is_over: Event) -> None:
    while not is_over.wait(LOOKS_EVERY):
        try:
            if cluster.revive():
                log.warning("database_started_again")
        except (Refusal, OSError) as error:
            # As long as what stopped it lasts, such as a full disk; then it starts.
            log.error("database_does_not_start", reason=str(error))  # noqa: TRY400 - no traceback

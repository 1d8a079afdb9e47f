"""How are the parts of Palimpsest put together? The composition root."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from fastapi import FastAPI

from api.app import create_app
from api.platform import Platform
from api.security.identity import Identity
from api.web import ROUTERS
from deploy.broker import open_broker
from deploy.database import Database as Ready
from deploy.demo.loading import announcement, load_demo
from deploy.refusal import Refusal
from deploy.settings import Role, Settings
from deploy.witnesses import open_witnesses
from domain.kernel.clock import Clock, SystemClock
from domain.kernel.ids import PracticeId
from gateways.broker import Broker
from gateways.kms import Kms
from gateways.witness import Witness
from projections.all import all_projections
from projections.chart_view.reader import ChartView
from projections.client_search.reader import ClientSearch
from record.access import AccessLog
from record.database import Database
from record.drafts import Drafts
from record.export import Exports
from record.gate import Gate
from record.hints import Hints
from record.keys import KeyRing
from record.practice import Practice, Practices
from record.seals import Seals
from workers.follower import GROUP, Follower
from workers.projector import Projector
from workers.sealer import Sealer
from workers.worker import Worker


@dataclass(frozen=True)
class Parts:
    """Everything that stands on one database, open and ready."""

    platform: Platform
    projector: Projector
    sealer: Sealer
    keys: KeyRing
    hints: Hints


@dataclass(frozen=True)
class Running:
    """The application, and what to tell the person who started it."""

    asgi: FastAPI
    announcement: str


@contextmanager
def open_parts(
    app_url: str,
    kms: Kms,
    *,
    pool_size: int = 10,
    idle: timedelta = timedelta(minutes=15),
    clock: Clock | None = None,
    witnesses: Sequence[Witness] = (),
) -> Iterator[Parts]:
    """Connect, and build what the routes and the workers stand on."""
    with ExitStack() as stack:
        database = stack.enter_context(Database(app_url, size=pool_size))
        hints = stack.enter_context(Hints(app_url))
        # A connection of its own: appends never wait for reads to give one back.
        writing = stack.enter_context(Database(app_url, size=1))

        def tell(_: UUID, log: str) -> None:
            if log == "record":  # nobody waits for news of the access log
                hints.send()

        gate = Gate(writing, tell)
        keys = KeyRing(database, kms)
        hints.on_lost_key(keys.forget)

        def practice(practice_id: PracticeId, log: str) -> Practice:
            return Practice(database, gate, keys, practice_id, log=log, hints=hints)

        records = Practices(partial(practice, log="record"))
        accesses = Practices(partial(practice, log="access"))
        seals = Seals(database, kms)
        platform = Platform(
            clock=clock or SystemClock(),
            database=database,
            practices=records,
            accesses=AccessLog(accesses),
            drafts=Drafts(database, keys),
            identity=Identity(database, idle=idle),
            chart_view=ChartView(database, keys, records),
            client_search=ClientSearch(database),
            seals=seals,
            exports=Exports(database, seals, keys, (records, accesses), witnesses),
        )
        yield Parts(
            platform,
            Projector(database, records, all_projections(keys, records), hints),
            Sealer(database, seals, witnesses),
            keys,
            hints,
        )


@contextmanager
def running_app(settings: Settings, ready: Ready, role: Role = "serve") -> Iterator[Running]:
    """API and pages; as `serve` the workers too and, on first start, the demo practices."""
    with _parts_for(settings, ready) as parts:
        if settings.demo and role == "serve":
            load_demo(ready, parts)
        with _at_work(crew(settings, parts, role)):
            told = announcement(ready) if settings.demo else ""
            running = Running(create_app(parts.platform, ROUTERS), told)
            settle()
            yield running


@contextmanager
def running_workers(settings: Settings, ready: Ready, role: Role) -> Iterator[Sequence[Worker]]:
    """What a role does in the background, at work."""
    with _parts_for(settings, ready) as parts, _at_work(crew(settings, parts, role)) as workers:
        settle()
        yield workers


def crew(settings: Settings, parts: Parts, role: Role) -> list[Worker]:
    """The workers of a role. Refuses a role that needs Kafka where none is named."""
    broker = open_broker(settings)
    workers: list[Worker] = []
    if role in ("serve", "worker"):
        workers += [_projector(settings, parts, broker), parts.sealer]
    if role == "relay" or (role == "serve" and broker is not None):
        if broker is None:
            raise Refusal("PALIMPSEST_KAFKA: a relay needs a broker to publish to")
        # Late: what it measures is told only where it runs.
        from workers.relay import Relay  # noqa: PLC0415

        workers.append(Relay(parts.platform.database, broker.publisher(), parts.hints))
    return workers


def _projector(settings: Settings, parts: Parts, broker: Broker | None) -> Projector | Follower:
    if settings.projection_source == "postgres":
        return parts.projector
    if broker is None:
        raise Refusal("PALIMPSEST_PROJECTION_SOURCE: kafka needs PALIMPSEST_KAFKA")
    database, practices = parts.platform.database, parts.platform.practices
    projections = all_projections(parts.keys, practices)
    return Follower(database, practices, projections, broker.consumer(GROUP))


@contextmanager
def _parts_for(settings: Settings, ready: Ready) -> Iterator[Parts]:
    with (
        open_witnesses(settings, ready.kms) as witnesses,
        open_parts(
            ready.app_url,
            ready.kms,
            pool_size=settings.pool_size,
            idle=timedelta(minutes=settings.session_idle_minutes),
            witnesses=witnesses,
        ) as parts,
    ):
        yield parts


@contextmanager
def _at_work(workers: Sequence[Worker]) -> Iterator[Sequence[Worker]]:
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
        yield workers


def settle() -> None:
    """Tells the garbage collector that what is loaded by now will stay.

    It would look through all of it every so often, which takes a third of a busy process's time.
    """
    gc.collect()
    gc.freeze()

"""How is a record of millions of events made in minutes, each through the gate and readable?

Lives of clients, all alike in shape: registered, seen, charted, corrected, and looked at. The lives
of a cohort go on side by side, as they do in a practice, so that the events about one client lie
far apart in the log. One practice has half of all, the others share the rest.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from typing import Final
from uuid import UUID

import psycopg

from deploy.bench.where import Where
from deploy.demo.bulk import append_all
from deploy.demo.people import person
from deploy.demo.scribe import OneConnection, of_practice
from domain.chart.events import AddendumAdded, NoteCorrected, NoteLocked, NoteSigned, Sections
from domain.client.events import ClientRegistered, ContactDetailsChanged, Details
from domain.kernel.events import Category, Context, Event
from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId
from gateways.kms.local import LocalKms
from record.access import Accessed
from record.database import Row
from record.envelope import EnvelopeMapper, Pending
from record.gate import Append
from record.ids import new_id
from record.keys import KeyRing

PRACTICES: Final = 20
PROCESSES: Final = 3
COHORT: Final = 500
"""Clients whose lives go on side by side."""
LIFE: Final = (
    "register", "look", "sign", "look", "add", "sign", "look", "correct", "change", "sign",
    "look", "lock", "sign", "look", "sign", "add", "sign", "look", "correct", "look",
)  # fmt: skip
"""What happens to each client: 13 events of the record, 7 entries of the access log."""
EVENTS_PER_HOUR: Final = 100
"""Of a practice, which stays as busy as it was: it is the years that grow."""
BEGIN: Final = datetime(2019, 1, 7, 9, tzinfo=UTC)
CATEGORIES: Final = (Category.CONTACT, Category.CLINICAL, Category.BUSINESS)
SENTENCES: Final = (
    "Glabella and forehead reviewed; even, no ptosis, no asymmetry at rest or in motion.",
    "Client pleased with the result; photographs taken in the usual five positions.",
    "No bruising, no tenderness; injection sites clean, skin intact.",
    "Aftercare explained again: no massage, no heat, upright for four hours.",
    "Dose kept as before, four units a point; product and lot as in the treatment record.",
    "Next visit in twelve weeks, sooner if the effect is felt to wear off.",
    "Contraindications asked for and denied; good-faith exam in force.",
    "Mild oedema of the upper lip, expected, resolving; ice for ten minutes.",
)

Watch = Callable[[int, int], None]
"""Is told how many events are there, of how many."""


def fill(where: Where, events: int, watch: Watch) -> None:
    """Appends so many events, or a few more, and returns when all are committed."""
    cohorts = list(_cohorts(where.practices, events))
    context = multiprocessing.get_context("spawn")
    done: Queue[int] = context.Queue()
    processes = [
        context.Process(target=_fill, args=(where, cohorts[number::PROCESSES], done), daemon=True)
        for number in range(min(PROCESSES, len(cohorts)))
    ]
    for process in processes:
        process.start()
    appended = 0
    total = sum(clients for _, clients in cohorts) * len(LIFE)
    for _ in cohorts:
        appended += done.get(timeout=120)
        watch(appended, total)
    for process in processes:
        process.join()


def _cohorts(practices: Sequence[PracticeId], events: int) -> Iterator[tuple[PracticeId, int]]:
    """Practice and number of clients, in an order in which neighbours are of other practices."""
    big, *others = practices
    clients = -(-events // len(LIFE))
    share = -(-clients // (2 * len(others)))
    left = {big: clients - clients // 2, **dict.fromkeys(others, share)}
    while any(left.values()):
        for practice_id in (one for other in others for one in (big, other)):
            size = min(COHORT, left[practice_id])
            if size:
                left[practice_id] -= size
                yield practice_id, size


def _fill(where: Where, cohorts: Sequence[tuple[PracticeId, int]], done: Queue[int]) -> None:
    with ExitStack() as stack:
        log, keys = (
            stack.enter_context(psycopg.connect(where.admin_url, autocommit=True)) for _ in "12"
        )
        ring = KeyRing(OneConnection(keys), LocalKms(where.root_key))
        for practice_id, clients in cohorts:
            cohort = _Cohort(practice_id, clients, ring)
            with of_practice(keys, practice_id):
                cohort.prepare()
            for step in LIFE:
                with of_practice(log, practice_id):
                    cohort.live(log, step)
            done.put(clients * len(LIFE))


@dataclass(slots=True)
class _Life:
    client: ClientId
    details: Details
    note: UUID
    version: int = 0
    note_version: int = 0


class _Cohort:
    """Some clients of one practice, and what is written about them, a step for all at a time."""

    def __init__(self, practice_id: PracticeId, clients: int, ring: KeyRing) -> None:
        self._practice_id = practice_id
        self._ring = ring
        self._mappers = {
            log: EnvelopeMapper(ring, practice_id, log) for log in ("record", "access")
        }
        # No secret depends on it.
        self._dice = random.Random(new_id().int)  # noqa: S311 - made-up data
        self._lives = [
            _Life(ClientId(new_id()), person(self._dice, "UTC", BEGIN.date()).details, new_id())
            for _ in range(clients)
        ]
        self._by = ActorId(UUID(int=self._dice.randrange(1, 9)))
        self._context = Context(
            practice_id=practice_id, actor_id=self._by, role="clinician", at=BEGIN,
            command_id=CommandId(new_id()), correlation_id=new_id(), digest=b"d" * 32,
        )  # fmt: skip

    def prepare(self) -> None:
        """Makes the keys, within the caller's transaction."""
        wanted = ((life.client, kind) for life in self._lives for kind in CATEGORIES)
        self._ring.prepare(self._practice_id, wanted)

    def live(self, connection: psycopg.Connection[Row], step: str) -> None:
        """One event for each client, in one call of the gate, within the caller's transaction."""
        log = "access" if step == "look" else "record"
        at = _next_moment(connection, self._practice_id, log)
        appends = [self._append(log, life, step, at) for life in self._lives]
        (outcomes,) = append_all(connection, [(at, appends)])
        if set(outcomes) != {"accepted"}:
            message = f"the gate refused what was made up: {set(outcomes)}"
            raise RuntimeError(message)

    def _append(self, log: str, life: _Life, step: str, at: datetime) -> Append:
        stream_id, version, event = self._event(life, step, at)
        sealed = self._mappers[log].to_stored_event(Pending(stream_id, version, event))
        # Copied, not checked again: there are very many.
        context = self._context.model_copy(
            update={"command_id": new_id(), "correlation_id": new_id()}
        )
        return Append(self._practice_id, log, [sealed], context)

    def _event(self, life: _Life, step: str, at: datetime) -> tuple[UUID, int, Event]:
        if step == "look":
            return new_id(), 1, self._looked(life, at)
        if step in {"register", "change"}:
            life.version += 1
            kind = ClientRegistered if step == "register" else ContactDetailsChanged
            known = kind(occurred_at=at, client_id=life.client, details=life.details)
            return life.client, life.version, known
        if step == "sign":
            life.note, life.note_version = new_id(), 0
        life.note_version += 1
        return life.note, life.note_version, self._noted(life, step, at)

    def _looked(self, life: _Life, at: datetime) -> Accessed:
        return Accessed(
            occurred_at=at,
            client_id=life.client,
            action="read",
            what="chart",
            outcome="allowed",
            origin="10.0.4.21 bench",
        )

    def _noted(self, life: _Life, step: str, at: datetime) -> Event:
        text = " ".join(self._dice.sample(SENTENCES, 3))
        if step == "add":
            return AddendumAdded(occurred_at=at, client_id=life.client, text=text)
        if step == "correct":
            return NoteCorrected(
                occurred_at=at, client_id=life.client, changes={"plan": text}, reason="Mistyped."
            )
        if step == "lock":
            return NoteLocked(occurred_at=at, client_id=life.client)
        return NoteSigned(
            occurred_at=at,
            client_id=life.client,
            sections=Sections(subjective=text, objective=SENTENCES[0], plan=text),
            signed_by=self._by,
            signed_at=at,
            is_locked=False,
            is_late_entry=False,
            rule="late-entry/1",
        )


def _next_moment(
    connection: psycopg.Connection[Row], practice_id: PracticeId, log: str
) -> datetime:
    """When the next events are recorded: the clock follows the log."""
    (position,) = connection.execute(
        "SELECT position FROM record.head WHERE practice_id = %s AND log = %s", (practice_id, log)
    ).fetchall()[0]
    return BEGIN + timedelta(hours=position / EVENTS_PER_HOUR)

"""What does a test need to write into a record and look at what was written?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import sleep
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from deploy.database import Database as Ready
from domain.chart.commands import SignNote
from domain.chart.events import Sections
from domain.client.commands import RegisterClient
from domain.client.events import Details
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, ClientId, CommandId, PracticeId
from gateways.kms.simulator import SimulatedKms
from record.access import AccessLog
from record.database import Database
from record.drafts import Drafts
from record.gate import Append, Gate
from record.hints import Hints
from record.keys import KeyRing
from record.practice import Practice, Practices
from record.provision import NewPractice, create_practice
from record.recorder import PracticeRecorder
from record.seals import Seals

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Record:
    """The parts of the record over one database."""

    ready: Ready
    kms: SimulatedKms
    database: Database
    hints: Hints
    gate: Gate
    keys: KeyRing
    practices: Practices
    access_logs: Practices
    accesses: AccessLog
    drafts: Drafts
    seals: Seals

    def new_practice(self, slug: str | None = None) -> PracticeId:
        """A practice nobody else uses."""
        with psycopg.connect(self.ready.admin_url, autocommit=True) as admin:
            new = NewPractice(slug or f"practice-{uuid4()}", "A practice", "Europe/Paris")
            return create_practice(admin, self.kms, new)

    def practice(self, practice_id: PracticeId, log: str = "record") -> Practice:
        """An application of its own, with nothing cached but the keys."""
        return Practice(self.database, self.gate, self.keys, practice_id, log=log, hints=self.hints)

    def recorder(self, practice_id: UUID, log: str = "record") -> PracticeRecorder:
        """The recorder by itself: no envelope, no keys."""
        return PracticeRecorder(self.database, self.gate, practice_id, log, self.hints)

    def admin(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Runs a statement as the administrator, whom no policy holds back."""
        with psycopg.connect(self.ready.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def cut_appends(self) -> None:
        """Ends the connections that last appended, or are appending."""
        self.admin(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'palimpsest'
                AND query LIKE '%%record.append(%%'"""
        )

    def cut_all(self) -> int:
        """Ends all connections of the application and waits until they are gone."""
        gone = self.admin(
            """SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'palimpsest'"""
        )
        return int(gone[0][0])

    def fill(self, practice_id: UUID, count: int, log: str = "record") -> None:
        """So many events without an envelope, each a stream of its own."""
        for first in range(0, count, 500):
            events = [plain(body=bytes(7)) for _ in range(min(500, count - first))]
            self.gate.append(Append(practice_id, log, events))

    def leaves(self, practice_id: UUID, log: str = "record") -> list[bytes]:
        """The leaf hashes of one log as they stand in the table, in order."""
        return [row["leaf_hash"] for row in self.events(practice_id, log)]

    def unguarded(self, practice_id: UUID, *statements: LiteralString) -> None:
        """As the administrator, with the triggers out of the way; `%(p)s` is the practice."""
        with psycopg.connect(self.ready.admin_url) as admin:
            admin.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                admin.execute(statement, {"p": practice_id})

    def events(self, practice_id: UUID, log: str = "record") -> list[dict[str, Any]]:
        """The rows of one log as they stand in the table, in order."""
        with (
            psycopg.connect(self.ready.admin_url, autocommit=True) as connection,
            connection.cursor(row_factory=psycopg.rows.dict_row) as cursor,
        ):
            return cursor.execute(
                """SELECT * FROM record.event WHERE practice_id = %s AND log = %s
                ORDER BY position""",
                (practice_id, log),
            ).fetchall()


@contextmanager
def record_on(
    ready: Ready, *, pool_size: int = 10, kms: SimulatedKms | None = None
) -> Iterator[Record]:
    """Opens the parts, with a simulated keeper of the root key."""
    kms = kms or SimulatedKms()
    with ExitStack() as stack:
        database = stack.enter_context(Database(ready.app_url, size=pool_size))
        hints = stack.enter_context(Hints(ready.app_url))
        gate = Gate(stack.enter_context(Database(ready.app_url, size=1)), hints.send)
        keys = KeyRing(database, kms)
        hints.on_lost_key(keys.forget)

        def practices(log: str) -> Practices:
            return Practices(
                lambda practice_id: Practice(
                    database, gate, keys, practice_id, log=log, hints=hints
                )
            )

        access_logs = practices("access")
        yield Record(
            ready=ready,
            kms=kms,
            database=database,
            hints=hints,
            gate=gate,
            keys=keys,
            practices=practices("record"),
            access_logs=access_logs,
            accesses=AccessLog(access_logs),
            drafts=Drafts(database, keys),
            seals=Seals(database, kms),
        )


@contextmanager
def held_up(record: Record, practice_id: UUID) -> Iterator[Callable[[], bool]]:
    """Somebody holds the practice's heads. Yields whether an append waits for one of them."""
    with psycopg.connect(record.ready.admin_url) as other:
        other.execute(
            "SELECT FROM record.head WHERE practice_id = %s FOR UPDATE", (practice_id,)
        ).fetchall()

        def is_met() -> bool:
            return (
                other.execute(
                    "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY "
                    "(pg_blocking_pids(pid))"
                ).rowcount
                > 0
            )

        yield is_met


def until(condition: Callable[[], bool]) -> None:
    """Returns once it holds; the test's time limit is the limit."""
    while not condition():
        sleep(0.0005)


def context(practice_id: PracticeId, *, actor: UUID | None = None, **given: object) -> Context:
    """Somebody of a practice who asks for something now."""
    facts: dict[str, Any] = {
        "practice_id": practice_id,
        "actor_id": ActorId(actor or uuid4()),
        "role": "clinician",
        "at": datetime.now(UTC),
        "command_id": CommandId(uuid4()),
        "correlation_id": uuid4(),
        "digest": b"the request",
    }
    return Context(**(facts | given))


def register(client_id: UUID, by: Context, given_name: str = "Ana") -> RegisterClient:
    """Asks for a new client."""
    return RegisterClient(
        by=by.actor_id,
        at=by.at,
        client_id=ClientId(client_id),
        details=Details(given_name=given_name, family_name="Lopez", birth_date=date(1990, 3, 1)),
    )


def sign(client_id: UUID, by: Context, text: str = "Forehead, 12 units.") -> SignNote:
    """Asks for a signed note."""
    return SignNote(
        by=by.actor_id,
        at=by.at,
        client_id=ClientId(client_id),
        sections=Sections(subjective=text),
        occurred_at=by.at,
    )


def plain(
    stream_id: UUID | None = None, version: int = 1, body: bytes = b"body", kind: str = "test.v1"
) -> StoredEvent:
    """A row without an envelope, for tests of the log alone."""
    return StoredEvent(stream_id or uuid4(), version, kind, body)

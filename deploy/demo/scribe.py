"""How is a made-up history written: sealed, in the order of time, with the moments it tells of?"""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

from psycopg import Connection

from deploy.demo.bulk import Call, append_all
from deploy.demo.desk import Deed
from domain.kernel.events import Category
from domain.kernel.ids import PracticeId
from gateways.kms import Kms
from record.database import Database, Row
from record.envelope import EnvelopeMapper
from record.gate import Append
from record.keys import KeyRing

EVENTS_PER_CALL = 500
EVENTS_PER_COMMIT = 4_000
CALLS_PER_COMMIT = 400
"""A head row is locked and moved on by every call; its old versions go away with the commit."""

# What the gate says to what it has taken before. An access entry carries no command: there, that
# its stream exists tells.
KNOWN = {"record": "duplicate", "access": "conflict"}


class CannotContinue(Exception):
    """What stands in the log already is not how this story begins."""


class OneConnection(Database):
    """Lends the one connection there is, whose transaction is of the right practice already."""

    def __init__(self, connection: Connection[Row]) -> None:
        self._one = connection

    @contextmanager
    def connection(self) -> Iterator[Connection[Row]]:
        """The connection, as it stands."""
        yield self._one

    @contextmanager
    def practice(self, practice_id: UUID, *, is_derived: bool = False) -> Iterator[Connection[Row]]:
        """The connection, within its transaction."""
        del practice_id, is_derived
        yield self._one


class Scribe:
    """Writes deeds through the gate, those of one moment in one call.

    Of its two connections one appends while the next batch is sealed, with keys that are committed
    before it. A history that was cut short goes on where it ended: its ids follow from the story,
    so the gate knows again what it has taken; and it must know all that lies below the heads.
    """

    def __init__(
        self, log: Connection[Row], keys: Connection[Row], kms: Kms, practice_id: PracticeId
    ) -> None:
        self._log = log
        self._keys = keys
        self._practice_id = practice_id
        self.ring = KeyRing(OneConnection(keys), kms)
        self._mappers = {one: EnvelopeMapper(self.ring, practice_id, one) for one in KNOWN}
        self._reached = dict.fromkeys(KNOWN, 0)
        with of_practice(log, practice_id):
            self._heads: dict[str, int] = dict(
                log.execute(
                    "SELECT log, position FROM record.head WHERE practice_id = %s", (practice_id,)
                ).fetchall()
            )

    def write(self, deeds: Iterable[Deed]) -> Generator[Deed, None, None]:
        """Writes all, a commit's worth at a time, and yields the last deed of each.

        Raises `CannotContinue`.
        """
        with ThreadPoolExecutor(1, "scribe") as other:
            under_way: Future[None] | None = None
            for batch in batches(calls(deeds)):
                with of_practice(self._keys, self._practice_id):
                    self.ring.prepare(self._practice_id, _sealed_for(batch))
                    sealed = [self._sealed(call) for call in batch]
                if under_way is not None:
                    under_way.result()
                under_way = other.submit(self._append, sealed)
                yield batch[-1][-1]
            if under_way is not None:
                under_way.result()

    def _sealed(self, call: list[Deed]) -> Call:
        return call[0].at, [
            Append(
                self._practice_id,
                deed.log,
                [self._mappers[deed.log].to_stored_event(one) for one in deed.events],
                deed.context,
            )
            for deed in call
        ]

    def _append(self, batch: list[Call]) -> None:
        with of_practice(self._log, self._practice_id):
            outcomes = append_all(self._log, batch)
            for (_, appends), found in zip(batch, outcomes, strict=True):
                for one, outcome in zip(appends, found, strict=True):
                    self._reached[one.log] += len(one.events)
                    is_new = self._reached[one.log] > self._heads[one.log]
                    if outcome != ("accepted" if is_new else KNOWN[one.log]):
                        raise CannotContinue


@contextmanager
def of_practice(connection: Connection[Row], practice_id: PracticeId) -> Iterator[None]:
    """One transaction within one practice."""
    with connection.transaction():
        connection.execute(
            "SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),)
        )
        yield


def _sealed_for(batch: list[list[Deed]]) -> Iterator[tuple[UUID | None, Category]]:
    """Whose keys the events of a batch need."""
    for call in batch:
        for deed in call:
            for pending in deed.events:
                yield getattr(pending.event, "client_id", None), pending.event.category


def calls(deeds: Iterable[Deed]) -> Iterator[list[Deed]]:
    """Deeds of the same moment together, as far as one call of the gate can take them."""
    call: list[Deed] = []
    streams: set[UUID] = set()
    events = 0
    for deed in deeds:
        touched = {pending.originator_id for pending in deed.events}
        is_next = call and (
            deed.at != call[0].at
            or not streams.isdisjoint(touched)
            or events + len(deed.events) > EVENTS_PER_CALL
        )
        if is_next:
            yield call
            call, streams, events = [], set(), 0
        call.append(deed)
        streams |= touched
        events += len(deed.events)
    if call:
        yield call


def batches(found: Iterable[list[Deed]]) -> Iterator[list[list[Deed]]]:
    """As many calls as are committed together."""
    batch: list[list[Deed]] = []
    events = 0
    for call in found:
        batch.append(call)
        events += sum(len(deed.events) for deed in call)
        if events >= EVENTS_PER_COMMIT or len(batch) >= CALLS_PER_COMMIT:
            yield batch
            batch, events = [], 0
    if batch:
        yield batch

"""How is a projection made again from the first event on, while people go on reading the old one?

New tables are filled beside the old and take their place in one transaction: whoever reads sees the
old or the new, never half. Whatever stops a rebuild, the tables that people read are untouched, and
what it leaves beside them is removed by itself or by the next one.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from time import sleep
from typing import ClassVar, Final, Self, cast
from uuid import UUID

import psycopg
from psycopg import Connection, sql

from projections import positions
from projections.base import Projection, reserved
from projections.compare import Difference, differences
from projections.filling import Filler, Fillers, Part, become_owner
from projections.parking import unpark
from record.database import Database, Row
from record.practice import Practices

CLOSE: Final = 2_000
"""Events that may be left for the moment when everything else has to wait."""
ROUNDS: Final = 20
"""Times to catch up before that moment; a busy record is never quite caught up with."""
TRIES: Final = 5
PART: Final = 50_000
"""Events that are worth another process; it takes a second or two to start one."""


class RebuildRefused(Exception):
    """The rebuild did not happen, and nothing has changed. The message is for people."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Events done, of how many."""

    done: int
    total: int


Watch = Callable[[Progress], None]


class Rebuild:
    """One projection, made again beside itself. Use as a context: it cleans up after itself."""

    lock_wait: ClassVar[str] = "5s"
    """How long everybody may have to wait for the moment of the switch, before it is put off."""
    part: ClassVar[int] = PART

    def __init__(
        self,
        admin_url: str,
        database: Database,
        practices: Practices,
        projection: Projection,
        watch: Watch = lambda _: None,
        fillers: Fillers | None = None,
    ) -> None:
        self._admin_url = admin_url
        self._database = database
        self._practices = practices
        self._live = projection
        self._beside = projection.beside()
        self._watch = watch
        self._fillers = fillers
        self._done = 0
        self._total = 0
        self._reached: dict[UUID, int] = {}
        self._stack = ExitStack()
        self._owner: Connection[Row]
        self._filler: Filler

    def __enter__(self) -> Self:
        """Makes empty tables beside. Raises `RebuildRefused`."""
        with ExitStack() as stack:
            self._owner = stack.enter_context(
                psycopg.connect(
                    self._admin_url, autocommit=True, application_name="palimpsest rebuild"
                )
            )
            self._become_owner()
            self._filler = Filler(self._owner, self._practices, self._beside)
            self._be_the_only_one()
            stack.callback(self._clean)
            self._make_tables()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Removes what is left beside."""
        self._stack.close()

    @property
    def events(self) -> int:
        """How many have been applied."""
        return self._done

    def replace(self) -> int:
        """Fills the new tables and puts them in place. Returns the number of events applied."""
        self._fill(self._heads())
        for _ in range(ROUNDS):
            heads = self._heads()
            if sum(heads.values()) - sum(self._reached.values()) <= CLOSE:
                break
            self._catch_up(heads)
        self._count_rows()
        for attempt in range(1, TRIES + 1):
            reached = dict(self._reached)
            try:
                self._switch()
            except psycopg.errors.LockNotAvailable as error:
                self._reached = reached  # what was filled in that transaction is gone again
                if attempt == TRIES:
                    raise RebuildRefused(
                        f"{self._live.question} is in use all the time; try again later"
                    ) from error
                sleep(attempt / 10)
            else:
                break
        return self._done

    def differences(self) -> Iterator[Difference]:
        """Fills the new tables up to where each practice's are, and compares row by row."""
        self._fill(self._live_positions())
        for practice_id in sorted(self._reached):
            with self._filler.of_practice(practice_id):
                # While this is held no projector moves the practice's rows on.
                row = self._owner.execute(
                    """SELECT position FROM projection.position
                    WHERE practice_id = %s AND name = %s FOR UPDATE""",
                    (practice_id, self._live.name),
                ).fetchone()
                self._follow(practice_id, 0 if row is None else cast("int", row[0]))
                live = self._live.rows(self._owner, practice_id)
                rebuilt = self._beside.rows(self._owner, practice_id)
                yield from differences(practice_id, live, rebuilt)

    # -- the tables beside -----------------------------------------------------------------------

    def _become_owner(self) -> None:
        try:
            become_owner(self._owner)
        except psycopg.errors.InsufficientPrivilege as error:
            raise RebuildRefused(
                "a rebuild makes tables and needs an administrator's address of the database"
            ) from error

    def _be_the_only_one(self) -> None:
        if not reserved(self._owner, self._live):
            raise RebuildRefused(f"{self._live.question} is being rebuilt already")

    def _make_tables(self) -> None:
        self._drop()
        with self._owner.transaction():
            for table in self._live.tables:
                names = sql.Identifier("rebuild", table), sql.Identifier("projection", table)
                self._owner.execute(
                    sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(*names)
                )
                self._owner.execute("CALL projection.shelter(%s::regclass)", (f"rebuild.{table}",))

    def _count_rows(self) -> None:
        # The planner would else take the new tables for empty.
        for table in self._live.tables:
            self._owner.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("rebuild", table)))

    def _clean(self) -> None:
        # A connection that is gone has taken its lock along; the next rebuild will clean.
        with suppress(psycopg.OperationalError):
            self._drop()
            self._owner.execute("SELECT pg_advisory_unlock_all()")  # closing does it a little later

    def _drop(self) -> None:
        for table in self._live.tables:
            self._owner.execute(
                sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("rebuild", table))
            )

    def _switch(self) -> None:
        with self._owner.transaction():
            self._owner.execute(
                sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(self.lock_wait))
            )
            # Projectors take positions first and tables after, and so do we: nobody waits in a
            # circle. Then the readers' statements under way come to their end.
            self._owner.execute("LOCK TABLE projection.position IN EXCLUSIVE MODE")
            tables = [sql.Identifier("projection", table) for table in self._live.tables]
            self._owner.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(tables))
            )
            self._catch_up(self._heads())
            for table in self._live.tables:
                old, new = sql.Identifier("projection", table), sql.Identifier("rebuild", table)
                self._owner.execute(sql.SQL("DROP TABLE {}").format(old))
                self._owner.execute(sql.SQL("ALTER TABLE {} SET SCHEMA projection").format(new))
            for practice_id, reached in self._reached.items():
                with self._filler.of_practice(practice_id):
                    self._owner.execute(
                        """INSERT INTO projection.position (name, position) VALUES (%s, %s)
                        ON CONFLICT (practice_id, name) DO UPDATE
                        SET position = excluded.position""",
                        (self._live.name, reached),
                    )
                    unpark(self._owner, practice_id, self._live.name)

    # -- filling ---------------------------------------------------------------------------------

    def _heads(self) -> dict[UUID, int]:
        rows = self._database.call(
            "SELECT practice_id, position FROM record.head WHERE log = 'record' AND position > 0"
        )
        return {row[0]: row[1] for row in rows}

    def _live_positions(self) -> dict[UUID, int]:
        rows = self._database.call(
            """SELECT h.practice_id, coalesce(p.position, 0) FROM record.head AS h
            LEFT JOIN projection.position AS p
                ON p.practice_id = h.practice_id AND p.name = %s
            WHERE h.log = 'record'""",
            (self._live.name,),
        )
        return {row[0]: row[1] for row in rows}

    def _fill(self, until: dict[UUID, int]) -> None:
        parts: list[Part] = []
        for practice_id, position in until.items():
            count, found = self._filler.parts(practice_id, position, self.part)
            self._total += count
            parts += found
        self._show(0)
        if self._fillers is not None and self._total >= self.part:
            for count in self._fillers.fill(self._live.question, parts):
                self._show(count)
        else:
            for part in parts:
                for count in self._filler.fill(part):
                    self._show(count)
        self._reached |= until

    def _catch_up(self, heads: dict[UUID, int]) -> None:
        for practice_id, head in heads.items():
            with self._filler.of_practice(practice_id):
                self._follow(practice_id, head)

    def _follow(self, practice_id: UUID, head: int) -> None:
        """In the order of the record, as a projector does; within the caller's transaction."""
        reached = self._reached.get(practice_id, 0)
        while reached < head:
            span = positions.ahead(
                self._owner, practice_id, self._live.types, (reached, head), positions.BATCH
            )
            self._total += len(span.entries)
            self._show(self._filler.apply(practice_id, span.entries))
            reached = span.end
        self._reached[practice_id] = reached

    def _show(self, count: int) -> None:
        self._done += count
        self._watch(Progress(self._done, self._total))

"""How is a projection made again from the first event on, while people go on reading the old one?

New tables are filled beside the old and take their place in one transaction: whoever reads sees the
old or the new, never half. Whatever stops a rebuild, the tables that people read are untouched, and
what it leaves beside them is removed by itself or by the next one.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from time import sleep
from typing import Any, ClassVar, Final, Self, cast
from uuid import UUID

import psycopg
from psycopg import Connection, sql

from domain.kernel.ids import PracticeId
from projections import positions
from projections.base import Projection
from projections.compare import Difference, differences
from projections.parking import unpark
from record.database import Database, Row
from record.envelope import StoredEntry
from record.practice import Practices
from record.recorder import COLUMNS

CLOSE: Final = 2_000
"""Events that may be left for the moment when everything else has to wait."""
ROUNDS: Final = 20
"""Times to catch up before that moment; a busy record is never quite caught up with."""
TRIES: Final = 5

_STREAMED = f"""SELECT {COLUMNS} FROM record.event
    WHERE practice_id = %s AND log = 'record' AND position <= %s AND type = ANY (%s)
        AND subject IS NOT NULL
    ORDER BY subject, position"""  # noqa: S608 - the columns are a constant


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

    def __init__(
        self,
        admin_url: str,
        database: Database,
        practices: Practices,
        projection: Projection,
        watch: Watch = lambda _: None,
    ) -> None:
        self._admin_url = admin_url
        self._database = database
        self._practices = practices
        self._live = projection
        self._beside = projection.beside()
        self._watch = watch
        self._done = 0
        self._total = 0
        self._reached: dict[UUID, int] = {}
        self._stack = ExitStack()
        self._owner: Connection[Row]

    def __enter__(self) -> Self:
        """Makes empty tables beside. Raises `RebuildRefused`."""
        with ExitStack() as stack:
            self._owner = stack.enter_context(
                psycopg.connect(
                    self._admin_url, autocommit=True, application_name="palimpsest rebuild"
                )
            )
            self._become_owner()
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
            with self._of_practice(practice_id):
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
            self._owner.execute("SET ROLE palimpsest_owner")
        except psycopg.errors.InsufficientPrivilege as error:
            raise RebuildRefused(
                "a rebuild makes tables and needs an administrator's address of the database"
            ) from error

    def _be_the_only_one(self) -> None:
        row = self._owner.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))",
            (f"palimpsest rebuild {self._live.name}",),
        ).fetchone()
        if row is None or not row[0]:
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
                with self._of_practice(practice_id):
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
        for practice_id, position in until.items():
            with self._of_practice(practice_id):
                self._total += self._count(practice_id, position)
        self._watch(Progress(self._done, self._total))
        for practice_id, position in until.items():
            self._fill_practice(practice_id, position)
            self._reached[practice_id] = position

    def _count(self, practice_id: UUID, until: int) -> int:
        row = self._owner.execute(
            """SELECT count(*) FROM record.event
            WHERE practice_id = %s AND log = 'record' AND position <= %s AND type = ANY (%s)
                AND subject IS NOT NULL""",
            (practice_id, until, self._live.types),
        ).fetchone()
        return 0 if row is None else cast("int", row[0])

    def _fill_practice(self, practice_id: UUID, until: int) -> None:
        """Subject by subject, so that each row is written once, whatever its history."""
        with self._of_practice(practice_id), self._owner.cursor("streamed", binary=True) as cursor:
            cursor.itersize = positions.BATCH
            cursor.execute(_STREAMED, (practice_id, until, self._live.types))
            batch: list[StoredEntry] = []
            rows = (StoredEntry(*row) for row in cursor)
            for _, one in groupby(rows, key=lambda row: row.subject):
                batch += one
                if len(batch) >= positions.BATCH:
                    self._apply(practice_id, batch)
                    batch = []
            self._apply(practice_id, batch)

    def _catch_up(self, heads: dict[UUID, int]) -> None:
        for practice_id, head in heads.items():
            with self._of_practice(practice_id):
                self._follow(practice_id, head)

    def _follow(self, practice_id: UUID, head: int) -> None:
        """In the order of the record, as a projector does; within the caller's transaction."""
        reached = self._reached.get(practice_id, 0)
        while reached < head:
            span = positions.ahead(
                self._owner, practice_id, self._live, (reached, head), positions.BATCH
            )
            self._total += len(span.entries)
            self._apply(practice_id, span.entries)
            reached = span.end
        self._reached[practice_id] = reached

    def _apply(self, practice_id: UUID, batch: list[StoredEntry]) -> None:
        if not batch:
            return
        practice = self._practices[PracticeId(practice_id)]
        opened = practice.open_all(batch)
        self._beside.apply(self._owner, practice_id, opened)
        self._done += len(batch)
        self._watch(Progress(self._done, self._total))

    @contextmanager
    def _of_practice(self, practice_id: UUID) -> Iterator[Connection[Any]]:
        with self._owner.transaction():
            self._owner.execute(
                "SELECT set_config('palimpsest.practice', %s, true)", (str(practice_id),)
            )
            yield self._owner

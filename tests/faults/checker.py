"""Is the log that a run has left behind the one that its clients were told of?

Everything is read as administrator, whom no policy hides anything from, and judged here in Python,
with a second implementation of the leaf: none of the code under test takes part.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row, tuple_row

from tests.faults.history import History, Operation
from tests.support.leaf import leaf_hash

Row = dict[str, Any]
Log = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Objection:
    """One way in which log and history do not agree."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass
class Stored:
    """What a database holds: the events of every log, its heads, the commands remembered."""

    events: dict[Log, list[Row]]
    heads: dict[Log, int]
    commands: dict[tuple[UUID, UUID], int]
    """The position remembered for each practice and command id."""


def stored(admin_url: str) -> Stored:
    """Reads it all, in one snapshot."""
    with psycopg.connect(admin_url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        events: dict[Log, list[Row]] = defaultdict(list)
        with connection.cursor(row_factory=dict_row, binary=True) as cursor:
            for row in cursor.execute("SELECT * FROM record.event ORDER BY position"):
                events[row["practice_id"], row["log"]].append(row)
        with connection.cursor(row_factory=tuple_row) as cursor:
            heads = cursor.execute("SELECT practice_id, log, position FROM record.head").fetchall()
            commands = cursor.execute(
                "SELECT practice_id, command_id, position FROM record.command"
            ).fetchall()
    return Stored(
        dict(events),
        {(practice, log): position for practice, log, position in heads},
        {(practice, command): position for practice, command, position in commands},
    )


def objections(history: History, found: Stored) -> list[Objection]:
    """Everything that is wrong; an empty list proves the run."""
    by_command: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
    for (practice_id, log), rows in found.events.items():
        for row in rows if log == "record" else ():
            by_command[practice_id, row["command_id"]].append(row)
    return [
        *_acknowledged_is_stored(history, found, by_command),
        *_stored_was_asked_for(history, by_command),
        *_nothing_took_effect_twice(history, by_command),
        *_positions_and_versions_are_dense(found),
        *_rows_are_whole(found),
        *_reads_left_a_trace(history, found),
    ]


def _acknowledged_is_stored(
    history: History, found: Stored, by_command: dict[tuple[UUID, UUID], list[Row]]
) -> Iterator[Objection]:
    for key, one in history.operations.items():
        if not one.is_acknowledged:
            continue
        if len(one.answers) > 1:
            yield Objection("answered differently", f"{_named(one)}: {sorted(one.answers)}")
        rows, answer = by_command.get(key, []), max(one.answers)
        if key not in found.commands or (not rows and one.events != 0):
            yield Objection("lost", _named(one))
        elif rows and rows[-1]["position"] != answer:
            yield Objection(
                "misplaced", f"{_named(one)} was answered {answer}, stands at {_places(rows)}"
            )
        elif rows and found.commands[key] != answer:
            yield Objection("misremembered", f"{_named(one)}: {answer}, kept {found.commands[key]}")
        elif one.stream_id is not None and any(row["stream_id"] != one.stream_id for row in rows):
            yield Objection("misplaced", f"{_named(one)} stands in another stream")


def _stored_was_asked_for(
    history: History, by_command: dict[tuple[UUID, UUID], list[Row]]
) -> Iterator[Objection]:
    for key, rows in by_command.items():
        one = history.operations.get(key)
        if one is None or one.is_refused:
            why = "nobody asked for it" if one is None else "it was refused"
            yield Objection("unexplained", f"command {key[1]} at {_places(rows)}: {why}")


def _nothing_took_effect_twice(
    history: History, by_command: dict[tuple[UUID, UUID], list[Row]]
) -> Iterator[Objection]:
    """One append is one stretch of positions, recorded at one moment."""
    for key, rows in by_command.items():
        one = history.operations.get(key)
        wanted = len(rows) if one is None or one.events is None else one.events
        places = [row["position"] for row in rows]
        is_one_stretch = places == list(range(places[0], places[0] + len(places)))
        if len(rows) > wanted or not is_one_stretch or len({r["recorded_at"] for r in rows}) > 1:
            yield Objection("doubled", f"command {key[1]} at {_places(rows)}")
        elif len(rows) < wanted:
            yield Objection("torn", f"command {key[1]}: {len(rows)} of {wanted} events")


def _positions_and_versions_are_dense(found: Stored) -> Iterator[Objection]:
    for log, head in found.heads.items():
        rows = found.events.get(log, [])
        for before, row in pairwise([{"position": 0}, *rows]):
            if row["position"] != before["position"] + 1:
                yield Objection("hole", f"{_log(log)} after position {before['position']}")
        if head != (rows[-1]["position"] if rows else 0):
            yield Objection("head", f"{_log(log)} says {head} over {len(rows)} rows")
        by_stream = sorted(rows, key=lambda row: (row["stream_id"], row["position"]))
        for stream_id, stream in groupby(by_stream, key=lambda row: row["stream_id"]):
            versions = [row["version"] for row in stream]
            if versions != list(range(versions[0], versions[0] + len(versions))) or (
                versions[0] > 1
            ):
                yield Objection("versions", f"{_log(log)} stream {stream_id}: {versions}")
    for log in found.events.keys() - found.heads.keys():
        yield Objection("head", f"{_log(log)} has none")


def _rows_are_whole(found: Stored) -> Iterator[Objection]:
    for log, rows in found.events.items():
        for row in rows:
            if row["leaf_hash"] != leaf_hash(row):
                yield Objection("leaf", f"{_log(log)} position {row['position']}")
        for before, row in pairwise(rows):
            if row["recorded_at"] < before["recorded_at"]:
                yield Objection("time", f"{_log(log)} runs back at position {row['position']}")


def _reads_left_a_trace(history: History, found: Stored) -> Iterator[Objection]:
    noted = Counter(
        (practice_id, row["subject"], row["correlation_id"])
        for (practice_id, log), rows in found.events.items()
        for row in rows
        if log == "access"
    )
    for read in history.reads:
        if not noted[read.practice_id, read.subject, read.request_id]:
            yield Objection("untraced", f"a read of {read.subject}, request {read.request_id}")


def _named(one: Operation) -> str:
    return f"command {one.command_id}"


def _log(log: Log) -> str:
    return f"{log[1]} log of {log[0]}"


def _places(rows: Sequence[Row]) -> str:
    return ", ".join(str(row["position"]) for row in rows)


Further = Callable[[], list[Objection]]
"""What only the program can compare: projections with a rebuild, seals with the rows."""


def judge(history: History, admin_url: str, *further: Further) -> list[Objection]:
    """All objections to what is stored now. The caller has stopped writing."""
    found = objections(history, stored(admin_url))
    return [*found, *(one for each in further for one in each())]

"""How are a client's texts erased, from the question to the last byte of the key?

First the decision, in the record: asked for by one person, agreed to by another who says so, or
withdrawn. Then, in one transaction, the keys are destroyed and what projections hold is taken out;
the tables are written anew, so that the destroyed keys leave their files; last, the record says
that it is done. Cut short anywhere, asking again goes on: what is agreed and not yet carried out is
carried out.

The rule that two people are needed, and when it is too early, is the domain's.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg

from api.security.identity import Member
from deploy.erasing_wish import Seen, Wish, acts_of, compliance_of, facts_of, kind_of
from domain.chart.events import NoteMovedIn
from domain.client.aggregate import CLIENT, ClientMerged, ClientUnknown
from domain.compliance.aggregate import COMPLIANCE, stream_of
from domain.compliance.commands import RecordErasure
from domain.compliance.events import ErasureAgreed
from domain.compliance.policy import US_DEFAULT, RetentionPolicy
from domain.kernel.events import Act, Category, Context
from domain.kernel.ids import ClientId, CommandId, PracticeId
from projections.base import Projection, release, reserved
from record.ids import new_id
from record.practice import Practice
from record.rewriting import TableInUse, rewrite
from record.shredding import Gone, destroy, readable

Owner = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it; `records` are the client's own and those merged into it."""

    status: Literal["requested", "carried_out", "withdrawn"]
    records: tuple[ClientId, ...]
    keys: int = 0
    drafts: int = 0
    moved_in: int = 0
    """Notes first written on another client's chart: there, as a part of hers, they stay."""


class Erasing:
    """Erasures from one practice's record. The connection is the migrating role's, autocommit."""

    def __init__(self, owner: Owner, practice: Practice, projections: Sequence[Projection]) -> None:
        self._owner = owner
        self._practice = practice
        self._projections = projections

    def erase(self, wish: Wish, by: Member, at: datetime) -> Outcome:
        """Requests; agrees and carries out; or withdraws.

        Raises what the rules raise, and `TableInUse`. What is agreed to is carried out, whoever
        asks for what.
        """
        records = records_of(self._practice, wish.client_id)
        events = self._practice.about(records)
        seen = Seen(
            policy=self._policy(at),
            facts=facts_of(events, by.zone),
            streams=self._practice.streams([stream_of(one) for one in records]),
            readable=self._readable(records, wish.category),
        )
        acts = acts_of(wish, by.member_id, at, records, seen)
        self._practice.handle_many(acts, context_of(by, at))
        if wish.step == "withdraw":
            return Outcome("withdrawn", records)
        agreed = self._agreed(records, wish.category)
        if not agreed:
            return Outcome("requested", records)
        gone = self._destroy(list(agreed), wish.category, min(agreed.values()))
        self._record(gone, by, at)
        return Outcome(
            "carried_out",
            tuple(agreed),
            keys=sum(map(len, gone.keys.values())),
            drafts=sum(gone.drafts.values()),
            moved_in=sum(kind_of(one) == NoteMovedIn.type for one in events),
        )

    def _agreed(self, records: Sequence[ClientId], category: Category) -> dict[ClientId, datetime]:
        """The records of which it is decided and not carried out, and since when."""
        found: dict[ClientId, datetime] = {}
        streams = self._practice.streams([stream_of(one) for one in records])
        for one in records:
            history = streams[stream_of(one)]
            erasure = compliance_of(history).erasure(category)
            if erasure is not None and erasure.agreed_by is not None:
                found[one] = max(
                    recorded.recorded_at
                    for recorded in history
                    if isinstance(recorded.event, ErasureAgreed)
                    and recorded.event.of_category == category
                )
        return found

    def _readable(self, records: Sequence[ClientId], category: Category) -> dict[UUID, int]:
        with self._of_practice():
            return readable(self._owner, self._practice.practice_id, records, category)

    def _destroy(self, records: list[ClientId], category: Category, since: datetime) -> Gone:
        changed: list[str] = []
        with self._no_rebuild(), self._of_practice():
            gone = destroy(self._owner, self._practice.practice_id, records, category, since)
            for projection in self._projections:
                tables = projection.erase(self._owner, self._practice.practice_id, gone)
                changed += (f"projection.{table}" for table in tables)
        rewrite(self._owner, "record.data_key", *changed)
        if changed:  # the planner's statistics hold samples of what stood there in plain
            rewrite(self._owner, "pg_catalog.pg_statistic")
        return gone

    @contextmanager
    def _no_rebuild(self) -> Iterator[None]:
        """A rebuild under way might put in place what it had read before. Raises `TableInUse`."""
        with ExitStack() as stack:
            for projection in self._projections:
                if not reserved(self._owner, projection):
                    raise TableInUse
                stack.callback(release, self._owner, projection)
            yield

    def _record(self, gone: Gone, by: Member, at: datetime) -> None:
        acts = [
            Act(
                COMPLIANCE,
                stream_of(ClientId(one)),
                RecordErasure(
                    by=by.member_id,
                    at=at,
                    of_category=gone.category,
                    keys=len(keys),
                    drafts=gone.drafts[one],
                ),
            )
            for one, keys in gone.keys.items()
        ]
        self._practice.handle_many(acts, context_of(by, at))

    def _policy(self, at: datetime) -> RetentionPolicy:
        """The practice's newest in force, or the default."""
        with self._of_practice():
            row = self._owner.execute(
                """SELECT name, version, years_after_last_encounter, age_of_majority,
                    years_after_majority, covers, request_lapses_after_days
                FROM record.retention_policy WHERE practice_id = %s AND effective_from <= %s
                ORDER BY effective_from DESC, created_at DESC LIMIT 1""",
                (self._practice.practice_id, at.date()),
            ).fetchone()
        if row is None:
            return US_DEFAULT
        return RetentionPolicy.model_validate(
            dict(zip(RetentionPolicy.model_fields, row, strict=True))
        )

    @contextmanager
    def _of_practice(self) -> Iterator[None]:
        with self._owner.transaction():
            self._owner.execute("SET LOCAL ROLE palimpsest_owner")
            self._owner.execute(
                "SELECT set_config('palimpsest.practice', %s, true)",
                (str(self._practice.practice_id),),
            )
            yield


def records_of(practice: Practice, client_id: ClientId) -> tuple[ClientId, ...]:
    """A client's record, and those merged into it. Raises `ClientUnknown`, `ClientMerged`."""
    if not practice.began_as(client_id).startswith("client."):
        raise ClientUnknown
    found: list[ClientId] = []
    wanted = [client_id]
    while wanted:
        found += wanted
        states = [CLIENT.fold([one.event for one in s]) for s in practice.streams(wanted).values()]
        if found == [client_id] and states[0].merged_into is not None:
            raise ClientMerged(merged_into=states[0].merged_into)
        wanted = [one for state in states for one in state.absorbed if one not in found]
    return tuple(found)


def context_of(by: Member, at: datetime) -> Context:
    """She asks from the command line, for the practice."""
    command_id = new_id()
    return Context(
        practice_id=PracticeId(by.practice_id),
        actor_id=by.member_id,
        role=by.role,
        at=at,
        command_id=CommandId(command_id),
        correlation_id=command_id,
        purpose="operations",
    )

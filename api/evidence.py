"""How does somebody take along all that is known of one client, with the proof of it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from api.asking import Asking
from api.chart_pdf import Standing, chart_pdf
from api.platform import Platform
from api.problems import AsOfInFuture
from api.reading import CLOCK_SLACK
from domain.client.aggregate import ClientUnknown
from domain.kernel.events import Context
from projections.chart_view.document import ChartDocument, as_of, fold
from record.access import Outcome
from record.bundle import Export, write_bundle
from record.envelope import Shredded
from record.export import Evidence
from record.ids import SYSTEM

WHAT = "evidence bundle"
"""As it stands in the access log."""
MEDIA_TYPE = "application/zip"
OPERATOR = "the operator of the system"
"""What the actor without a person is called."""
HEADERS = {"Content-Disposition": 'attachment; filename="evidence.zip"'}
"""The name says nothing of the client: it is left in the lists of browsers and servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Who takes the evidence, from which practice, in which circumstances."""

    platform: Platform
    context: Context
    practice: str
    zone: ZoneInfo
    by: str
    origin: str

    @classmethod
    def of(cls, asking: Asking) -> "Taking":
        """Somebody who is signed in."""
        member = asking.member
        return cls(
            platform=asking.platform,
            context=asking.context,
            practice=member.practice_name,
            zone=member.zone,
            by=f"{member.name}, {member.role_title.lower()}",
            origin=asking.origin,
        )

    def note(self, clients: Sequence[UUID], outcome: Outcome = "allowed") -> None:
        """Writes the access entries. Raises `AccessNotLogged`."""
        self.platform.accesses.note(
            self.context, "export", WHAT, clients=clients, outcome=outcome, origin=self.origin
        )


def evidence_bundle(taking: Taking, client_id: UUID, moment: datetime | None = None) -> bytes:
    """The bundle of a client and the records merged into hers; its chart is as known at a moment.

    The entries are complete up to now, whatever the moment, and the last of them is this export.
    Raises `ClientUnknown`, `AsOfInFuture`, `AccessNotLogged`, `SealsBehind`, `ExportUnderWay`.
    """
    now = taking.context.at
    if moment is not None and moment > now + CLOCK_SLACK:
        raise AsOfInFuture
    moment = now if moment is None else min(moment, now)
    practice_id, platform = taking.context.practice_id, taking.platform
    clients = _records(taking, client_id)
    with platform.exports.turn(practice_id):
        return _bundle(taking, clients, moment)


def _bundle(taking: Taking, clients: Sequence[UUID], moment: datetime) -> bytes:
    practice_id, platform = taking.context.practice_id, taking.platform
    taking.note(clients)
    evidence = platform.exports.gather(practice_id, clients)
    people = {SYSTEM: OPERATOR, **platform.identity.names(practice_id)}
    entries = evidence.logs["record"].entries
    standing = Standing(
        practice=taking.practice,
        zone=taking.zone,
        names=people,
        as_of=moment,
        exported_at=taking.context.at,
        exported_by=taking.by,
        position=evidence.logs["record"].head.size,
        root=evidence.logs["record"].head.root.hex(),
        unreadable=sum(isinstance(one.recorded.event, Shredded) for one in entries),
    )
    export = Export(
        practice=taking.practice,
        people=people,
        as_of=moment,
        at=taking.context.at,
        by=taking.context.actor_id,
        role=taking.context.role,
    )
    chart = chart_pdf(_charts(evidence, moment), standing)
    return write_bundle(platform.exports, evidence, export, {"chart.pdf": chart})


def check_client(taking: Taking, client_id: UUID) -> None:
    """The id of anything else, a note's too, is as unknown as any other. Raises `ClientUnknown`."""
    practice = taking.platform.practices[taking.context.practice_id]
    if not practice.began_as(client_id).startswith("client."):
        taking.note([client_id], "not_found")
        raise ClientUnknown


def _records(taking: Taking, client_id: UUID) -> list[UUID]:
    """The client's own record, then those that are merged into it now. Raises `ClientUnknown`."""
    check_client(taking, client_id)
    practice = taking.platform.practices[taking.context.practice_id]
    found: list[UUID] = []
    wanted = [client_id]
    while wanted:
        found += wanted
        documents = [fold(practice.stream(one)) for one in wanted]
        wanted = [one for document in documents for one in document.absorbed if one not in found]
    return found


def _charts(evidence: Evidence, moment: datetime) -> list[ChartDocument]:
    """The charts as they were known, of the records that had been merged into hers by then.

    A record that was merged by mistake and has been released since is another person's: its chart
    is not hers to take along.
    """
    history = [one.recorded for one in evidence.logs["record"].entries]
    known = {
        client: as_of((one for one in history if one.subject == client), moment, "known")
        for client in evidence.clients
    }
    charts: list[ChartDocument] = []
    wanted = [evidence.clients[0]]
    while wanted:
        found = [known.pop(one) for one in wanted if one in known]
        charts += found
        wanted = [one for document in found for one in document.absorbed]
    return charts

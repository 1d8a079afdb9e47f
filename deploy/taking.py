"""How does the operator of the system take along one client's whole record?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from api.evidence import OPERATOR, Taking, evidence_bundle
from api.problems import problem_of
from api.web.times import PracticeTime
from deploy.database import Database as Ready
from deploy.founding import practice_named
from deploy.refusal import Refusal
from deploy.wiring import open_parts
from domain.kernel.clock import SystemClock
from domain.kernel.errors import DomainError
from domain.kernel.events import Context
from domain.kernel.ids import ActorId, CommandId
from gateways.witness import Witness
from record.errors import Contradicted
from record.ids import SYSTEM, new_id


def take(
    ready: Ready, slug: str, client_id: UUID, as_of: str = "", witnesses: Sequence[Witness] = ()
) -> tuple[bytes, str]:
    """The bundle of a client, and the public key it is checked with. Refuses what it cannot."""
    with (
        psycopg.connect(ready.admin_url, autocommit=True) as admin,
        open_parts(ready.app_url, ready.kms, pool_size=4, witnesses=witnesses) as parts,
    ):
        practice_id = practice_named(admin, slug)
        ((name, zone),) = admin.execute(
            "SELECT name, zone FROM record.practice WHERE practice_id = %s", (practice_id,)
        ).fetchall()
        now = SystemClock().now()
        context = Context(
            practice_id=practice_id,
            actor_id=ActorId(SYSTEM),
            role="system",
            at=now,
            command_id=CommandId(new_id()),
            correlation_id=new_id(),
            purpose="audit",
        )
        taking = Taking(
            platform=parts.platform,
            context=context,
            practice=str(name),
            zone=ZoneInfo(str(zone)),
            by=OPERATOR,
            origin="palimpsest export",
        )
        try:
            moment: datetime | None = None
            if as_of:
                moment = PracticeTime(taking.zone).ended(as_of, now)
            bundle = evidence_bundle(taking, client_id, moment)
        except DomainError as error:
            raise Refusal(problem_of(error).detail) from error
        except Contradicted as error:
            told = f"palimpsest verify --practice {slug}"
            raise Refusal(f"what is stored contradicts what was signed; run {told}") from error
        return bundle, str(parts.platform.exports.verify_key(practice_id))

"""The auditor's desk: take along one client's whole record, with its proof."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.evidence import HEADERS, MEDIA_TYPE, Taking, check_client, evidence_bundle
from api.problems import AsOfInFuture
from api.web.audit import show_tab
from api.web.page import Page, PageRoute, page, refusal
from api.web.times import NotAMoment
from api.web.views.audit import Evidence
from domain.kernel.permissions import Permission

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/audit/clients")

Exports = Annotated[Page, Depends(page(Permission.RECORD_EXPORT, "export"))]


@router.get("/{client_id}/evidence")
def evidence_page(client_id: UUID, page: Exports) -> Response:
    """What a bundle is, how it is checked and with which key, and the button that makes one."""
    check_client(Taking.of(page.asking), client_id)
    return _show(page, client_id)


@router.post("/{client_id}/evidence")
def take_evidence(client_id: UUID, page: Exports) -> Response:
    """The bundle, as a file. 422 beside the form, 503 while the newest entries are not sealed."""
    typed = page.form.get("as_of", "")
    taking = Taking.of(page.asking)
    moment: datetime | None = None
    try:
        if typed:
            moment = page.time.ended(typed, page.asking.context.at)
        bundle = evidence_bundle(taking, client_id, moment)
    except (NotAMoment, AsOfInFuture) as wrong:
        check_client(taking, client_id)
        return _show(page, client_id, typed, refusal(wrong)["as_of"], 422)
    return Response(bundle, media_type=MEDIA_TYPE, headers=HEADERS)


def _show(
    page: Page, client_id: UUID, as_of: str = "", error: str = "", status: int = 200
) -> Response:
    page.asking.note("read", "client", [client_id])
    key = page.asking.platform.exports.verify_key(page.asking.context.practice_id)
    evidence = Evidence(key=str(key), as_of=as_of, error=error)
    template = "audit/evidence.html"
    return show_tab(page, client_id, template, status, tab="evidence", evidence=evidence)

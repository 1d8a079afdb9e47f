"""JSON routes that let anybody check a log by herself: signed heads and proofs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse

from api.asking import Asking, Can
from api.proving import (
    ConsistencyOut,
    InclusionOut,
    Log,
    prove_consistency,
    prove_inclusion,
    read_checkpoint,
)
from api.v1.answers import REFUSALS
from domain.kernel.permissions import Permission

router = APIRouter(prefix="/v1/log", tags=["log"], responses=REFUSALS)

Verifies = Annotated[Asking, Depends(Can(Permission.LOG_VERIFY, "read"))]
Size = Annotated[
    int | None, Query(ge=1, le=2**63 - 1, description="The size of a signed head; the newest one.")
]


@router.get("/checkpoint", response_class=PlainTextResponse)
def get_checkpoint(asking: Verifies, log: Log = "record") -> PlainTextResponse:
    """The newest signed head: a C2SP checkpoint. 404 `not_sealed_yet` for an empty log."""
    return PlainTextResponse(read_checkpoint(asking, log))


@router.get("/proofs/inclusion")
def get_inclusion_proof(
    asking: Verifies,
    position: Annotated[int, Query(ge=1, le=2**63 - 1)],
    log: Log = "record",
    size: Size = None,
) -> InclusionOut:
    """Proves that an entry is in the log as it was signed at that size.

    404 `not_sealed_yet` or `no_such_head`; 422 `beyond_head` for a position above the size.
    """
    return prove_inclusion(asking, log, position, size)


@router.get("/proofs/consistency")
def get_consistency_proof(
    asking: Verifies,
    old: Annotated[int, Query(alias="from", ge=1, le=2**63 - 1)],
    log: Log = "record",
    new: Annotated[Size, Query(alias="to")] = None,
) -> ConsistencyOut:
    """Proves that the log signed at size `to` begins with the one signed at size `from`.

    404 `not_sealed_yet` or `no_such_head`; 422 `beyond_head` if `from` is above `to`.
    """
    return prove_consistency(asking, log, old, new)

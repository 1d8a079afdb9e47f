"""What may be asked of the record of a practice's key."""

from typing import Annotated

from pydantic import Field

from domain.kernel.events import Command


class RecordRotation(Command):
    """Says that a generation has taken over."""

    generation: Annotated[int, Field(strict=True, gt=1)]
    root_key_id: str
    data_keys: Annotated[int, Field(strict=True, ge=0)]

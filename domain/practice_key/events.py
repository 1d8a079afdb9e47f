"""Facts about the practice's key. A released event is never edited; it gets a `.v2`."""

from typing import Annotated, ClassVar

from pydantic import Field

from domain.kernel.events import Category, Event


class PracticeKeyRotated(Event):
    """A new generation wraps every data key; the earlier ones are destroyed."""

    type: ClassVar[str] = "practice_key.rotated.v1"
    category: ClassVar[Category] = Category.BUSINESS
    generation: Annotated[int, Field(strict=True, gt=1)]
    root_key_id: str
    """Which root key wraps it, by name."""
    data_keys: Annotated[int, Field(strict=True, ge=0)]
    """How many were wrapped anew by the run that ended the rotation."""

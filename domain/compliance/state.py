"""What is held and what is being erased of a client: only what `decide` needs."""

from datetime import datetime
from uuid import UUID

from domain.compliance.policy import RetentionPolicy, lapses_at
from domain.kernel.events import Category, Frozen
from domain.kernel.ids import ActorId, ClientId


class Hold(Frozen):
    """A hold in force."""

    hold_id: UUID
    reason: str
    release_requested_by: ActorId | None = None


class Erasure(Frozen):
    """An erasure that is not carried out yet."""

    of_category: Category
    reason: str
    legal_basis: str
    requested_by: ActorId
    requested_at: datetime
    agreed_by: ActorId | None = None

    def has_lapsed(self, policy: RetentionPolicy, at: datetime) -> bool:
        """Whether it is too late for a second person to agree."""
        return self.agreed_by is None and at >= lapses_at(policy, self.requested_at)


class Erased(Frozen):
    """The last time that a category was destroyed."""

    of_category: Category
    at: datetime
    requested_by: ActorId
    agreed_by: ActorId


class Compliance(Frozen):
    """Only what `decide` needs."""

    client_id: ClientId | None = None
    holds: tuple[Hold, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    erased: tuple[Erased, ...] = ()

    def erasure(self, category: Category) -> Erasure | None:
        """The one under way in a category; its request may have lapsed."""
        return next((one for one in self.erasures if one.of_category == category), None)

    def last_erased(self, category: Category) -> Erased | None:
        """When the category was last destroyed."""
        return next((one for one in self.erased if one.of_category == category), None)

"""What may be asked of a client's record."""

from domain.client.events import Details
from domain.kernel.events import Command
from domain.kernel.ids import ClientId
from domain.kernel.text import Day, Email, Name, Phone, Reason


class RegisterClient(Command):
    """Opens a record."""

    client_id: ClientId
    details: Details


class ChangeContactDetails(Command):
    """Changes the fields that are given; a phone or e-mail given as none is taken off."""

    given_name: Name | None = None
    family_name: Name | None = None
    birth_date: Day | None = None
    phone: Phone | None = None
    email: Email | None = None


class RecordDeath(Command):
    """Records that the client has died, and how the practice knows."""

    died_on: Day
    source: Reason


class WithdrawDeath(Command):
    """Takes back a death recorded in error."""

    reason: Reason


class AbsorbClient(Command):
    """Asks the kept record to take the other one in."""

    other_client_id: ClientId
    reason: Reason


class MergeAway(Command):
    """Asks the other record to point at the kept one."""

    into_client_id: ClientId
    reason: Reason


class ReleaseClient(Command):
    """Asks the kept record to let the other one go."""

    other_client_id: ClientId
    reason: Reason


class RestoreClient(Command):
    """Asks the other record to stand by itself again."""

    from_client_id: ClientId
    reason: Reason


ClientCommand = (
    RegisterClient
    | ChangeContactDetails
    | RecordDeath
    | WithdrawDeath
    | AbsorbClient
    | MergeAway
    | ReleaseClient
    | RestoreClient
)

"""A client from registration on: what may be changed, and what merging and un-merging allow."""

from datetime import date, datetime

from domain.client.commands import (
    AbsorbClient,
    ChangeContactDetails,
    ClientCommand,
    MergeAway,
    RecordDeath,
    RegisterClient,
    ReleaseClient,
    RestoreClient,
    WithdrawDeath,
)
from domain.client.events import (
    ClientAbsorbed,
    ClientEvent,
    ClientMergedAway,
    ClientRegistered,
    ClientReleased,
    ClientRestored,
    ContactDetailsChanged,
    DeathRecorded,
    DeathWithdrawn,
    Details,
)
from domain.kernel.errors import Conflict, Invalid, NotFound
from domain.kernel.events import Decider, Frozen
from domain.kernel.ids import ClientId

AGE_MAX = 130
"""Years; the longest documented human life is 122."""
DETAILS = tuple(Details.model_fields)
REMOVABLE = frozenset({"phone", "email"})


class ClientUnknown(NotFound):
    """No such client in this practice."""

    code = "not_found"


class ClientAlreadyRegistered(Conflict):
    """The id is taken."""

    code = "client_already_registered"


class ClientMerged(Conflict):
    """The record was merged away; `merged_into` says where to read on."""

    code = "client_merged"


class NothingChanged(Conflict):
    """The details are these already."""

    code = "nothing_changed"


class DeathAlreadyRecorded(Conflict):
    """The client's death is on record."""

    code = "death_already_recorded"


class DeathNotRecorded(Conflict):
    """No death is on record."""

    code = "death_not_recorded"


class SameClient(Invalid):
    """A record cannot be merged with itself."""

    code = "same_client"
    field = "other_client_id"


class ClientsNotMerged(Conflict):
    """These two records are not merged."""

    code = "clients_not_merged"


class BirthDateInFuture(Invalid):
    """Nobody is born tomorrow."""

    code = "birth_date_in_future"
    field = "birth_date"


class BirthDateTooEarly(Invalid):
    """Nobody is that old."""

    code = "birth_date_too_early"
    field = "birth_date"


class BirthDateAfterDeath(Invalid):
    """A death is on record before this day."""

    code = "birth_date_after_death"
    field = "birth_date"


class NoDetailsGiven(Invalid):
    """A change names at least one detail."""

    code = "no_details_given"


class DetailRequired(Invalid):
    """A name or birth date can be corrected but not taken away; a phone or e-mail can."""

    code = "detail_required"

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


class DeathDateImpossible(Invalid):
    """A death lies between the birth and today."""

    code = "death_date_impossible"
    field = "died_on"


class Client(Frozen):
    """Only what `decide` needs. What people read lives in projections."""

    client_id: ClientId | None = None
    details: Details | None = None
    died_on: date | None = None
    merged_into: ClientId | None = None
    absorbed: tuple[ClientId, ...] = ()


def living_record(client: Client) -> Details:
    """Returns the details of a record that may be written to.

    Raises `ClientUnknown` and `ClientMerged`.
    """
    if client.details is None:
        raise ClientUnknown
    if client.merged_into is not None:
        raise ClientMerged(merged_into=client.merged_into)
    return client.details


def _check_birth(born: date, died_on: date | None, at: datetime) -> None:
    if born > at.date():
        raise BirthDateInFuture
    if at.year - born.year > AGE_MAX:
        raise BirthDateTooEarly
    if died_on is not None and born > died_on:
        raise BirthDateAfterDeath


def decide(client: Client, command: ClientCommand) -> tuple[ClientEvent, ...]:
    """Permits or refuses. Raises the errors above."""
    match command:
        case RegisterClient():
            if client.details is not None:
                raise ClientAlreadyRegistered
            _check_birth(command.details.birth_date, None, command.at)
            return (
                ClientRegistered(
                    client_id=command.client_id, details=command.details, occurred_at=command.at
                ),
            )
        case ChangeContactDetails():
            return (_changed(client, command),)
        case RecordDeath() | WithdrawDeath():
            return (_death(client, command),)
        case _:
            return (_merge(client, command),)


def _changed(client: Client, command: ChangeContactDetails) -> ClientEvent:
    details = living_record(client)
    given = {name: getattr(command, name) for name in DETAILS if name in command.model_fields_set}
    if not given:
        raise NoDetailsGiven
    for name, value in given.items():
        if value is None and name not in REMOVABLE:
            raise DetailRequired(name)
    # Copied unchecked: each value has passed the same check as a field of the command.
    changed = details.model_copy(update=given)
    if changed == details:
        raise NothingChanged
    if changed.birth_date != details.birth_date:
        _check_birth(changed.birth_date, client.died_on, command.at)
    return ContactDetailsChanged(client_id=_id(client), details=changed, occurred_at=command.at)


def _death(client: Client, command: RecordDeath | WithdrawDeath) -> ClientEvent:
    details = living_record(client)
    if isinstance(command, WithdrawDeath):
        if client.died_on is None:
            raise DeathNotRecorded
        return DeathWithdrawn(client_id=_id(client), reason=command.reason, occurred_at=command.at)
    if client.died_on is not None:
        raise DeathAlreadyRecorded
    if not details.birth_date <= command.died_on <= command.at.date():
        raise DeathDateImpossible
    return DeathRecorded(
        client_id=_id(client),
        died_on=command.died_on,
        source=command.source,
        occurred_at=command.at,
    )


def _merge(
    client: Client, command: AbsorbClient | MergeAway | ReleaseClient | RestoreClient
) -> ClientEvent:
    """The two halves of a merge or un-merge; a use case asks for both in one append."""
    client_id, reason, at = _id(client), command.reason, command.at
    match command:
        case AbsorbClient(other_client_id=other):
            living_record(client)
            if other == client_id:
                raise SameClient
            if other in client.absorbed:
                raise ClientMerged(merged_into=client_id)
            return ClientAbsorbed(
                client_id=client_id, other_client_id=other, reason=reason, occurred_at=at
            )
        case MergeAway(into_client_id=into):
            living_record(client)
            if into == client_id:
                raise SameClient
            return ClientMergedAway(
                client_id=client_id, into_client_id=into, reason=reason, occurred_at=at
            )
        case ReleaseClient(other_client_id=other):
            # Allowed also where this record has itself been merged away since.
            if other not in client.absorbed:
                raise ClientsNotMerged
            return ClientReleased(
                client_id=client_id, other_client_id=other, reason=reason, occurred_at=at
            )
        case RestoreClient(from_client_id=kept):
            if client.merged_into != kept:
                raise ClientsNotMerged
            return ClientRestored(
                client_id=client_id, from_client_id=kept, reason=reason, occurred_at=at
            )


def _id(client: Client) -> ClientId:
    if client.client_id is None:
        raise ClientUnknown
    return client.client_id


def evolve(client: Client, event: ClientEvent) -> Client:
    """Assigns; never refuses."""
    now: dict[str, object] = {}
    match event:
        case ClientRegistered():
            now = {"client_id": event.client_id, "details": event.details}
        case ContactDetailsChanged():
            now = {"details": event.details}
        case DeathRecorded():
            now = {"died_on": event.died_on}
        case DeathWithdrawn():
            now = {"died_on": None}
        case ClientAbsorbed():
            now = {"absorbed": (*client.absorbed, event.other_client_id)}
        case ClientReleased():
            now = {"absorbed": tuple(a for a in client.absorbed if a != event.other_client_id)}
        case ClientMergedAway():
            now = {"merged_into": event.into_client_id}
        case ClientRestored():
            now = {"merged_into": None}
    return client.model_copy(update=now)


CLIENT = Decider(name="client", initial=Client(), decide=decide, evolve=evolve)

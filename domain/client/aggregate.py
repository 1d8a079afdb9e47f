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


def _check_birth(born: date, at: datetime) -> None:
    if born > at.date():
        raise BirthDateInFuture
    if at.year - born.year > AGE_MAX:
        raise BirthDateTooEarly


def decide(client: Client, command: ClientCommand) -> tuple[ClientEvent, ...]:
    """Permits or refuses. Raises the errors above."""
    match command:
        case RegisterClient():
            if client.details is not None:
                raise ClientAlreadyRegistered
            _check_birth(command.details.birth_date, command.at)
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
    given = {name: getattr(command, name) for name in command.model_fields_set - {"by", "at"}}
    # A name or birth date can be corrected but not taken away; a phone or e-mail can.
    kept = {name: value for name, value in given.items() if value is not None}
    removed = {name: None for name in given.keys() & {"phone", "email"} if given[name] is None}
    changed = details.model_copy(update=kept | removed)
    if changed == details:
        raise NothingChanged
    _check_birth(changed.birth_date, command.at)
    return ContactDetailsChanged(
        client_id=_id(client), details=changed, occurred_at=command.at
    )


def _death(client: Client, command: RecordDeath | WithdrawDeath) -> ClientEvent:
    details = living_record(client)
    if isinstance(command, WithdrawDeath):
        if client.died_on is None:
            raise DeathNotRecorded
        return DeathWithdrawn(
            client_id=_id(client), reason=command.reason, occurred_at=command.at
        )
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
    if client.details is None:
        raise ClientUnknown
    about = {"client_id": _id(client), "reason": command.reason, "occurred_at": command.at}
    match command:
        case AbsorbClient():
            living_record(client)
            if command.other_client_id == client.client_id:
                raise SameClient
            return ClientAbsorbed(other_client_id=command.other_client_id, **about)
        case MergeAway():
            living_record(client)
            return ClientMergedAway(into_client_id=command.into_client_id, **about)
        case ReleaseClient():
            if command.other_client_id not in client.absorbed:
                raise ClientsNotMerged
            return ClientReleased(other_client_id=command.other_client_id, **about)
        case RestoreClient():
            if client.merged_into != command.from_client_id:
                raise ClientsNotMerged
            return ClientRestored(from_client_id=command.from_client_id, **about)


def _id(client: Client) -> ClientId:
    if client.client_id is None:
        raise ClientUnknown
    return client.client_id


def evolve(client: Client, event: ClientEvent) -> Client:
    """Assigns; never refuses."""
    match event:
        case ClientRegistered():
            return Client(client_id=event.client_id, details=event.details)
        case ContactDetailsChanged():
            return client.model_copy(update={"details": event.details})
        case DeathRecorded():
            return client.model_copy(update={"died_on": event.died_on})
        case DeathWithdrawn():
            return client.model_copy(update={"died_on": None})
        case ClientAbsorbed():
            absorbed = (*client.absorbed, event.other_client_id)
            return client.model_copy(update={"absorbed": absorbed})
        case ClientReleased():
            absorbed = tuple(one for one in client.absorbed if one != event.other_client_id)
            return client.model_copy(update={"absorbed": absorbed})
        case ClientMergedAway():
            return client.model_copy(update={"merged_into": event.into_client_id})
        case ClientRestored():
            return client.model_copy(update={"merged_into": None})
        case _:
            return client


CLIENT = Decider(name="client", initial=Client(), decide=decide, evolve=evolve)

"""Facts about a client's identity. A released event is never edited; it gets a `.v2`."""

from typing import ClassVar

from domain.kernel.events import Category, Event, Frozen
from domain.kernel.ids import ClientId
from domain.kernel.text import Day, Email, Name, Phone, Reason


class Details(Frozen):
    """Who the client is and how to reach her, all of it."""

    given_name: Name
    family_name: Name
    birth_date: Day
    phone: Phone | None = None
    email: Email | None = None


class ClientEvent(Event):
    """A fact about one client."""

    category: ClassVar[Category] = Category.CONTACT
    client_id: ClientId


class ClientRegistered(ClientEvent):
    """The practice met a client."""

    type: ClassVar[str] = "client.registered.v1"
    details: Details


class ContactDetailsChanged(ClientEvent):
    """The client's details are now these; the earlier ones stay in the log."""

    type: ClassVar[str] = "client.contact_details_changed.v1"
    details: Details


class DeathRecorded(ClientEvent):
    """The client has died."""

    type: ClassVar[str] = "client.death_recorded.v1"
    died_on: Day
    source: Reason


class DeathWithdrawn(ClientEvent):
    """The death was recorded in error."""

    type: ClassVar[str] = "client.death_withdrawn.v1"
    reason: Reason


class ClientAbsorbed(ClientEvent):
    """On the record that is kept: the other record is the same person."""

    type: ClassVar[str] = "client.absorbed.v1"
    other_client_id: ClientId
    reason: Reason


class ClientMergedAway(ClientEvent):
    """On the record that is left: read on at the one that is kept."""

    type: ClassVar[str] = "client.merged_away.v1"
    into_client_id: ClientId
    reason: Reason


class ClientReleased(ClientEvent):
    """On the record that was kept: the other one is another person after all."""

    type: ClassVar[str] = "client.released.v1"
    other_client_id: ClientId
    reason: Reason


class ClientRestored(ClientEvent):
    """On the record that was left: it stands by itself again."""

    type: ClassVar[str] = "client.restored.v1"
    from_client_id: ClientId
    reason: Reason

"""Who carries the record to others: a broker that keeps messages in order for each key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

MESSAGE_MAX: Final = 8 * 1024 * 1024
"""Bytes; the longest note in any script fits."""


class BrokerUnavailable(Exception):
    """The broker does not answer; whether it took what was sent is not known."""


class MessageRefused(Exception):
    """The broker will not take a message, however often it is sent: too large, or not permitted."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. Messages of one key are delivered in the order in which they were sent."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it arrives: at least once, and again whenever the broker thinks fit."""

    partition: int
    offset: int
    message: Message


class Publisher(Protocol):
    """Sends to one topic. For one thread."""

    def place(self) -> str:
        """Names the topic as it is now, making it if there is none.

        A topic or a broker that was made anew has another name: what was sent to the earlier one is
        gone. Raises `BrokerUnavailable`.
        """
        ...

    def publish(self, messages: Sequence[Message]) -> None:
        """Returns once every replica that must have the messages has them; takes 9 s at most.

        Raises `BrokerUnavailable`, `MessageRefused`; some of them may have been taken all the same.
        """
        ...

    def close(self) -> None:
        """Gives the connections back."""
        ...


class Consumer(Protocol):
    """A member of a group that shares the partitions of a topic, once it exists. For one thread."""

    def poll(self, seconds: float) -> list[Delivery]:
        """What has arrived, in order within each partition; waits if there is nothing.

        Whoever joins the group or takes over a partition begins after what the group has committed.
        Raises `BrokerUnavailable`.
        """
        ...

    def commit(self) -> None:
        """Says that all that was delivered is dealt with.

        Raises `BrokerUnavailable`: it may be delivered again, to this member or another.
        """
        ...

    def rewind(self) -> None:
        """Has everything delivered again that was not committed."""
        ...

    def close(self) -> None:
        """Leaves the group; others take over at once."""
        ...


class Broker(Protocol):
    """Where publishers and consumers of one topic come from."""

    def publisher(self) -> Publisher:
        """A new one; connects when first used."""
        ...

    def consumer(self, group: str) -> Consumer:
        """A new member of a group; joins when first used."""
        ...

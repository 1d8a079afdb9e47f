"""A broker in memory that can be told to fail, to forget and to repeat: for tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic, sleep
from uuid import uuid4
from zlib import crc32

from gateways.broker import MESSAGE_MAX, BrokerUnavailable, Delivery, Message, MessageRefused

PARTITIONS = 3


@dataclass
class _Group:
    """Who shares the partitions, and how far each has come."""

    members: list["SimulatedConsumer"] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=dict)
    generation: int = 0


class SimulatedBroker:
    """One topic. `is_down` makes it unreachable, `wipe` a broker formatted anew."""

    def __init__(self) -> None:
        self.is_down = False
        self.largest = MESSAGE_MAX
        self.lock = Lock()
        self.wipe()

    def wipe(self) -> None:
        """Forgets all messages, and how far anybody had come."""
        self.identity = str(uuid4())
        self.partitions: list[list[Message]] = [[] for _ in range(PARTITIONS)]
        self.groups: dict[str, _Group] = {}

    def publisher(self) -> "SimulatedPublisher":
        """A new one."""
        return SimulatedPublisher(self)

    def consumer(self, group: str) -> "SimulatedConsumer":
        """A new member of a group; joins when first used."""
        return SimulatedConsumer(self, group)

    def check(self) -> None:
        """Raises `BrokerUnavailable` while it is down."""
        if self.is_down:
            raise BrokerUnavailable


class SimulatedPublisher:
    """Sends to the broker in memory."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker

    def place(self) -> str:
        """The broker's name, new after each wipe. Raises `BrokerUnavailable` while it is down."""
        self._broker.check()
        return self._broker.identity

    def publish(self, messages: Sequence[Message]) -> None:
        """Appends all. Raises `BrokerUnavailable`, `MessageRefused`."""
        self._broker.check()
        with self._broker.lock:
            for message in messages:
                if len(message.value) > self._broker.largest:
                    raise MessageRefused
                self._broker.partitions[crc32(message.key) % PARTITIONS].append(message)

    def close(self) -> None:
        """Nothing to give back."""


class SimulatedConsumer:
    """A member of a group; every change of its members begins a new generation."""

    def __init__(self, broker: SimulatedBroker, group: str) -> None:
        self._broker = broker
        self._group = group
        self._generation = -1
        self._next: dict[int, int] = {}

    def poll(self, seconds: float) -> list[Delivery]:
        """What there is, after waiting for it. Raises `BrokerUnavailable` while it is down."""
        until = monotonic() + seconds
        while True:
            self._broker.check()
            with self._broker.lock:
                self._join()
                found = self._take()
            if found or monotonic() >= until:
                return found
            sleep(0.005)

    def commit(self) -> None:
        """Moves the group on. Raises `BrokerUnavailable`, also if the partitions have moved."""
        self._broker.check()
        with self._broker.lock:
            group = self._broker.groups.get(self._group)
            if group is None or group.generation != self._generation:
                raise BrokerUnavailable
            group.committed |= self._next

    def rewind(self) -> None:
        """Begins again after what the group has committed."""
        self._generation = -1

    def close(self) -> None:
        """Leaves the group."""
        with self._broker.lock:
            group = self._broker.groups.get(self._group)
            if group is not None and self in group.members:
                group.members.remove(self)
                group.generation += 1

    def _join(self) -> None:
        group = self._broker.groups.setdefault(self._group, _Group())
        if self not in group.members:
            group.members.append(self)
            group.generation += 1
            self._generation = -1
        if self._generation != group.generation:
            self._generation = group.generation
            place, members = group.members.index(self), len(group.members)
            self._next = {
                number: group.committed.get(number, 0)
                for number in range(PARTITIONS)
                if number % members == place
            }

    def _take(self) -> list[Delivery]:
        found: list[Delivery] = []
        for number, start in self._next.items():
            messages = self._broker.partitions[number][start:]
            found += [Delivery(number, start + i, one) for i, one in enumerate(messages)]
            self._next[number] = start + len(messages)
        return found

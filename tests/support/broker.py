"""What do tests see of what a broker was given?"""

from time import monotonic
from uuid import UUID, uuid4

from gateways.broker import Broker, Message
from workers.messages import carried_by

QUIET = 0.4
PATIENCE = 30.0


def delivered(broker: Broker, at_least: int = 0) -> list[Message]:
    """All that is there, in the order of each practice."""
    reader = broker.consumer(f"reader-{uuid4()}")
    found: list[Message] = []
    deadline = monotonic() + PATIENCE
    while (more := reader.poll(QUIET)) or len(found) < at_least:
        assert monotonic() < deadline, f"{len(found)} of {at_least}"
        found += [one.message for one in more]
    reader.close()
    return found


def positions_of(messages: list[Message], practice_id: UUID) -> list[int]:
    """In the order in which they arrived."""
    carried = [carried_by(one) for one in messages]
    return [one.row.id for one in carried if one.practice_id == practice_id]

"""Which generation of the practice's key the record says is in use."""

from uuid import UUID

from domain.kernel.events import Decider, Frozen
from domain.kernel.ids import PracticeId, derived
from domain.practice_key.commands import RecordRotation
from domain.practice_key.events import PracticeKeyRotated


class PracticeKey(Frozen):
    """A practice begins with the first generation."""

    generation: int = 1


def stream_of(practice_id: PracticeId) -> UUID:
    """The one stream about a practice's key."""
    return derived(practice_id, "practice_key")


def decide(key: PracticeKey, command: RecordRotation) -> tuple[PracticeKeyRotated, ...]:
    """A rotation is recorded once; one that was recorded already is nothing new."""
    match command:
        case RecordRotation():
            if command.generation <= key.generation:
                return ()
            return (
                PracticeKeyRotated(
                    occurred_at=command.at,
                    generation=command.generation,
                    root_key_id=command.root_key_id,
                    data_keys=command.data_keys,
                ),
            )


def evolve(key: PracticeKey, event: PracticeKeyRotated) -> PracticeKey:
    """Assigns; never refuses."""
    match event:
        case PracticeKeyRotated():
            return key.model_copy(update={"generation": event.generation})


PRACTICE_KEY = Decider(name="practice_key", initial=PracticeKey(), decide=decide, evolve=evolve)

"""How events of earlier versions are read today: one pure function per step, from JSON to JSON."""

import json
from collections.abc import Callable
from typing import Any

from domain.kernel.events import REGISTRY, Event

Body = dict[str, Any]
UPCASTERS: dict[str, tuple[str, Callable[[Body], Body]]] = {}
"""Stored name -> (next stored name, how its body becomes the next one)."""


class UnknownEventType(LookupError):
    """The log holds an event that this release has no name for."""


def upcaster(before: str, after: str) -> Callable[[Callable[[Body], Body]], Callable[[Body], Body]]:
    """Registers the function that turns a body of type `before` into one of type `after`."""

    def register(function: Callable[[Body], Body]) -> Callable[[Body], Body]:
        if before in UPCASTERS:
            message = f"{before} has an upcaster already"
            raise TypeError(message)
        UPCASTERS[before] = (after, function)
        return function

    return register


def read_event(stored_type: str, body: bytes) -> Event:
    """Decodes a stored body with today's code. Raises `UnknownEventType`, `ValidationError`."""
    if stored_type in UPCASTERS:
        return _read_upcast(stored_type, body)
    try:
        return REGISTRY[stored_type].model_validate_json(body)
    except KeyError:
        raise UnknownEventType(stored_type) from None


def _read_upcast(stored_type: str, body: bytes) -> Event:
    fields: Body = json.loads(body)
    while stored_type in UPCASTERS:
        stored_type, function = UPCASTERS[stored_type]
        fields = function(fields)
    if stored_type not in REGISTRY:
        raise UnknownEventType(stored_type)
    return REGISTRY[stored_type].model_validate(fields)

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
            raise TypeError(f"{before} has an upcaster already")
        last = after
        while last in UPCASTERS:
            last = UPCASTERS[last][0]
        if last == before:
            raise TypeError(f"{before} would become itself again")
        UPCASTERS[before] = (after, function)
        return function

    return register


def read_event(stored_type: str, body: bytes) -> Event:
    """Decodes a stored body with today's code. Raises `UnknownEventType`, `ValidationError`."""
    if stored_type in UPCASTERS:
        stored_type, body = _upcast(stored_type, body)
    event_class = REGISTRY.get(stored_type)
    if event_class is None:
        raise UnknownEventType(stored_type)
    # Strictly: as it stands, without the checks and normalising that were done on entering it.
    return event_class.model_validate_json(body, strict=True)


def _upcast(stored_type: str, body: bytes) -> tuple[str, bytes]:
    """Back to JSON at the end, so that an upcast body is decoded exactly as a stored one is."""
    fields: Body = json.loads(body)
    while stored_type in UPCASTERS:
        stored_type, function = UPCASTERS[stored_type]
        fields = function(fields)
    return stored_type, json.dumps(fields).encode()

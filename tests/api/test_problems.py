"""Is every refusal said in words?"""

from collections.abc import Iterator

import pytest

from api.app import create_app
from api.problems import WORDS
from api.web import ROUTERS
from domain.kernel.errors import Conflict, DomainError, Invalid

EVERYTHING = (create_app, ROUTERS)
"""Importing the application imports every refusal there is."""
ABSTRACT = {DomainError, Invalid, Conflict}


def refusals(kind: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Every kind of refusal that has a code of its own."""
    for one in kind.__subclasses__():
        if one not in ABSTRACT:
            yield one
        yield from refusals(one)


KINDS = sorted(set(refusals()), key=lambda kind: (kind.__module__, kind.__name__))


def test_the_whole_application_was_looked_through() -> None:
    assert {"projection_behind", "stale_draft", "note_locked", "not_a_moment"} <= {
        kind.code for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_refusal_says_what_to_do(kind: type[DomainError]) -> None:
    assert kind.code != DomainError.code
    assert kind.code in WORDS

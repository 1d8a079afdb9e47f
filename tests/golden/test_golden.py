"""Does today's code read, name and protect everything that was ever stored as it did then?"""

import hashlib
import json
import re
from pathlib import Path

import pytest

import domain.usecases.merge_clients
import domain.usecases.reassign_note  # noqa: F401 - so that every refusal is defined
from domain.kernel.errors import DomainError
from domain.kernel.events import REGISTRY, Category, Event
from domain.kernel.upcasting import UPCASTERS, read_event

HERE = Path(__file__).parent
BODIES = {path.stem: path.read_bytes()[:-1] for path in sorted((HERE / "events").glob("*.json"))}
RELEASED = {name: event for name, event in REGISTRY.items() if event.__module__[:7] == "domain."}


def kinds_of(parent: type[DomainError]) -> set[type[DomainError]]:
    below = parent.__subclasses__()
    return set(below).union(*map(kinds_of, below))


def test_every_event_has_a_golden_body() -> None:
    assert set(RELEASED) - set(BODIES) == set(), "add tests/golden/events/<type>.json"


def test_no_golden_body_was_ever_edited() -> None:
    lines = (HERE / "events" / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (HERE / "events").glob("*.json")
    }
    assert found == listed


@pytest.mark.parametrize("name", BODIES)
def test_what_was_stored_is_read_today(name: str) -> None:
    event = read_event(name, BODIES[name])
    if name not in UPCASTERS:
        assert event.type == name
        assert event.model_dump_json().encode() == BODIES[name], "a released event has changed"


@pytest.mark.parametrize("name", RELEASED)
def test_a_golden_body_leaves_nothing_out(name: str) -> None:
    body = json.loads(BODIES[name])
    assert set(body) == set(RELEASED[name].model_fields)
    assert None not in body.values(), "a golden body shows what each field can hold"


@pytest.mark.parametrize("name", RELEASED)
def test_an_event_is_named_after_what_happened_to_what(name: str) -> None:
    assert re.fullmatch(r"[a-z][a-z_]*\.[a-z][a-z_]*\.v[1-9][0-9]*", name)


@pytest.mark.parametrize(("name", "event"), RELEASED.items())
def test_whose_data_it_is_decides_which_key_seals_it(name: str, event: type[Event]) -> None:
    subject = event.model_fields.get("client_id")
    if event.category is not Category.BUSINESS:
        assert subject is not None, f"{name} does not say whose data it is"
    # Without one it is the practice's own; what it did for a client is sealed under her key, too.
    if subject is not None:
        assert subject.is_required()


def test_no_event_changes_its_category() -> None:
    """What a client asked to be erased must stay erased, and nothing else with it."""
    promised = json.loads((HERE / "categories.json").read_text())
    assert {name: event.category for name, event in RELEASED.items()} == promised


def test_no_refusal_changes_its_code() -> None:
    """Programs of other people are written against these."""
    promised = json.loads((HERE / "refusals.json").read_text())
    codes = {
        kind.code for kind in kinds_of(DomainError) if kind.__module__.startswith("domain.")
    } - {DomainError.code}
    assert sorted(codes) == promised

"""How events stored under earlier names are read today."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import ValidationError

from domain.kernel import events, upcasting
from domain.kernel.events import Category, Event
from domain.kernel.text import Line, Moment
from domain.kernel.upcasting import Body, UnknownEventType, read_event, upcaster

AT = "2026-03-02T12:00:00Z"


@pytest.fixture(autouse=True)
def _own_registries() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    registry, upcasters = dict(events.REGISTRY), dict(upcasting.UPCASTERS)
    yield
    events.REGISTRY.clear()
    events.REGISTRY.update(registry)
    upcasting.UPCASTERS.clear()
    upcasting.UPCASTERS.update(upcasters)


def towel_folded() -> type[Event]:
    class TowelFolded(Event):
        """In its third shape."""

        type: ClassVar[str] = "towel.folded.v3"
        category: ClassVar[Category] = Category.BUSINESS
        folded_by: Line
        folds: int
        dried_at: Moment | None = None

    return TowelFolded


def from_the_first_shape() -> None:
    @upcaster("towel.folded.v1", "towel.folded.v2")
    def count_the_folds(body: Body) -> Body:
        return body | {"folds": 2}

    @upcaster("towel.folded.v2", "towel.folded.v3")
    def name_the_folder(body: Body) -> Body:
        return {name: value for name, value in body.items() if name != "by"} | {
            "folded_by": body["by"]
        }


def test_an_event_is_read_under_its_stored_name() -> None:
    towel = towel_folded()
    body = b'{"occurred_at":"%b","folded_by":"Ada","folds":3,"dried_at":null}' % AT.encode()
    read = read_event("towel.folded.v3", body)
    assert type(read) is towel
    assert read.model_dump_json().encode() == body


def test_an_earlier_event_takes_every_step_to_today() -> None:
    towel = towel_folded()
    from_the_first_shape()
    first = b'{"occurred_at":"%b","by":"Ada"}' % AT.encode()
    second = b'{"occurred_at":"%b","by":"Ada","folds":4}' % AT.encode()
    assert read_event("towel.folded.v1", first) == towel.model_validate(
        {"occurred_at": AT, "folded_by": "Ada", "folds": 2}
    )
    assert read_event("towel.folded.v2", second) == towel.model_validate(
        {"occurred_at": AT, "folded_by": "Ada", "folds": 4}
    )


def test_an_upcast_event_is_read_as_it_stands_too() -> None:
    towel_folded()
    from_the_first_shape()
    long_name = "A" * 5_000
    body = b'{"occurred_at":"%b","by":"%b"}' % (AT.encode(), long_name.encode())
    assert read_event("towel.folded.v1", body).model_dump()["folded_by"] == long_name


@pytest.mark.parametrize(
    "name", ["towel.burnt.v1", "towel.folded.v3", "domain.client.events:ClientRegistered"]
)
def test_an_event_without_a_name_today_is_not_guessed(name: str) -> None:
    with pytest.raises(UnknownEventType, match=name):
        read_event(name, b"{}")


def test_an_upcaster_that_leads_nowhere_is_found_out() -> None:
    from_the_first_shape()  # and nothing is called towel.folded.v3
    with pytest.raises(UnknownEventType, match=r"towel\.folded\.v3"):
        read_event("towel.folded.v1", b'{"by":"Ada"}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"occurred_at":"2026-03-02T12:00:00+00:00","folded_by":"Ada"}',
        b'{"occurred_at":"2026-03-02T12:00:00+00:00","folded_by":"Ada","folds":1,"colour":"red"}',
        b'{"occurred_at":"2026-03-02T12:00:00+00:00","folded_by":"Ada","folds":"1"}',
        b'{"occurred_at":"2026-03-02T12:00:00","folded_by":"Ada","folds":1}',
    ],
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    towel_folded()
    with pytest.raises(ValidationError):
        read_event("towel.folded.v3", body)


def test_no_two_events_share_a_name() -> None:
    towel_folded()
    with pytest.raises(TypeError, match=r"towel\.folded\.v3"):
        towel_folded()


def test_each_version_has_one_successor() -> None:
    from_the_first_shape()
    with pytest.raises(TypeError, match="has an upcaster already"):
        upcaster("towel.folded.v1", "towel.folded.v3")(lambda body: body)


@pytest.mark.parametrize("before", ["towel.folded.v3", "towel.folded.v9"])
def test_no_event_becomes_itself_again(before: str) -> None:
    from_the_first_shape()
    after = "towel.folded.v1" if before == "towel.folded.v3" else before
    with pytest.raises(TypeError, match="would become itself again"):
        upcaster(before, after)(lambda body: body)


def test_a_base_class_without_a_name_is_not_stored() -> None:
    before = set(events.REGISTRY)

    class TowelEvent(Event):
        category: ClassVar[Category] = Category.BUSINESS

    assert set(events.REGISTRY) == before
    assert "type" not in vars(TowelEvent)

"""Can the text of a record get into a log line?"""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import structlog

from deploy.logs import configure_logging

CANARY = "canary: Jane has a rash"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Log as the program does, and put everything back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging("info", stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def fail() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise LookupError(CANARY) from error


def test_plain_values_are_written(written: io.StringIO) -> None:
    structlog.get_logger("api.v1").info(
        "note signed",
        position=7,
        stream=UUID(int=1),
        at_time=datetime(2026, 1, 2, tzinfo=UTC),
        code="stale_version",
    )
    (line,) = lines(written)
    assert line["event"] == "note signed"
    assert line["position"] == 7
    assert line["stream"] == "00000000-0000-0000-0000-000000000001"
    assert line["at_time"] == "2026-01-02 00:00:00+00:00"
    assert line["code"] == "stale_version"
    assert line["level"] == "info"


@pytest.mark.parametrize(
    "value", [{"subjective": CANARY}, [CANARY], CANARY * 20, CANARY.encode(), ValueError(CANARY)]
)
def test_what_may_be_a_body_is_withheld(written: io.StringIO, value: object) -> None:
    structlog.get_logger("api.v1").warning("odd", value=value)
    (line,) = lines(written)
    assert line["value"] == "(withheld)"
    assert "canary" not in json.dumps(line)


@pytest.mark.parametrize("name", ["api.v1", "uvicorn.error", "some.library"])
def test_an_exception_is_written_by_type_and_place_only(written: io.StringIO, name: str) -> None:
    try:
        fail()
    except LookupError:
        structlog.get_logger(name).exception("failed")
        logging.getLogger(name).exception("failed, too")
    for line in lines(written):
        assert line["exception"] == "LookupError"
        assert line["cause"] == "ValueError"
        assert "tests/deploy/test_logs.py" in str(line["at"])
        assert "fail" in str(line["at"])
        assert "canary" not in json.dumps(line)


def test_a_library_is_heard_only_when_it_warns(written: io.StringIO) -> None:
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble")
    assert [line["event"] for line in lines(written)] == ["trouble"]

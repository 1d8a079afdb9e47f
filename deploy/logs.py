"""What is logged, in which form, and what can never get into a log line?

One JSON object per line on standard error. Messages are written by us; values are ids, codes,
counts and times. Text of a record comes into a log by accident in two ways, and both are shut: an
exception's message (it may quote a row or a request body), so only its type and its place are
written, and a long or structured value, so only short plain ones are.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO
from uuid import UUID

import structlog

LONGEST_VALUE: Final = 200
WITHHELD: Final = "(withheld)"
ROOT: Final = Path(__file__).resolve().parent.parent

EventDict = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send our own lines and the libraries' warnings through the same form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        type_and_place_of_exception,
        withhold_what_may_be_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("deploy", "api", "workers", "projections", "record", "gateways"):
        logging.getLogger(ours).setLevel(level.upper())
    logging.captureWarnings(capture=True)


def type_and_place_of_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type, its cause's type and the lines of code it came through."""
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        cause = error.__cause__ or error.__context__
        event["exception"] = type(error).__qualname__
        if cause is not None:
            event["cause"] = type(cause).__qualname__
        event["at"] = [_place(frame) for frame in traceback.extract_tb(error.__traceback__)[-12:]]
    return event


def withhold_what_may_be_text(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Keep numbers, ids, times and short words; withhold everything that could be a body."""
    for name, value in event.items():
        if name.startswith("_") or name == "at":
            continue
        match value:
            case None | bool() | int() | float():
                pass
            case UUID() | datetime() | date():
                event[name] = str(value)
            case str() if len(value) <= LONGEST_VALUE or name == "event":
                event[name] = value[:1000]
            case _:
                event[name] = WITHHELD
    return event


def _place(frame: traceback.FrameSummary) -> str:
    file = Path(frame.filename)
    name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else Path(*file.parts[-2:])
    return f"{name}:{frame.lineno} {frame.name}"

"""The log: a line for each event, JSON for machines, coloured for a person at a terminal.

The log never contains a message's text, a secret or the query of a URL, at any level. No log call
passes one of these. Exceptions and texts of libraries might contain them, therefore:
- exceptions of hookbundle and of the operating system are logged with their text, all others only
  with their class and stack frames, because their text may quote the value that failed;
- local variables and source lines are not logged;
- queries of URLs, signing secrets and bearer tokens are removed from every text;
- characters that start a new line or control a terminal are written as escapes.

No log call raises, or waits for the log's reader: see log_stream.py.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO, cast

import structlog
from aiohttp.http import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from hookbundle.commands.daemon.log_stream import LogStream
from hookbundle.engine.errors import in_words

TEXT_CHARS_MAX = 2_000
FRAMES_MAX = 30
HIDDEN = (
    (re.compile(r"(\w+://[^\s?#'\"<>]*)[?#][^\s'\"<>]*"), r"\1?..."),
    (re.compile(r"whsec_[\w+/=-]+"), "whsec_..."),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 ..."),
)
ROOT = Path(__file__).resolve().parents[2]


def set_up_logging(form: str, level: str, to: TextIO | None = None) -> LogStream:
    """Writes structured lines to stderr, also those of libraries. May be called again.

    `to`: another stream than stderr.
    """
    stream = LogStream(sys.stderr if to is None else to)
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    numeric = logging.getLevelNamesMapping()[level.upper()]
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        stamp,
        describe_exceptions,
        clean,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=stream.isatty() and not os.environ.get("NO_COLOR")
        )
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=_unfailing(numeric, stream),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stream)),
    )
    handler = Unfailing(stream)
    handler.addFilter(_is_not_malformed_http)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            pass_foreign_args=False,
        )
    )
    # At debug level libraries log the data that passes through them, message texts included.
    logging.basicConfig(handlers=[handler], level=max(numeric, logging.WARNING), force=True)
    logging.captureWarnings(capture=True)
    stream.lost_line = lambda count: _line([*shared, renderer], "log lines lost", count=count)
    return stream


def _line(processors: list[Processor], event: str, **fields: object) -> str:
    """As a logger would write it; a logger itself may be waiting for the stream."""
    made: Any = {"event": event, **fields}
    for processor in processors:
        made = processor(None, "warning", made)
    return f"{made}\n"


class Unfailing(logging.StreamHandler[LogStream]):
    """Writes what libraries log. A record that can't be written as text is lost."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name in logging
        # logging's own way prints the record to stderr, unfiltered.
        self.stream.lose()


def _unfailing(level: int, stream: LogStream) -> type[structlog.typing.FilteringBoundLogger]:
    """The class of loggers whose calls never raise."""
    base: Any = structlog.make_filtering_bound_logger(level)

    def proxy(self: Any, name: str, event: str | None = None, *args: Any, **fields: Any) -> Any:
        try:
            return base._proxy_to_logger(self, name, event, *args, **fields)
        except Exception:  # noqa: BLE001 - a value that can't be written as text, for example
            stream.lose()
            return None

    return type("UnfailingLogger", (base,), {"_proxy_to_logger": proxy})


def describe_exceptions(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by the error, its stack frames and its causes."""
    error = _as_error(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if error is not None:
        event["exception"] = _chain(error)
    return event


def clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """After it, no text in the event can forge a line or contains what HIDDEN matches."""
    return {str(_cleaned(name)): _cleaned(value) for name, value in event.items()}


def _chain(error: BaseException) -> list[dict[str, Any]]:
    """The error, its cause, the cause's cause, and so on."""
    found: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(found) < FRAMES_MAX:
        frames = traceback.extract_tb(current.__traceback__)[-FRAMES_MAX:]
        places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        found.append({"error": in_words(current), "at": places})
        context = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or context
    return found


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "/".join(path.parts[-3:])


def _as_error(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, error, _) if isinstance(error, BaseException):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _printable(value[:TEXT_CHARS_MAX])
    if isinstance(value, Mapping):
        return {str(_cleaned(str(name))): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return _printable(in_words(value))
    return _printable(str(value)[:TEXT_CHARS_MAX])


def _printable(text: str) -> str:
    for pattern, shown in HIDDEN:
        text = pattern.sub(shown, text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _is_not_malformed_http(record: logging.LogRecord) -> bool:
    """Malformed HTTP is answered with 400 and not logged: any client could fill the log with it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)

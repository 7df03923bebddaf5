"""The log: a line for each event, JSON for machines, coloured for a person at a terminal.

What never stands in it, at any level: a message's text, a secret, the query of a URL. The calls
that log name none of these; here is what holds where a call can't know:
- an exception of our own, or of the machine, is logged with its words; any other by its class
  and the places it came through, because a foreign error may quote the value it failed over;
- no local variables, and no lines of source;
- the queries of URLs, signing secrets and bearer tokens are cut out of every text;
- whatever could begin a new line or move a terminal's cursor is written as an escape.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import structlog
from aiohttp.http import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from hookbundle.engine.errors import in_words

TEXT_CHARS_MAX = 2_000
FRAMES_MAX = 30
HIDDEN = (
    (re.compile(r"(\w+://[^\s?#'\"<>]*)[?#][^\s'\"<>]*"), r"\1?..."),
    (re.compile(r"whsec_[\w+/=-]+"), "whsec_..."),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 ..."),
)
ROOT = Path(__file__).resolve().parents[2]


def set_up_logging(form: str, level: str, stream: TextIO = sys.stderr) -> None:
    """Structured lines on the stream, those of libraries included; may be called again."""
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
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_ours_to_tell)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            pass_foreign_args=False,
        )
    )
    # Libraries tell at debug level what passes through them; nobody wants that in our log.
    logging.basicConfig(handlers=[handler], level=max(numeric, logging.WARNING), force=True)
    logging.captureWarnings(capture=True)


def describe_exceptions(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """In place of `exc_info`: what failed, where, and because of what."""
    error = _as_error(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if error is not None:
        event["exception"] = _chain(error)
    return event


def clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """No text in the event can forge a line, or gives away what HIDDEN is to hide."""
    return {str(_cleaned(name)): _cleaned(value) for name, value in event.items()}


def _chain(error: BaseException) -> list[dict[str, Any]]:
    """The error, what caused it, what caused that ..."""
    found: list[dict[str, Any]] = []
    following: BaseException | None = error
    while following is not None and len(found) < FRAMES_MAX:
        frames = traceback.extract_tb(following.__traceback__)[-FRAMES_MAX:]
        places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        found.append({"error": in_words(following), "at": places})
        context = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or context
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


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    """Bytes of a stranger that are no HTTP are answered with 400, and are not worth a line."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)

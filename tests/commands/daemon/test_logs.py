"""What the log may contain, and what it may not."""

import io
import json
import logging
import os
import pty
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from hookbundle.commands.daemon.logs import set_up_logging
from hookbundle.engine.errors import Fault, InvalidInput, StoreFull, in_words
from hookbundle.tests.shared_work import plain_logs

SECRET_TEXT = "the text of a message"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    plain_logs.begin()


def logged(say: Any, form: str = "json", level: str = "debug") -> list[str]:
    """The lines that were written while `say` was called with a logger."""
    stream = io.StringIO()
    set_up_logging(form, level, stream)
    say(structlog.get_logger("test"))
    return stream.getvalue().splitlines()


def fail_over(text: str) -> None:
    held = text.upper()
    raise ValueError(f"can't digest {held} {text}")


def test_a_traceback_says_where_and_not_what_with() -> None:
    def say(log: Any) -> None:
        try:
            try:
                fail_over(SECRET_TEXT)
            except ValueError as exc:
                raise StoreFull("the disk is full") from exc
        except StoreFull as exc:
            log.error("failed", exc_info=exc)

    (line,) = logged(say)
    ours, cause = json.loads(line)["exception"]
    assert ours["error"] == "StoreFull: the disk is full"
    assert cause["error"] == "ValueError"
    assert cause["at"][-1].endswith("fail_over")
    assert SECRET_TEXT not in line
    assert SECRET_TEXT.upper() not in line


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_id_can_not_forge_a_line_or_move_the_cursor(form: str) -> None:
    forged = 'x\r\n{"level": "critical"}\x1b[2J\x9b2J\u2028\u202e\x00'

    (line,) = logged(lambda log: log.warning("odd", chat=forged, **{"key\n": 1}), form)
    assert line.isprintable()
    assert "critical" in line


@pytest.mark.parametrize("form", ["json", "console"])
def test_queries_secrets_and_tokens_are_removed_everywhere(form: str) -> None:
    def say(log: Any) -> None:
        log.error("refused", detail="https://u.example/hook?key=hidden1#hidden2 and more")
        log.error("refused", nested={"list": ["Bearer hidden3", "whsec_hidden4"]})
        log.error("refused", error=OSError("https://u.example/?hidden5"))

    lines = logged(say, form)
    assert len(lines) == 3
    assert "hidden" not in "".join(lines)
    assert "https://u.example/hook" in lines[0]
    assert "and more" in lines[0]


def test_libraries_write_the_same_kind_of_lines() -> None:
    def say(_: Any) -> None:
        try:
            fail_over(SECRET_TEXT)
        except ValueError:
            logging.getLogger("asyncio").exception("never\nretrieved")

    (line,) = logged(say)
    event = json.loads(line)
    assert event["logger"] == "asyncio"
    assert event["level"] == "error"
    assert SECRET_TEXT not in line


def test_debug_lines_of_libraries_are_not_logged() -> None:
    assert logged(lambda _: logging.getLogger("aiohttp").debug(SECRET_TEXT)) == []


def test_the_level_is_what_it_was_set_to() -> None:
    assert logged(lambda log: log.info("hm"), level="warning") == []
    assert len(logged(lambda log: log.info("hm"), level="info")) == 1


def test_only_errors_that_can_not_quote_a_text_are_put_into_words() -> None:
    assert in_words(StoreFull("the disk is full")) == "StoreFull: the disk is full"
    assert in_words(ValueError(SECRET_TEXT)) == "ValueError"
    assert in_words(InvalidInput((Fault("text", SECRET_TEXT),))) == "InvalidInput"


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_whose_user_wants_no_colours_gets_none(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(theirs, "w") as terminal:
            set_up_logging("auto", "info", terminal)
            structlog.get_logger("test").info("ready")
            written = os.read(ours, 4_096)
    finally:
        os.close(ours)

    assert b"ready" in written
    assert (b"\x1b[" in written) is coloured

"""A request as it is printed: a line about it, and below it the conversation as in the console.

What came may be anything. So no character of it can control the terminal, and a long body is cut;
`--json` has all of it, a line for each request.
"""

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from hookbundle.commands.listening.checks import Checked
from hookbundle.commands.listening.wire import Request
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import printable
from hookbundle.commands.terminal.words import counted
from hookbundle.engine.delivery.signing import HEADER_ID
from hookbundle.engine.messages.timestamps import rfc_3339

LINES_MAX = 200  # of a body
LINE_CHARS_MAX = 2_000
JOINERS = "\u200c\u200d"  # within emoji and words; they control nothing
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\+0000")
COLOURS = {True: "green", False: "red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class Received:
    """A request, the verdict on its signature, and the status of its answer."""

    number: int
    at_ms: int
    request: Request
    checked: Checked
    status: int


def show(received: Received) -> bool:
    """False if nobody reads stdout any more."""
    lines = [_head(received), *(f"    {line}" for line in _shortened(body_lines(received.request)))]
    return all(output.write(line) for line in (*lines, ""))


def show_json(received: Received) -> bool:
    """As `show`, as one line of JSON."""
    request = received.request
    document = {
        "number": received.number,
        "at": rfc_3339(received.at_ms),
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        **_body(request.body),
        "authentic": received.checked.authentic,
        "verdict": received.checked.detail,
        "status": received.status,
    }
    return output.show_json_text(json.dumps(document, ensure_ascii=False))


def body_lines(request: Request) -> Iterator[str]:
    """The messages of a body in the seed's shape; of others the JSON, or the text."""
    document = _json_of(request.body)
    match document:
        case {"chat": {} as chat, "messages": [*messages]} if messages:
            yield from _conversation(chat, messages)
        case {"chat": {} as chat, "message": {} as message}:
            yield from _conversation(chat, [message])
        case None if not request.body:
            return
        case None:
            text = _text_of(request.body)
            yield from (text.splitlines() if text is not None else [_size(request.body)])
        case _:
            yield from json.dumps(document, ensure_ascii=False, indent=2).splitlines()


def _head(received: Received) -> str:
    request, checked = received.request, received.checked
    at = rfc_3339(received.at_ms)[11:19]
    verdict = _clean(checked.detail)
    parts = [
        f"{at}  {request.method} {_clean(request.target)}",
        _clean(request.headers.get(HEADER_ID, "")),
        _what(request),
        verdict if _is_plain() else click.style(verdict, fg=COLOURS[checked.authentic]),
        f"answered {received.status}",
    ]
    return "  ".join(filter(None, parts))


def _what(request: Request) -> str:
    match _json_of(request.body):
        case {"chat": {} as chat, "messages": [*messages]}:
            return f"{counted(len(messages))} of {_clean(_chat_name(chat))}"
        case {"chat": {} as chat, "message": {}}:
            return f"a message of {_clean(_chat_name(chat))}"
        case _:
            return _size(request.body)


def _conversation(chat: dict[str, Any], messages: list[Any]) -> Iterator[str]:
    for message in messages:
        given = message if isinstance(message, dict) else {}
        at = TIME.sub(r"\1 \2", str(given.get("timestamp")))
        yield "  ".join((_sender_name(chat, given), str(given.get("direction")), at))
        yield from (f"  {line}" for line in str(given.get("text") or "").splitlines())


def _sender_name(chat: dict[str, Any], message: dict[str, Any]) -> str:
    match message.get("sender"):
        case {} as sender:
            named = [str(sender.get(name) or "").strip() for name in ("full_name", "phone")]
            return next(filter(None, named), "") or _chat_name(chat)
        case _:
            return _chat_name(chat)


def _chat_name(chat: dict[str, Any]) -> str:
    return str(chat.get("full_name") or "").strip() or str(chat.get("chat_id"))


def _shortened(lines: Iterator[str]) -> Iterator[str]:
    left = 0
    for count, line in enumerate(lines):
        if count < LINES_MAX:
            is_long = len(line) > LINE_CHARS_MAX
            yield _clean(line[:LINE_CHARS_MAX]) + (" ..." if is_long else "")
        else:
            left += 1
    if left:
        yield f"... and {left} more lines; --json prints all"


def _clean(text: str) -> str:
    """The text; what could control a terminal is replaced."""
    return "".join(c if c in JOINERS else printable(c) for c in text)


def _body(body: bytes) -> dict[str, Any]:
    document = _json_of(body)
    if document is not None:
        return {"body": document}
    text = _text_of(body)
    return {"text": text} if text is not None else {"base64": b64encode(body).decode()}


def _json_of(body: bytes) -> Any:
    """What the body says; None if that is nothing, or if it is no JSON."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None


def _text_of(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _size(body: bytes) -> str:
    return f"{len(body):,} bytes" if body else "no body"


def _is_plain() -> bool:
    return not output.is_terminal() or bool(os.environ.get("NO_COLOR"))

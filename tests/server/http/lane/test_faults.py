"""The lane itself fails: the client has an answer, the log says why, and nothing is lost."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import StoreFull
from hookbundle.server.http.lane import connection
from hookbundle.server.http.lane.heads import KnownHead
from hookbundle.server.http.lane.lane import Lane
from hookbundle.tests.server.http.lane.taught import ACCEPTED, Taught, plain


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("the lane is broken")


def errors(logs: list[Any]) -> list[Any]:
    return [line for line in logs if line["log_level"] == "error"]


@pytest.mark.parametrize(
    ("owner", "name"),
    [(KnownHead, "read"), (Lane, "lets_in"), (Lane, "take"), (connection, "known_of")],
    ids=["a head", "who calls", "a body", "what is learnt"],
)
async def test_what_fails_before_the_chat_has_it_is_answered_by_aiohttp(
    daemon: Taught, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    line = await daemon.line() if owner is not connection else await daemon.street.line()
    monkeypatch.setattr(owner, name, broken)

    with capture_logs() as logs:
        for _ in range(3):
            assert ACCEPTED in await line.ask(plain(daemon))

    (logged,) = errors(logs)
    assert "the lane is broken" in repr(logged["exc_info"])
    assert daemon.system.daemon.meters.lane.failed == 1
    assert daemon.system.daemon.meters.lane.answered == 0
    assert daemon.system.daemon.partition.store_queue.places.used == 0


@pytest.mark.parametrize("name", ["answer", "tell", "refuse"])
async def test_what_fails_later_is_an_internal_error_that_is_logged_and_counted(
    daemon: Taught, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    line, wanted, meters = await daemon.line(), plain(daemon), daemon.system.daemon.meters
    tell = Lane.tell
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(Lane, name, broken)
        if name == "tell":  # when the chat has the messages already
            patched.setattr(Lane, name, lambda *given: (tell(*given), broken()))
        if name == "refuse":
            full = StoreFull.of(Code.DISK_NEARLY_FULL)
            patched.setattr(daemon.chats, "tell", lambda _, collect: collect.reply.fail(full))
        answer = await line.ask(wanted)

    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.loads(body)
    assert head.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"\r\nContent-Type: application/problem+json\r\n" in head
    assert (document["code"], document["status"]) == ("internal_error", 500)
    (logged,) = errors(logs)
    assert logged["path"] == "/v1/workspaces/acme/messages"
    assert logged["request_id"] == document["request_id"]
    assert "the lane is broken" in repr(logged["exc_info"])
    assert meters.requests["POST", "/v1/workspaces/{ws}/messages", 500] == 1
    assert meters.lane.failed == 1
    assert daemon.system.daemon.partition.store_queue.places.used == 0
    # The answer that came late is nobody else's, and the same again is known or stored.
    again = await line.ask(wanted)
    duplicates = 0 if name == "refuse" else 1
    assert b'"duplicate":%d' % duplicates in again
    assert ACCEPTED in await line.ask(plain(daemon))

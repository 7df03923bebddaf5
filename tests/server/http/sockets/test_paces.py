"""How fast what nobody wants of a body is received."""

import pytest

from hookbundle.engine.fairness.loop_share import Pace
from hookbundle.server.http.sockets.framing import RECEIVED_AT_ONCE_BYTES
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.server.http.lines import Street
from hookbundle.tests.server.http.test_unread_bodies import (
    ENDLESS,
    GOOD,
    REFUSED,
    head,
    outside,
    sized,
    status_of,
)

__all__ = ["outside"]


async def test_what_is_refused_comes_at_a_pace_that_its_owner_alone_has_to_keep(
    outside: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    await outside.system.ask("PUT", "/v1/workspaces/other", {})
    came: dict[str, list[int]] = {"acme": [], "other": [], "": []}

    def rest_s(pace: Pace, owner: str, size: int) -> float:
        if pace._ahead_s:  # of what is wanted
            return 0.0
        came[owner].append(size)
        return 0.0 if owner == "other" else TIMEOUT_S

    monkeypatch.setattr(Pace, "rest_s", rest_s)
    for token in (await outside.token("acme"), "guessed"):
        line = await outside.line()
        line.writer.write(sized(token, b"x" * REFUSED))
        assert await status_of(line) in (b"401", b"429")
    line, other = await outside.line(), await outside.token("other")
    refused = sized(other, b"x" * REFUSED).replace(b"/acme/", b"/other/")
    line.writer.write(refused + sized(other, GOOD).replace(b"/acme/", b"/other/"))

    assert [await status_of(line) for _ in range(2)] == [b"429", b"202"]
    assert [len(came[""]), len(came["acme"])] == [1, 1]
    assert sum(came["other"]) > REFUSED - outside.bodies.total


@pytest.mark.parametrize("name", ["no chunks", "chunks of a byte"])
async def test_nor_is_more_received_at_once_of_what_is_not_even_looked_at(
    outside: Street, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[int] = []

    def rest_s(pace: Pace, owner: str, size: int) -> float:
        if pace._ahead_s:
            return 0.0
        came.append(size)
        return TIMEOUT_S

    monkeypatch.setattr(Pace, "rest_s", rest_s)
    header, piece = ENDLESS[name]
    token, line = await outside.token("acme"), await outside.line()
    line.writer.write(head(token, header) + piece * 20)

    assert await status_of(line) == b"400"
    await outside.until(lambda: bool(came))
    assert await (await outside.line()).ask(sized(token, GOOD))

    assert len(came) <= 2
    assert max(came) <= RECEIVED_AT_ONCE_BYTES

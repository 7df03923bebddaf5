"""A daemon whose lane knows a head, and what it has taken."""

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from hookbundle.server.http.lane.connection import LaneConnection
from hookbundle.tests.in_process import System, until
from hookbundle.tests.server.http.lane.twins import (
    count_taken,
    lane_of,
    message,
    request,
    server_of,
)
from hookbundle.tests.server.http.lines import Line, Street

ACCEPTED = b'{"accepted":1,"duplicate":0,"skipped":[]}'
NUMBERS = iter(range(1_000_000))


def plain(street: "Taught", *more: bytes, workspace: str = "acme", **changes: Any) -> bytes:
    made = request(workspace, message(next(NUMBERS), **changes), *more)
    return made.replace(b"hbt_of_the_twins", street.token.encode())


@dataclass
class Chats:
    """Where the lane hands messages on: to their chats, or, while it is held, to nobody."""

    tell: Any
    is_held: bool = False
    held: list[Any] = field(default_factory=list)

    def told(self, *given: Any) -> None:
        if self.is_held:
            self.held.append(given)
        else:
            self.tell(*given)

    def go_on(self) -> None:
        self.is_held = False
        held, self.held = self.held, []
        for each in held:
            self.tell(*each)


@dataclass
class Taught:
    """A daemon with a workspace, and what it does with messages."""

    street: Street
    token: str
    chats: Chats
    taken: list[str]

    @property
    def system(self) -> System:
        return self.street.system

    @property
    def requests(self) -> int:
        """Those with messages that were answered, as the metrics have them."""
        counts = self.system.daemon.meters.requests
        return sum(n for (_, path, _), n in counts.items() if path.endswith("/messages"))

    async def line(self, workspace: str = "acme") -> Line:
        """A connection on which the lane has the next request of this head."""
        line = await self.street.line()
        assert ACCEPTED in await line.ask(plain(self, workspace=workspace))
        return line

    async def held(self, line: Line, request: bytes) -> None:
        """The lane has a request of the client's, whose messages no chat has got yet."""
        before = len(self.chats.held)
        self.chats.is_held = True
        line.writer.write(request)
        await until(lambda: len(self.chats.held) > before)


async def taught(outside: Street, monkeypatch: pytest.MonkeyPatch) -> Taught:
    hook = {"url": "http://127.0.0.1:8099/", "aggregation": "24h"}
    for workspace in ("acme", "other"):
        await outside.system.ask("PUT", f"/v1/workspaces/{workspace}", {"webhook": hook})
    lane = lane_of(outside.system)
    chats = Chats(lane.intake.tell_chat)
    monkeypatch.setattr(lane.intake, "tell_chat", chats.told)
    return Taught(outside, await outside.token(), chats, count_taken(outside.system, monkeypatch))


def connections(daemon: Taught) -> list[LaneConnection]:
    """Those of the clients; that of the tests is on the socket."""
    return [
        each
        for each in server_of(daemon.system).connections
        if isinstance(each, LaneConnection) and each._guarded is not None
    ]


def hold_for(daemon: Taught, held_s: float) -> None:
    """The lane of new connections waits so long for the rest of a body."""
    lane = replace(lane_of(daemon.system), held_s=held_s)
    server_of(daemon.system).connection = partial(LaneConnection, lane)


async def turns() -> None:
    """The loop has turned so often that what was written has been received."""
    await asyncio.sleep(0.05)

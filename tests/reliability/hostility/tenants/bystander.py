"""The healthy workspaces: their client, their receiver, and what both have to wait for.

`single` sends each message at once; `window` has windows of a second, each message in a chat of its
own. Both post at a steady rate over connections of their own, and the receiver answers at once. A
message that is late to be sent counts from when it should have been sent.

    python -m hookbundle.tests.reliability.hostility.tenants.bystander
"""

import asyncio
import math
import re
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from hookbundle.tests.reliability.hostility.tenants import name_server, speech
from hookbundle.tests.reliability.hostility.tenants.wire import Address, Line, message, post

WORKSPACES = {"single": "none", "window": "1s"}  # and their windows
WINDOW_S = 1.0
LINES = {"single": (4, 0.1), "window": (2, 0.2)}  # connections, and the pause of each, in seconds
PROBE_S = 0.2
DRAIN_S, SETTLE_S = 5.0, 15.0
ANSWER_S = 60.0  # for the answer to one request
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST_ANSWER = ANSWER.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
CLOSING = b"POST /closing "  # where each delivery needs a connection, and its name looked up, again
MESSAGE_ID = re.compile(rb'"message_id":"([^"]+)"')
DELIVERY_ID = re.compile(rb"(?i)webhook-id: ([^\r]+)")


@dataclass(slots=True)
class Phase:
    """What was seen between `begin` and `end`; times in seconds. `due_s`: when a message should
    reach the receiver, and `at_s`: when it did."""

    due_s: dict[str, float] = field(default_factory=dict)
    at_s: dict[str, float] = field(default_factory=dict)
    intake_s: list[float] = field(default_factory=list)
    health_s: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def missing(self) -> list[str]:
        return [name for name in self.due_s if name not in self.at_s]

    def report(self) -> dict[str, Any]:
        late: dict[str, list[float]] = defaultdict(list)
        for name, due_s in self.due_s.items():
            # What never came is as late as the report.
            late[name.split("-")[0]].append(max(0.0, self.at_s.get(name, time.monotonic()) - due_s))
        if lost := self.missing():
            self.faults["not delivered at all"] += len(lost)
        return {
            "intake": self.intake_s,
            "delivery": late["single"],
            "window": late["window"],
            "health": self.health_s,
            "faults": self.faults,
        }


class Receiver(asyncio.Protocol):
    """Answers each request at once, and notes what came and in which order."""

    transport: asyncio.Transport

    def __init__(self, bystander: "Bystander") -> None:
        self._bystander = bystander
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, found, content = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(content) < length:
                return
            self._received = content[length:]
            delivery_id = DELIVERY_ID.search(head)
            assert delivery_id is not None
            ids = [found.decode() for found in MESSAGE_ID.findall(content[:length])]
            self._bystander.came(delivery_id[1].decode(), ids)
            if CLOSING in head:
                self.transport.write(LAST_ANSWER)
                self.transport.close()
                return
            self.transport.write(ANSWER)


class Bystander:
    def __init__(self) -> None:
        self.phase = Phase()
        self.address: Address = ("", 0)
        self.tokens: dict[str, str] = {}
        self._posting: list[asyncio.Task[None]] = []
        self._seen: Counter[str] = Counter()
        self._latest: dict[str, int] = {}
        self._deliveries: set[str] = set()
        self._number = 0
        self._until_s = math.inf

    def came(self, delivery_id: str, ids: list[str]) -> None:
        now_s, faults = time.monotonic(), self.phase.faults
        if delivery_id in self._deliveries:
            faults["attempted again"] += 1
            return
        self._deliveries.add(delivery_id)
        for name in ids:
            self._seen[name] += 1
            if self._seen[name] > 1:
                faults["delivered twice"] += 1
                continue
            self.phase.at_s[name] = now_s
            chat, _, number = name.rpartition("-")
            # Those of `window` are each in a chat of their own, and have no order.
            if self._latest.get(chat, -1) > int(number) and chat.startswith("single"):
                faults["out of order"] += 1
            self._latest[chat] = int(number)

    def begin(self) -> None:
        self.phase, self._until_s = Phase(), math.inf
        self._posting = [
            asyncio.create_task(self._post_steadily(workspace, number, number / count, pause_s))
            for workspace, (count, pause_s) in LINES.items()
            for number in range(count)
        ]
        self._posting.append(asyncio.create_task(self._probe()))

    async def end(self, within_s: float) -> int:
        """No more posting. Returns how many messages have not been delivered in that time."""
        self._until_s = time.monotonic()
        await asyncio.gather(*self._posting)
        self._posting = []
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.phase.missing():
                    await asyncio.sleep(0.05)
        return len(self.phase.missing())

    async def handful(self, each: int) -> int:
        """So many messages on each connection, one after the other, and all are delivered.

        Returns how many were not, in a time that is long for any machine.
        """
        self.phase = Phase()

        async def post_some(workspace: str, number: int) -> None:
            line: Line | None = None
            for _ in range(each):
                line = await self._posted(line, workspace, number, time.monotonic())

        await asyncio.gather(
            *(
                post_some(workspace, number)
                for workspace, (count, _) in LINES.items()
                for number in range(count)
            )
        )
        return await self.end(ANSWER_S)

    async def _post_steadily(
        self, workspace: str, number: int, begin: float, pause_s: float
    ) -> None:
        """Posts what is due before the end, also if it is sent after it."""
        line: Line | None = None
        due_s = time.monotonic() + pause_s * begin
        while (due_s := due_s + pause_s) < self._until_s:
            while time.monotonic() < min(due_s, self._until_s):
                await asyncio.sleep(min(PROBE_S, due_s - time.monotonic()))
            if due_s < self._until_s:
                line = await self._posted(line, workspace, number, due_s)
        if line is not None:
            line.close()

    async def _posted(
        self, line: Line | None, workspace: str, number: int, due_s: float
    ) -> Line | None:
        """A message is accepted, or a fault is counted. Returns the connection if it is good."""
        phase, self._number = self.phase, self._number + 1
        name = f"{workspace}-{number}-{self._number}"
        chat = name if workspace == "window" else f"{workspace}-{number}"
        data = post(workspace, self.tokens[workspace], message(name, chat))
        try:
            line = line or await Line.open(self.address)
            reply = await line.ask(data, ANSWER_S)
        except (OSError, EOFError):
            phase.faults["connection cut"] += 1
        except TimeoutError:
            phase.faults["no answer"] += 1
        else:
            if reply.status == 202:
                now_s = time.monotonic()
                phase.intake_s.append(now_s - due_s)
                phase.due_s[name] = now_s + WINDOW_S if name.startswith("window") else due_s
                return line
            phase.faults[f"refused with {reply.status}"] += 1
            return line
        if line is not None:
            line.close()
        phase.intake_s.append(time.monotonic() - due_s)
        return None

    async def _probe(self) -> None:
        """Asks whether the daemon is alive and ready, over the control socket."""
        connector = aiohttp.UnixConnector(self.tokens["socket"])
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            while self._until_s == math.inf:
                await asyncio.sleep(PROBE_S)
                began_s = time.monotonic()
                try:
                    async with session.get("http://hookbundle/healthz") as answer:
                        await answer.read()
                    async with session.get("http://hookbundle/readyz") as answer:
                        if answer.status != 200:
                            self.phase.faults["not ready"] += 1
                except (aiohttp.ClientError, TimeoutError):
                    self.phase.faults["no answer to whether it is alive"] += 1
                self.phase.health_s.append((time.monotonic() - began_s) / 2)


async def main() -> None:
    bystander = Bystander()
    server = await asyncio.get_running_loop().create_server(
        lambda: Receiver(bystander), "127.0.0.1", 0
    )
    names = ""
    if name_server.can_be_used():
        names, _ = await name_server.name_server()
    speech.say(port=server.sockets[0].getsockname()[1], names=names)
    async for wanted in speech.commands():
        match wanted:
            case {"do": "meet", "address": [host, port], "tokens": tokens}:
                bystander.address, bystander.tokens = (host, port), tokens
                speech.say(done=True)
            case {"do": "begin"}:
                bystander.begin()
                speech.say(done=True)
            case {"do": "handful", "each": each}:
                speech.say(missing=await bystander.handful(each))
            case {"do": "end"}:
                speech.say(missing=await bystander.end(DRAIN_S))
            case {"do": "report"}:
                await bystander.end(SETTLE_S)
                speech.say(**bystander.phase.report())


if __name__ == "__main__":
    asyncio.run(main())

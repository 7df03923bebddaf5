"""Clients of a cluster: each posts the messages of one chat, one after another, to any node.

What is not answered 202 is sent again as it is, to the next node, as a good client would. The time
between two answers is what its users see; the longest is the gap.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
import msgspec

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event

GIVES_UP_S = 3.0  # on one node
PAUSE_S = 0.02
AGAIN_S = 0.05


class Reached(Protocol):
    """A node as its clients know it."""

    @property
    def socket_path(self) -> Path: ...

    @property
    def is_running(self) -> bool: ...


@dataclass(slots=True)
class Client:
    """`acknowledged`: ids of messages in the order in which they were; `answers`: of all requests,
    by status, 0 if there was none."""

    workspace: str
    acknowledged: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    answers: dict[int, int] = field(default_factory=dict)

    async def run(self, paths: Callable[[], Sequence[Path]], ended: asyncio.Event) -> None:
        number, turn, last_s = 0, hash(self.workspace) % 7, time.monotonic()
        sessions: dict[Path, aiohttp.ClientSession] = {}
        try:
            while not ended.is_set():
                number += 1
                message = event(f"m{number}", f"chat-{self.workspace}")
                while True:
                    there = paths()
                    if not there:
                        await asyncio.sleep(AGAIN_S)
                        continue
                    path = there[turn % len(there)]
                    if path not in sessions:
                        sessions[path] = _session(path)
                    status = await self._posted(sessions[path], message)
                    self.answers[status] = self.answers.get(status, 0) + 1
                    now_s = time.monotonic()
                    self.longest_s = max(self.longest_s, now_s - last_s)
                    if status == 202:
                        last_s = now_s
                        self.acknowledged.append(f"m{number}")
                        break
                    turn += 1
                    await asyncio.sleep(AGAIN_S)
                await asyncio.sleep(PAUSE_S)
        finally:
            for session in sessions.values():
                await session.close()

    async def _posted(self, session: aiohttp.ClientSession, message: object) -> int:
        try:
            async with session.post(
                f"http://hookbundle/v1/workspaces/{self.workspace}/messages",
                data=msgspec.json.encode(message),
            ) as answer:
                return answer.status
        except (OSError, aiohttp.ClientError, TimeoutError):
            return 0


def _session(path: Path) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(path)),
        timeout=aiohttp.ClientTimeout(total=GIVES_UP_S),
    )


@dataclass(slots=True)
class Traffic:
    clients: list[Client]
    ended: asyncio.Event

    @property
    def acknowledged(self) -> int:
        return sum(len(client.acknowledged) for client in self.clients)

    @property
    def gap_s(self) -> float:
        """The longest that any client waited from one answer to the next."""
        return max(client.longest_s for client in self.clients)

    def begin_gaps(self) -> None:
        for client in self.clients:
            client.longest_s = 0.0

    async def more(self, count: int) -> None:
        """Each client has so many answers more. Raises: TimeoutError."""
        wanted = {id(each): len(each.acknowledged) + count for each in self.clients}
        async with asyncio.timeout(120):
            while any(len(each.acknowledged) < wanted[id(each)] for each in self.clients):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def traffic(
    nodes: Sequence[Reached], receiver: HookReceiver, workspaces: int
) -> AsyncIterator[Traffic]:
    """Each workspace has a client that posts until the end; every second one collects."""
    names = [f"ws{number}" for number in range(workspaces)]
    async with connected(nodes[0].socket_path) as session:
        for number, name in enumerate(names):
            aggregation = "1s" if number % 2 else "none"
            await Api(session).make(name, receiver, name, aggregation=aggregation)
    made = Traffic([Client(name) for name in names], asyncio.Event())

    def paths() -> list[Path]:
        """A load balancer knows which nodes answer; a frozen one answers nothing, and is asked."""
        return [node.socket_path for node in nodes if node.is_running]

    tasks = [asyncio.create_task(client.run(paths, made.ended)) for client in made.clients]
    try:
        yield made
        made.ended.set()
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""What a scenario has: tenants it may misuse, connections, counts of what it was answered."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from hookbundle.tests.receivers import Receiver, Script, receiving
from hookbundle.tests.reliability.hostility.tenants.wire import (
    Address,
    Line,
    Reply,
    array,
    message,
    path_of,
    post,
    request,
)

NO_SETTINGS: Mapping[str, str] = {}
AT_ONCE = 1_000  # messages a request, when a tenant is filled
OPERATOR_S = 120.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace with a token for its intake and one for the rest."""

    name: str
    intake: str
    admin: str

    def ask(self, method: str, what: str, document: object = None) -> bytes:
        """The bytes of a request of the owner."""
        body = b"" if document is None else json.dumps(document).encode()
        return request(method, path_of(self.name, what), body, self.admin)

    def post(self, body: bytes, **headers: str) -> bytes:
        return post(self.name, self.intake, body, **headers)


async def asked(
    operator: aiohttp.ClientSession, method: str, path: str, document: object = None
) -> Any:
    """What the operator's request is answered. Raises: AssertionError if it is refused."""
    url = f"http://hookbundle{path}"
    async with operator.request(method, url, json=document) as answer:
        text = await answer.text()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None


@dataclass(slots=True)
class Town:
    """`scale`: 1.0 for the sizes of the scenarios, less for a short form of them."""

    address: Address
    operator: aiohttp.ClientSession
    peers: AsyncExitStack
    scale: float = 1.0
    answers: Counter[str] = field(default_factory=Counter)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: Iterator[int] = field(default_factory=count)

    def sized(self, number: int) -> int:
        return max(1, int(number * self.scale))

    async def ask(self, method: str, path: str, document: object = None) -> Any:
        return await asked(self.operator, method, path, document)

    async def tenant(
        self, name: str, url: str = "http://127.0.0.1:8099/hook", **hook: Any
    ) -> Tenant:
        settings = {"url": url, "aggregation": "24h", **hook}
        enabled = settings.pop("enabled", True)
        owner = {"name": name, "owner_email": f"owner@{name}.example", "webhook": settings}
        await self.ask("PUT", path_of(name), owner)
        if not enabled:
            await self.ask("POST", path_of(name, "/webhook/disable"))
        tokens = [
            (await self.ask("POST", "/v1/tokens", {"scope": scope, "workspace": name}))["token"]
            for scope in ("intake", "admin")
        ]
        return Tenant(name, *tokens)

    async def workspaces(
        self, names: Iterable[str], url: Callable[[str], str], **hook: Any
    ) -> None:
        """Many that nobody has tokens of; the operator posts for them."""
        for name in names:
            settings = {"url": url(name), "aggregation": "none", **hook}
            owner = {"name": name, "owner_email": f"owner@{name}.example", "webhook": settings}
            await self.ask("PUT", path_of(name), owner)

    async def deliver_for(self, names: Iterable[str], each: int = 1) -> None:
        for name in names:
            batch = [self.fresh(f"chat{turn}") for turn in range(each)]
            async with self.operator.post(
                f"http://hookbundle{path_of(name, '/messages')}", data=array(batch)
            ) as answer:
                self.answers[str(answer.status)] += 1

    def fresh(self, chat: str, text: str = "What about Thursday?") -> bytes:
        """A message with an id of its own."""
        return message(f"h{next(self.numbers)}", chat, text)

    async def fill(self, tenant: Tenant, number: int, chats: int, text: str = "x" * 40) -> None:
        """So many messages in so many chats. Raises: AssertionError if one is refused."""
        line = await Line.open(self.address)
        for first in range(0, number, AT_ONCE):
            each = range(first, min(first + AT_ONCE, number))
            batch = array([self.fresh(f"c{one % chats}", text) for one in each])
            reply = await line.ask(tenant.post(batch))
            assert reply.status == 202, reply
        line.close()

    async def until(self, workspace: str, seen: Callable[[Any], bool]) -> None:
        while not seen(await self.ask("GET", path_of(workspace))):
            await asyncio.sleep(0.2)

    async def receiver(self, script: Script) -> Receiver:
        """One that misbehaves, for as long as the scenario lasts."""
        return await self.peers.enter_async_context(receiving(script))

    def heard(self, reply: Reply) -> Reply:
        self.answers[str(reply.status)] += 1
        self.begun.set()
        return reply

    async def once(self, data: bytes) -> Reply | None:
        """The answer to a request on a connection of its own; None if it is cut."""
        with suppress(OSError, EOFError, ValueError, TimeoutError):
            line = await Line.open(self.address)
            try:
                return self.heard(await line.ask(data))
            finally:
                line.close()
        self.answers["cut"] += 1
        self.begun.set()
        return None

    async def flood(self, workers: int, make: Callable[[], bytes], pause_s: float = 0.0) -> None:
        """Requests without end, of so many connections at once; each waits for its answer."""
        await asyncio.gather(*(self._ask_on(make, pause_s) for _ in range(workers)))

    async def _ask_on(self, make: Callable[[], bytes], pause_s: float) -> None:
        line: Line | None = None
        while True:
            try:
                line = line or await Line.open(self.address)
                reply = self.heard(await line.ask(make()))
                if "connection: close" in reply.head.lower():
                    line.close()
                    line = None
            except (OSError, EOFError, ValueError, TimeoutError):
                self.answers["cut"] += 1
                self.begun.set()
                if line is not None:
                    line.close()
                line = None
                await asyncio.sleep(0.05)
            await asyncio.sleep(pause_s)

    async def hold(self, number: int, data: bytes, make: Callable[[Line], Awaitable[None]]) -> None:
        """So many connections that have sent this and are kept; each cut one is replaced."""

        async def keep() -> None:
            while True:
                with suppress(OSError, EOFError):
                    line = await Line.open(self.address)
                    try:
                        await line.send(data)
                        self.answers["held"] += 1
                        await make(line)
                    finally:
                        line.close()
                self.answers["cut"] += 1
                await asyncio.sleep(1.0)

        tasks = [asyncio.create_task(keep()) for _ in range(number)]
        try:
            await asyncio.sleep(0.2)
            self.begun.set()
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()


async def until_closed(line: Line) -> None:
    while await line.reader.read(2**16):
        pass


class Scenario:
    """Hostile work beside the healthy workspaces.

    `settings`: of the daemon. `grown_mib_max`: by how much its memory may grow. `never`: how no
    answer may begin, to the hostile or to who came with them. `format`: of the healthy webhooks.
    `open` starts what the settings need, `prepare` what the work needs; both are not measured.
    `attack` works until it is done or cancelled.
    """

    name: str
    settings: Mapping[str, str] = NO_SETTINGS
    grown_mib_max: int = 200
    needs_names: bool = False
    never: tuple[str, ...] = ("500",)
    format: Mapping[str, object] | None = None

    async def open(self, peers: AsyncExitStack) -> Mapping[str, str]:
        return {}

    async def prepare(self, town: Town) -> None:
        pass

    async def attack(self, town: Town) -> None:
        raise NotImplementedError


@asynccontextmanager
async def town_at(
    address: Address, socket: str, peers: AsyncExitStack, scale: float
) -> AsyncIterator[Town]:
    connector = aiohttp.UnixConnector(socket)
    timeout = aiohttp.ClientTimeout(total=OPERATOR_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as operator:
        yield Town(address, operator, peers, scale)

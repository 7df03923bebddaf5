"""A whole daemon inside the test's loop: real database, real sockets, a clock that can be moved.

    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))
        system.clock.move(HOUR_MS)
        (post,) = await receiver.until(1)

Nothing is waited for by the clock on the wall: requests are waited for at the receiver, and what
the daemon has done is waited for in its event feed, where every fact stands once it is on disk.
"""

import asyncio
import io
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from hookbundle.actors.store import StoreConfig
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.contract import Contract, contract_of
from hookbundle.tests.hook_receiver import TIMEOUT_S, HookReceiver
from hookbundle.tests.shared_work.turning import turning_until

LOOPBACK = AddressPolicy.parse(["127.0.0.0/8"])
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
LINE_BYTES_MAX = 16 * 1024 * 1024
PLAIN_BYTES_MAX = 2**20  # from here on aiohttp warns about plain bytes


def receiving() -> HookReceiver:
    return HookReceiver()


async def until(condition: Callable[[], bool]) -> None:
    """The condition is true; the loop went on turning meanwhile."""
    async with asyncio.timeout(TIMEOUT_S):
        await turning_until(condition)


def event(message_id: str, chat_id: str = "10010001", **message: Any) -> dict[str, Any]:
    """A message as it comes in, in the shape of the seed's example."""
    return {
        "whatsapp_account": {
            "full_name": "Amnon Haha",
            "email": "amnon@acme.example",
            "phone": "+972500000000",
        },
        "chat": {
            "full_name": "John Doe",
            "responsible_name": "Amnon",
            "responsible_email": "amnon@acme.example",
            "chat_url": f"https://app.example/chat/{chat_id}/messages/",
            "chat_id": chat_id,
            "is_new_chat": False,
            "is_group": False,
            "phone": "+97254000000",
        },
        "message": {
            "direction": "received",
            "timestamp": "2021-02-24T16:25:29+0000",
            "message_id": message_id,
            "sender": {"full_name": "John Doe", "phone": "+972540000000"},
            "recipient": {"full_name": "Jane Smith", "phone": "+972550000000"},
            "text": f"text of {message_id}",
            **message,
        },
    }


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """Of a problem document; empty of all else."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return str(self.document["code"]) if is_problem else ""


@dataclass(slots=True)
class Facts:
    """The event feed from where it was asked for, read as far as somebody has waited for."""

    reader: asyncio.StreamReader
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, kind: str, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
        """The first `count` facts of the kind; `wanted` may name fields of them or their data.

        The time limit is that of one: many may take longer, as long as they come.
        """
        found, now_s = self.known(kind, **wanted), asyncio.get_running_loop().time
        async with asyncio.timeout(TIMEOUT_S) as limit:
            while len(found) < count:
                line = await self.reader.readline()
                assert line, f"the feed has ended before {count} of {kind} {wanted}"
                frame = msgspec.json.decode(line)
                if "seq" in frame:
                    self.seen.append(frame)
                    if _is_wanted(frame, kind, wanted):
                        found.append(frame)
                        limit.reschedule(now_s() + TIMEOUT_S)
        return found[:count]

    def known(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """Those of the kind that have been read."""
        return [fact for fact in self.seen if _is_wanted(fact, kind, wanted)]


def _is_wanted(fact: dict[str, Any], kind: str, wanted: dict[str, Any]) -> bool:
    return fact["type"] == kind and {**fact["data"], **fact}.items() >= wanted.items()


@asynccontextmanager
async def facts_of(socket_path: Path, since: str = "oldest") -> AsyncIterator[Facts]:
    """`since` now: without what is in the feed already."""
    path = str(socket_path.with_name("feed.sock"))
    reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES_MAX)
    writer.write(b'{"hello":1,"format":"ndjson","since":"%s"}\n' % since.encode())
    try:
        if since == "now":
            await reader.readline()  # its hello: whatever comes is read from here on
        yield Facts(reader)
    finally:
        writer.transport.abort()


@dataclass(slots=True)
class Api:
    """The HTTP API over the control socket, in the words of the tests."""

    session: aiohttp.ClientSession
    contract: Contract = field(default=Contract(()), kw_only=True)

    async def ask(self, method: str, path: str, document: object = None, **options: Any) -> Answer:
        """`document` is sent as JSON; `data` in the options is sent as it is."""
        if document is not None:
            options["data"] = msgspec.json.encode(document)
        if len(options.get("data", b"")) > PLAIN_BYTES_MAX:
            options["data"] = io.BytesIO(options["data"])
        async with self.session.request(method, f"http://hookbundle{path}", **options) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            found = Answer(answer.status, headers, await answer.read())
            self.contract.check(method, path, found.status, found.code)
            return found

    async def get(self, path: str) -> Any:
        answer = await self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.document

    async def make(self, ws: str, receiver: HookReceiver, path: str = "hook", **hook: Any) -> str:
        """The secret of a new workspace that sends to the receiver, which trusts it."""
        settings = {"url": receiver.url(path), "aggregation": "none", **hook}
        made = await self.ask(
            "PUT",
            f"/v1/workspaces/{ws}",
            {"name": ws.title(), "owner_email": f"owner@{ws}.example", "webhook": settings},
        )
        assert made.status == 201, made
        secret: str = made.document["secret"]
        receiver.trust(secret, path)
        return secret

    async def accept(self, ws: str, *events: dict[str, Any]) -> Any:
        answer = await self.ask("POST", f"/v1/workspaces/{ws}/messages", list(events))
        assert answer.status == 202, answer
        return answer.document

    async def show(self, ws: str = "acme") -> Any:
        return await self.get(f"/v1/workspaces/{ws}")

    async def hook(self, ws: str = "acme") -> Any:
        return (await self.show(ws))["webhook"]

    async def switch(self, ws: str, what: str, document: object = None) -> Any:
        answer = await self.ask("POST", f"/v1/workspaces/{ws}/webhook/{what}", document)
        assert answer.status == 200, answer
        return answer.document


@dataclass(slots=True)
class System(Api):
    daemon: Daemon
    clock: MovableClock
    facts: Facts


def config_of(folder: Path, **changes: Any) -> DaemonConfig:
    """A daemon's configuration for tests: loopback may be called, and the disk is never full."""
    given = {
        "data": folder / "data",
        "listeners": ListenersConfig(folder / "run" / "control.sock"),
        "store": StoreConfig(floor_bytes=0, reserve_bytes=64 * 1024),
        "addresses": LOOPBACK,
        "product_name": "TimelinesAI",
        "stop_within_s": 5.0,
    }
    return DaemonConfig(**{**given, **changes})


@asynccontextmanager
async def connected(socket_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(str(socket_path))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield session


@asynccontextmanager
async def daemon_in(
    folder: Path, clock: MovableClock | None = None, **changes: Any
) -> AsyncIterator[System]:
    """A daemon on the folder, started and at the end stopped; `changes` are of its config."""
    config = config_of(folder, **changes)
    clock = clock or MovableClock()
    async with AsyncExitStack() as closing:
        daemon = Daemon(config, clock, random.Random(11))
        await daemon.start()
        closing.push_async_callback(daemon.stop)
        facts = await closing.enter_async_context(facts_of(config.listeners.socket_path))
        session = await closing.enter_async_context(connected(config.listeners.socket_path))
        yield System(session, daemon, clock, facts, contract=await contract_of(daemon.listeners))

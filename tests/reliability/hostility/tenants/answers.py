"""Answers that are large, taken slowly, or never end."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlencode

from hookbundle.tests.reliability.hostility.tenants.bodies import OneTenant
from hookbundle.tests.reliability.hostility.tenants.outbound import takes
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Tenant, Town
from hookbundle.tests.reliability.hostility.tenants.wire import Address, Line, array, request

COOKIE = re.compile(r"(?i)set-cookie: ([^;\r]+)")
FORM_TOKEN = re.compile(rb'name="form_token" value="([^"]+)"')
LOGGED = 100
PIECE_BYTES = 32 * 1024
PIECE_S = 0.1
NARROW = 4_096  # what a connection that is read slowly buffers itself


async def signed_in(address: Address, token: str) -> str:
    """The cookies of a session of the console. Raises: AssertionError if it is refused."""
    line = await Line.open(address)
    try:
        form = await line.ask(request("GET", "/console/sign-in"))
        cookie = "; ".join(COOKIE.findall(form.head))
        found = FORM_TOKEN.search(form.body)
        assert found is not None, form
        body = urlencode({"form_token": found[1].decode(), "token": token}).encode()
        kind = "application/x-www-form-urlencoded"
        data = request("POST", "/console/sign-in", body, "", Cookie=cookie, Content_Type=kind)
        reply = await line.ask(data)
        assert reply.status == 303, reply
        return "; ".join([cookie, *COOKIE.findall(reply.head)])
    finally:
        line.close()


async def read_slowly(line: Line) -> None:
    while await line.reader.read(PIECE_BYTES):
        await asyncio.sleep(PIECE_S)


class SlowLogs(OneTenant):
    name = "10 slow downloads of a detailed log of 80 MB"
    readers = 10

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(takes)
        self.tenant = await town.tenant("hostile", receiver.url)
        line = await Line.open(town.address)
        for chat in range(town.sized(LOGGED)):
            batch = [town.fresh(f"c{chat}", "x" * 65_000) for _ in range(6)]
            reply = await line.ask(self.tenant.post(array(batch)))
            assert reply.status == 202, reply
        line.close()
        await town.ask("POST", "/v1/workspaces/hostile/chats/flush")
        await town.until("hostile", lambda shown: not shown["counts"]["queued"])

    async def attack(self, town: Town) -> None:
        ask = self.tenant.ask("GET", "/log")
        await asyncio.gather(*(self._download(town, ask) for _ in range(self.readers)))

    async def _download(self, town: Town, ask: bytes) -> None:
        while True:
            line = await Line.open(town.address, limit=NARROW)
            try:
                await line.send(ask)
                head = await line.reader.readuntil(b"\r\n\r\n")
                town.answers[head[9:12].decode()] += 1
                town.begun.set()
                if head[9:12] == b"200":
                    with suppress(OSError):
                        await read_slowly(line)
            except (OSError, EOFError):
                town.answers["cut"] += 1
            finally:
                line.close()
            await asyncio.sleep(PIECE_S)


class QuickLogs(SlowLogs):
    """As fast as they come, and hung up on in the middle."""

    name = "downloads of a detailed log, hung up on, without end"

    async def _download(self, town: Town, ask: bytes) -> None:
        while True:
            line = await Line.open(town.address, limit=NARROW)
            with suppress(OSError, EOFError):
                await line.send(ask)
                head = await line.reader.readuntil(b"\r\n\r\n")
                town.answers[head[9:12].decode()] += 1
            line.close()
            town.begun.set()
            await asyncio.sleep(PIECE_S)


class LargeListings(OneTenant):
    name = "listings of 1,000 entries in a loop, on eight connections"

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile", aggregation="none", enabled=False)
        await town.fill(self.tenant, town.sized(20_000), 2_000)

    async def attack(self, town: Town) -> None:
        ask = self.tenant.ask("GET", "/deliveries?limit=1000")
        await town.flood(8, lambda: ask)


class LiveStreams(OneTenant):
    """`witness`: another owner opens a page that listens."""

    name = "all live streams taken by one session"
    never = ("500", "other owner: 4", "other owner: 5")
    other: Tenant

    async def make(self, town: Town) -> None:
        self.other = await town.tenant("other")

    async def attack(self, town: Town) -> None:
        cookie = await signed_in(town.address, self.tenant.admin)
        ask = request("GET", "/console/w/hostile/news", Cookie=cookie)
        held = asyncio.create_task(town.hold(100, ask, heard_for_ever(town)))
        try:
            await town.begun.wait()
            await asyncio.sleep(1)
            await self._witness(town)
            await held
        finally:
            held.cancel()

    async def _witness(self, town: Town) -> None:
        cookie = await signed_in(town.address, self.other.admin)
        while True:
            line = await Line.open(town.address)
            await line.send(request("GET", "/console/w/other/news", Cookie=cookie))
            head = await line.reader.readuntil(b"\r\n\r\n")
            line.close()
            town.answers[f"other owner: {head[9:12].decode()}"] += 1
            await asyncio.sleep(1)


def heard_for_ever(town: Town) -> Callable[[Line], Awaitable[None]]:
    async def hear(line: Line) -> None:
        head = await line.reader.readuntil(b"\r\n\r\n")
        town.answers[head[9:12].decode()] += 1
        while await line.reader.read(PIECE_BYTES):
            pass

    return hear


SCENARIOS: tuple[type[Scenario], ...] = (SlowLogs, QuickLogs, LargeListings, LiveStreams)

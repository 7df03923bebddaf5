"""Callers whom nobody knows: forms, tokens that are wrong, odd requests, connections."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from urllib.parse import urlencode

from hookbundle.tests.reliability.hostility.tenants.answers import (
    COOKIE,
    FORM_TOKEN,
    read_slowly,
    signed_in,
)
from hookbundle.tests.reliability.hostility.tenants.bodies import OneTenant, Repeated
from hookbundle.tests.reliability.hostility.tenants.outbound import takes
from hookbundle.tests.reliability.hostility.tenants.town import Scenario, Town, until_closed
from hookbundle.tests.reliability.hostility.tenants.wire import Line, request

FORM = "application/x-www-form-urlencoded"
SIGN_IN = "/console/sign-in"
NON_ASCII = "\udcff\udcfe"
LONG = "9" * 5_000


class Punycode(Scenario):
    """Few bytes whose decoding takes the square of their number, in an encoding that the client
    chooses."""

    name = "sign-in forms of 480 KB in a charset whose decoding is slow"

    async def attack(self, town: Town) -> None:
        body = b"a" * 480_000
        kind = f"{FORM}; charset=punycode"
        whole = request("POST", SIGN_IN, body, Content_Type=kind, Transfer_Encoding="chunked")
        head, _, _ = whole.partition(b"\r\n\r\n")
        chunked = head + b"\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        town.begun.set()
        await town.flood(2, lambda: chunked, 0.5)


class HalfForms(Scenario):
    name = "1,000 half-sent forms"

    async def attack(self, town: Town) -> None:
        data = request("POST", SIGN_IN, b"form_token=abc", Content_Type=FORM)[:-1]
        await town.hold(town.sized(1_000), data, until_closed)


class HalfHeads(Scenario):
    name = "1,000 half-sent heads"

    async def attack(self, town: Town) -> None:
        data = request("GET", SIGN_IN)[:-2]
        await town.hold(town.sized(1_000), data, until_closed)


class IdleWithToken(OneTenant):
    name = "1,000 connections of a tenant with a good token"

    async def attack(self, town: Town) -> None:
        data = self.tenant.ask("GET", "")
        await town.hold(town.sized(1_000), data, until_closed)


class BusyWithToken(OneTenant):
    """A body that is never sent, so that the connection isn't idle."""

    name = "1,000 half-sent messages of a tenant with a good token"

    async def attack(self, town: Town) -> None:
        data = self.tenant.post(town.fresh("c"))[:-1]
        await town.hold(town.sized(1_000), data, until_closed)


class HalfInTheLane(OneTenant):
    """The same on connections on which two whole ones were sent, of which the lane had one."""

    name = "100 half-sent messages of a tenant with a good token, on connections in use"

    async def attack(self, town: Town) -> None:
        async def half_send(line: Line) -> None:
            town.heard(await line.hear())
            town.heard(await line.ask(self.tenant.post(town.fresh("c"))))
            await line.send(self.tenant.post(town.fresh("c"))[:-1])
            await until_closed(line)

        await town.hold(town.sized(100), self.tenant.post(town.fresh("c")), half_send)


class WrongTokens(OneTenant):
    """From the address from which an owner signs in meanwhile."""

    name = "wrong tokens by the thousand, while an owner signs in from the same address"
    never = ("500", "owner: refused")

    async def attack(self, town: Town) -> None:
        line = await Line.open(town.address)
        form = await line.ask(request("GET", SIGN_IN))
        line.close()
        cookie = "; ".join(COOKIE.findall(form.head))
        found = FORM_TOKEN.search(form.body)
        assert found is not None
        fields = {"form_token": found[1].decode(), "token": "hbt_wrong"}
        guess = request(
            "POST", SIGN_IN, urlencode(fields).encode(), Cookie=cookie, Content_Type=FORM
        )
        await asyncio.gather(town.flood(4, lambda: guess, 0.01), self._witness(town))

    async def _witness(self, town: Town) -> None:
        await asyncio.sleep(1)
        while True:
            try:
                await signed_in(town.address, self.tenant.admin)
                town.answers["owner: signed in"] += 1
            except AssertionError:
                town.answers["owner: refused"] += 1
            await asyncio.sleep(1)


class WrongBearers(Scenario):
    name = "API requests with wrong tokens, on eight connections"

    async def attack(self, town: Town) -> None:
        wrong = request("GET", "/v1/workspaces/single", b"", "hbt_wrong")
        await town.flood(8, lambda: wrong)


class OddRequests(Repeated):
    """None of them is our fault, so none may be answered with a 5xx."""

    name = "odd requests: bytes that are no text, numbers of 5,000 digits, unknown words"
    never = ("5",)
    workers = 4

    async def make(self, town: Town) -> None:
        admin = self.tenant.admin
        one = "/v1/workspaces/hostile"
        self.requests = cycle(
            (
                request("GET", one, b"", NON_ASCII),
                request("GET", "/console/", Cookie=f"hookbundle_session={NON_ASCII}"),
                request("GET", "/console/", Cookie=f"hookbundle_visitor={NON_ASCII}"),
                request("POST", SIGN_IN, b"a=b", Content_Type=f"{FORM}; charset=klingon"),
                request("POST", SIGN_IN, b"a=%ff", Content_Type=FORM),
                request("GET", f"{one}/deliveries?state=queued&limit={LONG}", b"", admin),
                request("GET", f"{one}/deliveries?state=queued&cursor={LONG}", b"", admin),
                request("PATCH", one, b"{}", admin, If_Match=LONG),
                request("PATCH", one, b"{}", admin, If_Match=NON_ASCII),
                request("GET", f"/console/w/hostile/requests/{LONG}"),
                request("POST", f"{one}/messages", b"\xff\xfe", self.tenant.intake),
                request("GET", f"{one}/log?format={NON_ASCII}", b"", admin),
                request("GET", "/console/language/" + NON_ASCII),
                request("GET", SIGN_IN, Accept_Language=f"en;q={LONG}"),
                request("GET", SIGN_IN + "?next=" + NON_ASCII),
                request("GET", "/", Host=NON_ASCII),
            )
        )


class TestRequestFlood(OneTenant):
    __test__ = False
    name = "test requests by the hundred"

    async def prepare(self, town: Town) -> None:
        receiver = await town.receiver(takes)
        self.tenant = await town.tenant("hostile", receiver.url)

    async def attack(self, town: Town) -> None:
        ask = self.tenant.ask("POST", "/webhook/test")
        await town.flood(16, lambda: ask)


class Pipelined(Scenario):
    """A client that does not read its answers has to wait for more of them."""

    name = "10,000 requests in one piece on each of eight connections, answers not read"

    async def attack(self, town: Town) -> None:
        data = request("GET", "/console/static/base.css") * town.sized(10_000)

        async def unread(line: Line) -> None:
            await asyncio.sleep(60)

        await town.hold(8, data, unread)


class SlowReaders(Scenario):
    name = "200 slow readers of files of the console"

    async def attack(self, town: Town) -> None:
        ask = request("GET", "/console/static/htmx.min.js")
        await town.hold(town.sized(200), ask * 20, read_slowly)


class Connections(Scenario):
    name = "connections opened and dropped, as fast as four tasks can"

    async def attack(self, town: Town) -> None:
        async def knock() -> None:
            while True:
                with suppress(OSError):
                    line = await Line.open(town.address)
                    await line.send(b"GET / HTTP/1.1\r\n")
                    line.close()
                    town.answers["dropped"] += 1
                town.begun.set()
                await asyncio.sleep(0)

        await asyncio.gather(*(knock() for _ in range(4)))


class Heads(Scenario):
    name = "heads of 7 KiB with 100 cookies, on eight connections"
    asks: Iterator[bytes]

    async def attack(self, town: Town) -> None:
        cookies = "; ".join(f"name{one}={'x' * 50}" for one in range(100))
        data = request("GET", SIGN_IN, Cookie=cookies, Accept_Language="en,ar;q=0.5," * 50 + "de")
        await town.flood(8, lambda: data)


class OnlyBusy(Scenario):
    """What the disturbance of the processors alone does: a client that works against nothing."""

    name = "nothing: a client that keeps a processor busy"

    async def attack(self, town: Town) -> None:
        town.begun.set()
        while True:
            sum(range(20_000))
            await asyncio.sleep(0)


SCENARIOS: tuple[type[Scenario], ...] = (
    OnlyBusy,
    Punycode,
    HalfForms,
    HalfHeads,
    IdleWithToken,
    BusyWithToken,
    HalfInTheLane,
    WrongTokens,
    WrongBearers,
    OddRequests,
    TestRequestFlood,
    Pipelined,
    SlowReaders,
    Connections,
    Heads,
)

"""A real name server on loopback, UDP and TCP on one port, which answers each name as it is told.

    async with NameServer() as names:
        names["good.example"] = Answer(("127.0.0.1",))
        names["*.hangs.example"] = HANGS

A name that was not told is answered with NXDOMAIN, `*.x` stands for all names below `x`.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, cast

from hookbundle.tests.hook_receiver import TIMEOUT_S

A, CNAME, SOA, AAAA = 1, 5, 6, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
RESPONSE, TRUNCATED = 0x8180, 0x0200  # QR, RD, RA; TC
HEAD = struct.Struct("!HHHHHH")
LENGTH = struct.Struct("!H")
TTL_S = 300
BURST_BYTES = 8 * 1024 * 1024  # hundreds of questions at once, while the test has the loop
SOA_RECORD = b"\x00\x00" + struct.pack("!5I", 1, TTL_S, TTL_S, TTL_S, TTL_S)


@dataclass(frozen=True, slots=True)
class Answer:
    """`hangs`: what is not answered, of `A`, `AAAA` and `tcp`. `alias`: the name is an alias of it.

    `after`: answered only once it is set. `raw`: these bytes instead of an answer. `truncated`: an
    answer by UDP is cut, so that the asker has to come by TCP.
    """

    addresses: tuple[str, ...] = ()
    rcode: int = NOERROR
    alias: str = ""
    hangs: frozenset[object] = frozenset()
    after: asyncio.Event | None = None
    raw: bytes | None = None
    truncated: bool = False


HANGS = Answer(hangs=frozenset({A, AAAA}))


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    kind: int
    transport: str


@dataclass(slots=True)
class NameServer:
    told: dict[str, Answer] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)
    port: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _closing: list[asyncio.Server | asyncio.DatagramTransport] = field(default_factory=list)

    def __setitem__(self, name: str, answer: Answer) -> None:
        self.told[name] = answer

    async def __aenter__(self) -> Self:
        server = await asyncio.start_server(self._serve_tcp, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BURST_BYTES)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", self.port))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self), sock=sock
        )
        self._closing += [server, transport]
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._closing:
            one.close()
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def servers(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self.port}",)

    async def until_asked(self, count: int, suffix: str = "") -> None:
        """So many different names that end so have been asked for."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            await self._news.wait_for(lambda: len(self.names(suffix)) >= count)

    def names(self, suffix: str = "") -> set[str]:
        return {question.name for question in self.asked if question.name.endswith(suffix)}

    async def answer(self, query: bytes, transport: str) -> bytes | None:
        """None: no answer."""
        name, kind, end = _question(query)
        async with self._news:
            self.asked.append(Question(name, kind, transport))
            self._news.notify_all()
        told = self._told(name)
        if told.after is not None:
            await told.after.wait()
        if kind in told.hangs or transport in told.hangs:
            return None
        if told.raw is not None:
            return told.raw
        if told.truncated and transport == "udp":
            return _packed(query, end, NOERROR, (), flags=TRUNCATED)
        return _packed(query, end, told.rcode, self._records(name, kind))

    def keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _told(self, name: str) -> Answer:
        wild = "*." + name.partition(".")[2]
        return self.told.get(name) or self.told.get(wild) or Answer(rcode=NXDOMAIN)

    def _records(self, name: str, kind: int) -> list[bytes]:
        """The name's aliases, as far as they go without coming back, and its addresses."""
        records: list[bytes] = []
        passed: set[str] = set()
        while name not in passed and (alias := self._told(name).alias):
            passed.add(name)
            records.append(_record(name, CNAME, _written(alias)))
            name = alias
        for text in self._told(name).addresses:
            address = ipaddress.ip_address(text)
            if kind == (A if address.version == 4 else AAAA):
                records.append(_record(name, kind, address.packed))
        return records

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.keep(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                (length,) = LENGTH.unpack(await reader.readexactly(2))
                answer = await self.answer(await reader.readexactly(length), "tcp")
                if answer is not None:
                    writer.write(LENGTH.pack(len(answer)) + answer)
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.keep(asyncio.ensure_future(self._reply(data, addr)))

    async def _reply(self, query: bytes, addr: tuple[str, int]) -> None:
        answer = await self._server.answer(query, "udp")
        if answer is not None:
            self._transport.sendto(answer, addr)


def _question(query: bytes) -> tuple[str, int, int]:
    """Name and type that are asked for, and where the question ends."""
    labels, at = [], HEAD.size
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    (kind,) = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels).lower(), kind, at + 5


def _packed(query: bytes, end: int, rcode: int, records: Sequence[bytes], flags: int = 0) -> bytes:
    soa = () if records or flags else (_record("", SOA, SOA_RECORD),)
    head = HEAD.pack(
        HEAD.unpack_from(query)[0], RESPONSE | flags | rcode, 1, len(records), len(soa), 0
    )
    return b"".join((head, query[HEAD.size : end], *records, *soa))


def _record(name: str, kind: int, content: bytes) -> bytes:
    return _written(name) + struct.pack("!HHIH", kind, 1, TTL_S, len(content)) + content


def _written(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"

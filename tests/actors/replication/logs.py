"""A log whose servers do what a test says: in memory and virtual time, or real ones."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar
from zlib import crc32

from hookbundle.actors.replication.log import (
    Acked,
    Answer,
    Entries,
    Life,
    Log,
    RawLog,
    Taken,
    Unknown,
)
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import (
    Claim,
    Entry,
    Generation,
    Header,
    Kind,
    entry_of,
    headers_of,
    pack,
)
from hookbundle.tests.reliability.simulation.virtual_time import SimulatedLoop

T = TypeVar("T")
Written = tuple[Header, bytes]

GENERATION = Generation(1, 0)
ENTRY_BYTES_MAX = 60  # so that what a test appends comes in parts
WITHIN_S = 1_000.0


class Stored(Protocol):
    """Where the entries of a scripted log stand."""

    entry_bytes_max: int

    async def store(self, headers: dict[str, str], body: bytes) -> int:
        """Stored whatever it expects; its number."""

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        """As `RawLog`."""

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        """As `RawLog`."""


class InMemory:
    """Entries in a list, of servers that check what is expected."""

    def __init__(self) -> None:
        self.entry_bytes_max = ENTRY_BYTES_MAX
        self.entries: list[Entry] = []

    async def store(self, headers: dict[str, str], body: bytes) -> int:
        self.entries.append(entry_of(len(self.entries) + 1, headers, body))
        return len(self.entries)

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        if int(headers["Hb-Prev"]) != len(self.entries):
            return Taken()
        return Acked(await self.store(headers, body))

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        return part_of(self.entries, after, most)


def part_of(entries: list[Entry], after: int, most: int) -> Entries:
    """What a server answers that has these."""
    return Entries(entries[after : after + most], max(len(entries) - after - most, 0))


class ScriptedLog(RawLog):
    """`script` has what is done with the next publications; all others are stored and acked.

    lost     not stored, no answer                refused   not stored, and refused
    unacked  stored, no answer                    void      stored behind something foreign
    taken    refused, because `other` stands there

    `hidden`: so many times a reader finds nothing.
    """

    def __init__(self, stored: Stored, *script: str) -> None:
        self.stored = stored
        self.entry_bytes_max = stored.entry_bytes_max
        self.script = deque(script)
        self.published: list[str] = []
        self.other: deque[Written] = deque()
        self.hidden = 0
        self.ack_as: int | None = None

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        self.published.append(headers["Hb-Id"] + "/" + headers.get("Hb-Part", ""))
        match self.script.popleft() if self.script else "":
            case "lost":
                return Unknown()
            case "refused":
                return Taken()
            case "taken":
                await self.store(*self.other.popleft())
            case "void":
                await self.stored.store({}, b"?")
                return Acked(await self.stored.store(headers, body))
            case "unacked":
                await self.stored.store(headers, body)
                return Unknown()
        if self.ack_as is not None:
            return Acked(self.ack_as)
        return await self.stored.publish(generation, headers, body)

    async def store(self, header: Header, body: bytes) -> None:
        await self.stored.store(headers_of(header), body)

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        if self.hidden:
            self.hidden -= 1
            return Entries()
        return await self.stored.read(generation, after, most)

    async def all(self) -> list[Entry]:
        return await self.stored.read(GENERATION, 0, 1_000)

    async def last(self, generation: Generation) -> int | None:
        raise NotImplementedError

    async def make(self, generation: Generation) -> None:
        raise NotImplementedError

    async def oldest(self) -> Generation | None:
        raise NotImplementedError

    async def begin_with(self, generation: Generation) -> None:
        raise NotImplementedError

    async def generations(self) -> list[Generation]:
        raise NotImplementedError

    async def delete(self, generation: Generation) -> None:
        raise NotImplementedError


def log_of(raw: RawLog, *, epoch: int | None = 1, life: str = "a1", seq: int = 0) -> Log:
    """A log that was read up to `seq`, and in which epoch 1 is that of the life."""
    chain = Chain(seq=seq, epoch=1)
    return Log(raw, GENERATION, chain, Life(life, 2, lambda: 0), epoch)


def of_other(
    prev: int, kind: Kind = Kind.CLAIM, epoch: int = 2, id_: str = "b1.1", node: str = "b"
) -> Written:
    """What another node has written."""
    body = pack(Claim(node, "1", 2)) if kind is Kind.CLAIM else b"\x90"
    return Header(kind=kind, epoch=epoch, prev=prev, id=id_, checksum=crc32(body)), body


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result, in virtual time: nothing waits."""
    return run_on(SimulatedLoop(0.0), work)


def run_on(
    loop: SimulatedLoop, work: Coroutine[Any, Any, T], at_last: Callable[[], None] = lambda: None
) -> T:
    """As `run`, on a loop that is closed then. `at_last` is called before."""
    asyncio.set_event_loop(loop)
    try:
        task = loop.create_task(work)
        task.add_done_callback(lambda _: loop.stop())
        loop.run_to(WITHIN_S)
        assert task.done(), "it never ends"
        return task.result()
    finally:
        at_last()
        for each in asyncio.all_tasks(loop):
            each.cancel()
        loop.run_to(loop.time())
        loop.close()
        asyncio.set_event_loop(None)

"""Log servers in memory, with everything that servers and networks do to a log.

An ack is lost, late, or never sent; a publication is lost, stored twice, or stored long after its
sender has given up waiting; a server refuses by an entry that it then loses; the servers do not
check what is expected; something foreign is stored; a reader asks a replica that is behind. What is
never done is to lose an entry that was stored: a quorum has it.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random

from hookbundle.actors.replication.log import Acked, Answer, Entries, RawLog, Taken, Unknown
from hookbundle.engine.errors import LogDamaged, StorageError
from hookbundle.engine.replication.entries import Generation, entry_of

ACK_WITHIN_S = 2.0


@dataclass(slots=True)
class Weather:
    """Chances, from 0 to 1, but `down`: nothing is stored, and `checks`: of what is expected."""

    lost: float = 0.0  # the publication never arrives
    late: float = 0.0  # it arrives after its sender has given up waiting
    unacked: float = 0.0  # it is stored, and the ack is lost
    twice: float = 0.0  # it arrives a second time, later
    refused: float = 0.0  # by an entry that is lost then
    foreign: float = 0.0  # something else is stored before it
    behind: float = 0.0  # a reader asks a replica that is behind
    blind: float = 0.0  # a node hears no beats
    disk: float = 0.0  # a commit fails, after all else has succeeded
    checks: bool = True
    down: bool = False


@dataclass(slots=True)
class Stored:
    at_s: float
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Servers:
    """All servers of the log. `down` and the chances are those of `weather`.

    `is_recovered`: somebody has it begin anew, which alone may delete where nodes begin.
    """

    rng: Random
    loop: asyncio.AbstractEventLoop
    weather: Weather = field(default_factory=Weather)
    streams: dict[Generation, list[Stored]] = field(default_factory=dict)
    first: Generation | None = None
    seen: set[str] = field(default_factory=set)
    is_recovered: bool = False

    def chance(self, name: str) -> bool:
        happens: bool = self.rng.random() < getattr(self.weather, name)
        if happens:
            self.seen.add(name)
        return happens

    def store(self, generation: Generation, headers: dict[str, str], body: bytes) -> int | None:
        """The number under which it is stored; None if it is refused or the servers are down."""
        stream = self.streams.get(generation)
        if stream is None or self.weather.down:
            self.seen.add("down")
            return None
        if self.weather.checks and int(headers["Hb-Prev"]) != len(stream):
            return None
        if self.chance("foreign"):
            self._append(stream, {"Nats-Other": "1"}, b"?")
        if not self.weather.checks:
            self.seen.add("unchecked")
        self._append(stream, headers, body)
        return len(stream)

    def _append(self, stream: list[Stored], headers: dict[str, str], body: bytes) -> None:
        stream.append(Stored(self.loop.time(), headers, body))


class FakeLog(RawLog):
    """The servers, as a node sees them."""

    def __init__(self, servers: Servers, entry_bytes_max: int) -> None:
        self.servers = servers
        self.entry_bytes_max = entry_bytes_max
        self._rng = servers.rng

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        servers, rng = self.servers, self._rng
        if servers.chance("lost"):
            await asyncio.sleep(ACK_WITHIN_S)
            return Unknown()
        if servers.chance("twice"):
            self._later(rng.uniform(0.0, 6.0), generation, headers, body)
        if servers.chance("late"):
            self._later(rng.uniform(ACK_WITHIN_S, 8.0), generation, headers, body)
            await asyncio.sleep(ACK_WITHIN_S)
            return Unknown()
        await asyncio.sleep(rng.uniform(0.0005, 0.02))
        if servers.chance("refused"):
            return Taken()
        down = servers.weather.down
        seq = servers.store(generation, headers, body)
        if down or servers.chance("unacked"):
            await asyncio.sleep(ACK_WITHIN_S)
            return Unknown()
        await asyncio.sleep(rng.uniform(0.0005, 0.02))
        return Taken() if seq is None else Acked(seq)

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        await asyncio.sleep(self._rng.uniform(0.0005, 0.005))
        stream = self.servers.streams.get(generation)
        if stream is None:
            raise LogDamaged(f"generation {generation} is gone")
        if after > len(stream):
            raise LogDamaged(f"generation {generation} is shorter than it was")
        until_s = self.servers.loop.time()
        if self.servers.chance("behind"):
            until_s -= self._rng.uniform(0.0, 3.0)
        known = [each for each in stream[after:] if each.at_s <= until_s]
        found = [
            entry_of(seq, each.headers, each.body)
            for seq, each in enumerate(known[:most], after + 1)
        ]
        return Entries(found, len(known) - len(found))

    async def last(self, generation: Generation) -> int | None:
        await asyncio.sleep(self._rng.uniform(0.0005, 0.005))
        if self.servers.weather.down:
            return None
        if generation not in self.servers.streams:
            raise LogDamaged(f"generation {generation} is gone")
        return len(self.servers.streams[generation])

    async def make(self, generation: Generation) -> None:
        self.servers.streams.setdefault(generation, [])

    async def oldest(self) -> Generation | None:
        return self.servers.first

    async def begin_with(self, generation: Generation) -> None:
        before = self.servers.first
        self.servers.first = max(generation, before or generation)
        if before not in (None, self.servers.first):
            self.servers.seen.add("renewed")

    async def generations(self) -> list[Generation]:
        await self._ask()
        return sorted(self.servers.streams)

    async def delete(self, generation: Generation) -> None:
        await self._ask()
        first = self.servers.first
        may_go = self.servers.is_recovered or generation != first
        assert may_go, "a generation with which nodes begin is deleted"
        self.servers.seen.add("left over" if first and generation > first else "past")
        self.servers.streams.pop(generation, None)

    async def _ask(self) -> None:
        """Raises: StorageError, after a while, if the servers are down or the question is lost."""
        if self.servers.weather.down or self.servers.chance("lost"):
            await asyncio.sleep(ACK_WITHIN_S)
            raise StorageError("the servers do not answer")
        await asyncio.sleep(self._rng.uniform(0.0005, 0.02))

    def _later(
        self, in_s: float, generation: Generation, headers: dict[str, str], body: bytes
    ) -> None:
        self.servers.loop.call_later(in_s, self.servers.store, generation, headers, body)

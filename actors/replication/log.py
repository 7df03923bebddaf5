"""The log of a partition: read in order, and appended to so that it is certain what stands in it.

A server answers a publication with a number, refuses it, or does not answer. Only the first can be
believed, and only if the number is the one behind which the entry wants to stand: an entry
elsewhere is void. Everything else is decided by reading what stands at that place:

    our own `Hb-Id`                   it is done
    anything else that counts         `Fenced`: another owns the partition, or this life has missed
                                      something; its own entry can't count any more
    void entries alone                published again behind them, under a new `Hb-Id`
    nothing                           published again as it is: it can count only once

A claim is published once: if something stands in its place, it is lost, and its node looks again
whether it still wants the partition. Whether it counts is read from the log, by its `Hb-Id`.

`RawLog` is what a server has to do; the rest is here, the same for every server.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from hookbundle.engine.errors import Fenced, LogDamaged
from hookbundle.engine.replication.chain import Chain, Counts, Verdict, Void
from hookbundle.engine.replication.entries import (
    Claim,
    Entry,
    Generation,
    Header,
    Kind,
    cut,
    headers_of,
    pack,
)

ENTRIES_AT_ONCE = 256
AGAIN_S = 0.05  # after an answer that did not come; each time doubled
AGAIN_S_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Acked:
    """An entry is on the disks of a quorum, under this number."""

    seq: int


class Taken:
    """The server says that something stands there already."""


class Unknown:
    """No answer: it may stand in the log, or come to stand there later."""


Answer = Acked | Taken | Unknown


class Entries(list[Entry]):
    """What was read. `left`: how many stood behind these then, as far as the server knew that
    answered; None if none did."""

    def __init__(self, found: Iterable[Entry] = (), left: int | None = None) -> None:
        super().__init__(found)
        self.left = left


class RawLog(Protocol):
    """The log of one partition on its servers. `entry_bytes_max`: of an entry's body."""

    entry_bytes_max: int

    async def publish(
        self, generation: Generation, headers: dict[str, str], body: bytes
    ) -> Answer: ...

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        """Entries from `after` + 1 on without a gap; those that are known there.

        Up to `most`, and of so many bytes as can be held, but one at least.

        Raises: LogDamaged if the generation, or what stood there, is gone.
        """

    async def last(self, generation: Generation) -> int | None:
        """The number of its last entry, 0 if it has none; None if that is not known now.

        Raises: LogDamaged if the generation is gone.
        """

    async def make(self, generation: Generation) -> None:
        """It can be written to."""

    async def oldest(self) -> Generation | None:
        """With which a node without a copy begins; None if that is not known now."""

    async def begin_with(self, generation: Generation) -> None:
        """`oldest` is this one, unless it is a later one already."""

    async def generations(self) -> list[Generation]:
        """All that are there, whether they are part of the log or were left over; in order.

        Raises: StorageError.
        """

    async def delete(self, generation: Generation) -> None:
        """Nothing of it is left on the servers. It need not be there. Raises: StorageError."""


class Log:
    """A generation of the log, as far as its reader has come: `chain` says how far, and who owns.

    One task at a time uses it. `epoch`: under which this life writes; None until it has claimed.
    `part_bytes`: of a part, where the body of an entry is larger; all are in flight at once.
    """

    def __init__(
        self,
        raw: RawLog,
        generation: Generation,
        chain: Chain,
        life: "Life",
        epoch: int | None = None,
        part_bytes: int | None = None,
    ) -> None:
        self.raw = raw
        self.part_bytes = min(part_bytes or raw.entry_bytes_max, raw.entry_bytes_max)
        self.generation = generation
        self.chain = chain
        self.life = life
        self.epoch = epoch
        self.left: int | None = None
        """How many entries the last reading has left to be read; None if nobody has said so."""

    async def read(self, most: int = ENTRIES_AT_ONCE) -> list[Verdict]:
        """What the next entries are; empty if there are none. Raises: LogDamaged."""
        entries = await self.raw.read(self.generation, self.chain.seq, most)
        self.left = entries.left
        verdicts: list[Verdict] = []
        for entry in entries:
            verdicts.append(self.chain.feed(entry))
            if self.chain.end is not None:
                break
        return verdicts

    async def append(self, kind: Kind, body: bytes) -> int:
        """The number under which the entry stands in the log, and counts.

        Comes back only when that is certain, however long it takes.

        Raises: Fenced if it is certain that it does not; LogDamaged.
        """
        while True:
            # Not the present epoch, whatever it is: it may be another owner's, which was read.
            if self.epoch is None or self.epoch != self.chain.epoch:
                raise Fenced(f"epoch {self.chain.epoch} of the log is of {self.chain.owner!r}")
            seq = await self._publish(kind, self.epoch, body)
            if seq is not None:
                return seq

    async def claim(self, claim: Claim) -> bool:
        """True if the partition is this life's now. Raises: LogDamaged."""
        epoch = self.chain.epoch + 1
        try:
            counts = await self._publish(Kind.CLAIM, epoch, pack(claim)) is not None
        except Fenced:
            return False
        if counts:
            self.epoch = epoch
        return counts

    async def _publish(self, kind: Kind, epoch: int, body: bytes) -> int | None:
        """The number of the entry; None if void ones stand in its place. Raises: Fenced."""
        header = self.life.header(kind, epoch, self.chain.seq)
        parts = cut(header, body, self.part_bytes)
        again_s = AGAIN_S
        while True:
            left = parts[self.chain.standing(header.id) :]
            publications = [
                self.raw.publish(self.generation, headers_of(each), part) for each, part in left
            ]
            if len(left) == 1:  # as nearly always, and without tasks
                answers = [await publications[0]]
            else:
                answers = await asyncio.gather(*publications)
            places = [Acked(each.prev + 1) for each, _ in left]
            if kind is not Kind.CLAIM and answers == places:
                return self._take(left)
            acked = [answer.seq for answer in answers if isinstance(answer, Acked)]
            if acked and min(acked) <= header.prev:
                raise LogDamaged(
                    f"the log is shorter than it was: {header.prev} entries were read, and a new "
                    f"one got the number {min(acked)}"
                )
            seq = await self._look(header, max(acked, default=0))
            if seq is not None:
                return seq
            if self.chain.seq != header.prev + self.chain.standing(header.id):
                return None
            await asyncio.sleep(again_s)
            again_s = min(again_s * 2, AGAIN_S_MAX)

    def _take(self, parts: list[tuple[Header, bytes]]) -> int:
        """Parts that stand where they want to are read without asking for them."""
        for header, body in parts:
            verdict = self.chain.feed(Entry(header.prev + 1, header, body), is_own=True)
        assert isinstance(verdict, Counts), f"{verdict} of an entry that was appended"
        return verdict.seq

    async def _look(self, header: Header, until: int) -> int | None:
        """Reads to the end, and to `until`, which some servers know of already.

        The number of the entry, if it stands in the log. Raises: Fenced if something else counts;
        LogDamaged if another has written without a claim that stands where this one has read.
        """
        again_s, unclaimed = AGAIN_S, self.chain.unclaimed
        while True:
            entries = await self.raw.read(self.generation, self.chain.seq, ENTRIES_AT_ONCE)
            for entry in entries:
                verdict = self.chain.feed(entry)
                if isinstance(verdict, Void):
                    continue
                if verdict.header.id == header.id:
                    if isinstance(verdict, Counts):
                        return verdict.seq
                elif isinstance(verdict, Counts):
                    raise Fenced(f"entry {verdict.seq} of the log is of {verdict.header.id}")
            if self.chain.unclaimed > unclaimed:
                raise LogDamaged(f"up to entry {self.chain.seq} there is one without its claim")
            if entries:
                continue
            if self.chain.seq >= until:
                return None
            await asyncio.sleep(again_s)
            again_s = min(again_s * 2, AGAIN_S_MAX)


class Life:
    """Of a process: the name of its entries, and what their headers say of it. `now_ms`: the
    engine's time. `schema`: of which the rows may be that it writes; it never sinks."""

    def __init__(self, name: str, schema: int, now_ms: Callable[[], int]) -> None:
        self.name = name
        self.now_ms = now_ms
        self.schema = schema
        self._count = 0

    def header(self, kind: Kind, epoch: int, prev: int) -> Header:
        """Of the next publication."""
        self._count += 1
        return Header(
            kind=kind,
            epoch=epoch,
            prev=prev,
            id=f"{self.name}.{self._count}",
            at_ms=self.now_ms(),
            schema=self.schema,
        )

"""Requests that are as large, as faulty or as unfinished as they may be."""

import asyncio
import gzip
from collections.abc import Iterator
from itertools import cycle

from hookbundle.tests.reliability.hostility.tenants.town import (
    Scenario,
    Tenant,
    Town,
    until_closed,
)
from hookbundle.tests.reliability.hostility.tenants.wire import Line, array, message

MIB = 2**20
BATCHES = 16
BATCH_BYTES = 7 * MIB
MESSAGES = 9_000  # a batch; with this text they are nearly seven MiB
TEXT = "x" * 220


class OneTenant(Scenario):
    tenant: Tenant

    async def prepare(self, town: Town) -> None:
        self.tenant = await town.tenant("hostile")
        await self.make(town)

    async def make(self, town: Town) -> None:
        """What is sent is made."""


class LargeBatches(OneTenant):
    """All at once; as soon as all are answered, all again."""

    name = "16 batches of 7 MiB at once, each message in a chat of its own"
    chats = MESSAGES
    requests: list[list[bytes]]

    async def make(self, town: Town) -> None:
        self.requests = [
            [self._batch(town, turn * BATCHES + n) for n in range(town.sized(BATCHES))]
            for turn in range(3)
        ]

    def _batch(self, town: Town, number: int) -> bytes:
        messages = [
            town.fresh(f"{number}-{one}" if self.chats > 1 else "one", TEXT)
            for one in range(MESSAGES)
        ]
        return self.tenant.post(array(messages))

    async def attack(self, town: Town) -> None:
        town.begun.set()
        for together in self.requests:
            await asyncio.gather(*map(town.once, together))


class LargeBatchesOfOneChat(LargeBatches):
    name = "16 batches of 7 MiB at once, all in one chat"
    chats = 1


class LongTexts(LargeBatches):
    """Few messages, so that a limit of their number takes them for little."""

    name = "16 batches of 100 texts of 64 KiB at once"

    def _batch(self, town: Town, number: int) -> bytes:
        messages = [town.fresh(f"{number}-{one}", "x" * 65_536) for one in range(100)]
        return self.tenant.post(array(messages))


class UnfinishedBodies(OneTenant):
    name = "60 bodies of 8 MiB that never end"
    request: bytes

    async def make(self, town: Town) -> None:
        self.request = self.tenant.post(b" " * (8 * MIB))[:-1]

    async def attack(self, town: Town) -> None:
        await town.hold(town.sized(60), self.request, until_closed)


class UnfinishedBodiesWithoutToken(UnfinishedBodies):
    name = "60 bodies of 8 MiB that never end, without a token"

    async def make(self, town: Town) -> None:
        self.request = Tenant("hostile", "wrong", "").post(b" " * (8 * MIB))[:-1]


class SlowBodies(OneTenant):
    """Each byte is progress, so a deadline that starts again with each never comes."""

    name = "200 bodies of a byte a second"
    request: bytes

    async def make(self, town: Town) -> None:
        self.request = self.tenant.post(b" " * MIB)[: -MIB + 1]

    async def attack(self, town: Town) -> None:
        async def drip(line: Line) -> None:
            while True:
                await line.send(b" ")
                await asyncio.sleep(1)

        await town.hold(town.sized(200), self.request, drip)


class Repeated(OneTenant):
    """The same request on `workers` connections, without end."""

    workers = 4
    requests: Iterator[bytes]

    async def attack(self, town: Town) -> None:
        await town.flood(self.workers, lambda: next(self.requests))


class GzipOfBadLines(Repeated):
    name = "gzip of 4 million bad NDJSON lines"

    async def make(self, town: Town) -> None:
        packed = gzip.compress(b"x\n" * (4 * MIB - 16))
        headers = {"Content_Type": "application/x-ndjson", "Content_Encoding": "gzip"}
        self.requests = cycle([self.tenant.post(packed, **headers)])


class GzipOfNothing(Repeated):
    """A quarter of a MiB on the wire, which unpacks to 256 MiB."""

    name = "gzip of 256 MiB of spaces"

    async def make(self, town: Town) -> None:
        packed = gzip.compress(b" " * (256 * MIB))
        self.requests = cycle([self.tenant.post(packed, Content_Encoding="gzip")])


class InvalidMessages(Repeated):
    name = "batches of 7 MiB of which every message is invalid"

    async def make(self, town: Town) -> None:
        bad = [town.fresh("c", TEXT).replace(b'"received"', b'"thrown"') for _ in range(MESSAGES)]
        self.requests = cycle([self.tenant.post(array(bad))])


class SkippedMessages(Repeated):
    name = "batches of 9,000 messages without a text, which are skipped"

    async def make(self, town: Town) -> None:
        skipped = [town.fresh(f"c{one % 1_000}", "") for one in range(MESSAGES)]
        self.requests = cycle([self.tenant.post(array(skipped))])


class DuplicateMessages(Repeated):
    name = "batches of 9,000 messages that were accepted before"

    async def make(self, town: Town) -> None:
        again = [message(f"again{one}", f"c{one % 1_000}") for one in range(MESSAGES)]
        self.requests = cycle([self.tenant.post(array(again))])


class DeepAndWide(Repeated):
    """What a JSON parser may be slow at: depth, digits, escapes, names."""

    name = "7 MiB of brackets, digits, escapes, names"

    async def make(self, town: Town) -> None:
        event = town.fresh("c", "TEXT")
        self.requests = cycle(
            self.tenant.post(body)
            for body in (
                b"[" * BATCH_BYTES,
                b"[" + b"1," * (BATCH_BYTES // 2) + b"1]",
                event.replace(b"1767225600", b"9" * BATCH_BYTES),
                event.replace(b"TEXT", b"\\u0041" * (BATCH_BYTES // 6)),
                event.replace(b'"TEXT"', b'"x",' + b'"k":1,' * (BATCH_BYTES // 6) + b'"z":"x"'),
            )
        )


class ManyKeys(Repeated):
    """Each key is something to remember for a day."""

    name = "single messages, each under an idempotency key of its own"
    workers = 8

    async def make(self, town: Town) -> None:
        self.requests = (
            self.tenant.post(town.fresh("c"), Idempotency_Key=f"key-{next(town.numbers)}")
            for _ in cycle("x")
        )


class TinyChunks(OneTenant):
    name = "bodies in chunks of one byte"
    request: bytes

    async def make(self, town: Town) -> None:
        kind = "application/json"
        head = self.tenant.post(b"", Transfer_Encoding="chunked", Content_Type=kind)
        self.request = head + b"1\r\n \r\n" * (MIB // 2)

    async def attack(self, town: Town) -> None:
        await town.hold(town.sized(16), self.request, until_closed)


SCENARIOS: tuple[type[Scenario], ...] = (
    LargeBatches,
    LargeBatchesOfOneChat,
    LongTexts,
    UnfinishedBodies,
    UnfinishedBodiesWithoutToken,
    SlowBodies,
    GzipOfBadLines,
    GzipOfNothing,
    InvalidMessages,
    SkippedMessages,
    DuplicateMessages,
    DeepAndWide,
    ManyKeys,
    TinyChunks,
)

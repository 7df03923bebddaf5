"""The log of a partition over JetStream: one stream a generation, an entry a message.

    publish   to the stream's subject, with the sequence it expects; the answer is the server's
    read      by direct get, which any server with a copy answers, also one that is behind
    oldest    a record of the cluster (records.py), changed by compare and swap

Nothing here is decided: what an answer means says actors/replication/log.py. What is not known is
`Unknown`, or an empty answer. Only two things are found out here, each by asking several times,
because a server that has just started does not know all: that a stream is gone, and that it is
shorter than what was read of it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.replication.log import Acked, Answer, Entries, RawLog, Taken, Unknown
from hookbundle.actors.replication.nats import api
from hookbundle.actors.replication.nats.client import Message, NoAnswer, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.reading import LITTLE_BYTES, READ_BYTES, taken, without_gap
from hookbundle.actors.replication.nats.records import NEW, Records
from hookbundle.engine.errors import CorruptRecord, LogDamaged
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.names import Names

log = structlog.get_logger(__name__)

HEADER_BYTES_MAX = 4 * 1024  # of the payload, which includes them
AGAIN_S, AGAIN_S_MAX = 0.1, 2.0
SURE_AFTER = 3  # answers that all say so
SURE_PAUSE_S = 0.5
LENGTH_EVERY_S = 5.0
NEWS_AFTER_S = 0.01  # so that a busy log is read in batches
OLDEST = "oldest"
FAILED = (Unreachable, NoAnswer)


@dataclass(slots=True)
class NatsLogState:
    """`why`: what the servers said last, other than an ack; for the log, once.

    `is_news_due`: it will be said in a moment that something stands in the log.
    `is_behind`: whether more stood there than was read the last time. `shorter`: how often a
    generation was found to be shorter than what was read of it, and when its length may be asked
    for again.
    """

    why: str = ""
    is_behind: bool = False
    shorter: dict[Generation, int] = field(default_factory=dict)
    length_at_s: float = 0.0
    is_news_due: bool = False


class NatsLog(RawLog):
    """`replicas`: of the streams that are made from now on, on as many servers."""

    def __init__(self, connection: Connection, names: Names, partition: int, replicas: int) -> None:
        self.entry_bytes_max = connection.max_payload - HEADER_BYTES_MAX
        self.state = NatsLogState()
        self._connection = connection
        self._records = Records(connection, names)
        self._names = names
        self._partition = partition
        self.replicas = replicas

    # ---- entries

    async def publish(self, generation: Generation, headers: dict[str, str], body: bytes) -> Answer:
        stream = self._names.stream(self._partition, generation)
        subject = self._names.subject(self._partition, generation)
        expecting = {**headers, "Nats-Expected-Last-Sequence": headers["Hb-Prev"]}
        try:
            answer = api.read((await self._connection.ask(subject, body, expecting)).body)
        except FAILED as exc:
            return self._unknown(str(exc))
        if answer.code in api.SEQUENCE_TAKEN:
            return Taken()
        if answer.error is not None or answer.stream != stream or not answer.seq:
            return self._unknown(answer.why or f"an ack of {answer.stream!r}")
        self.state.why = ""
        if not self.state.is_news_due:
            self.state.is_news_due = True
            asyncio.get_running_loop().call_later(NEWS_AFTER_S, self._say_news)
        return Acked(answer.seq)

    async def read(self, generation: Generation, after: int, most: int) -> Entries:
        for _ in range(SURE_AFTER):
            messages = await self._messages(generation, after, most)
            entries = without_gap(messages, after)
            if entries.left is not None:
                self.state.is_behind = entries.left > 0
            if not messages or messages[0].status:
                await self._check_length(generation, after)
                return entries
            if entries:
                return entries
        raise LogDamaged(f"generation {generation} has no entry {after + 1}, and later ones")

    async def watch(self, news: Callable[[], None]) -> None:
        """`news` is called soon after something was acked, once for all of some milliseconds.

        A hint, which may be lost. Raises: Unreachable; it is heard once there is a server.
        """
        await self._connection.subscribe(self._names.news(self._partition), lambda _: news())

    def _say_news(self) -> None:
        self.state.is_news_due = False
        asyncio.get_running_loop().create_task(self._said_news())

    async def _said_news(self) -> None:
        with suppress(*FAILED):
            await self._connection.publish(self._names.news(self._partition), b"")

    async def last(self, generation: Generation) -> int | None:
        try:
            answer = await self._info(generation)
        except FAILED as exc:
            self._unknown(str(exc))
            return None
        if answer.code == api.NO_STREAM and await self._is_gone(generation):
            raise LogDamaged(f"generation {generation} is gone")
        return None if answer.error is not None else answer.state.last_seq

    # ---- generations

    async def make(self, generation: Generation) -> None:
        stream = self._names.stream(self._partition, generation)
        wanted = {
            "name": stream,
            "subjects": [self._names.subject(self._partition, generation)],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "num_replicas": self.replicas,
            "allow_direct": True,
            "deny_delete": True,
            "deny_purge": True,
            "compression": "none",
        }
        answer = await self._surely(f"STREAM.CREATE.{stream}", wanted, {api.OTHER_SETTINGS})
        if answer.error is not None:
            raise CorruptRecord(f"the stream {stream} is there with other settings")

    async def delete(self, generation: Generation) -> None:
        stream = self._names.stream(self._partition, generation)
        await self._surely(f"STREAM.DELETE.{stream}", None, {api.NO_STREAM})

    async def generations(self) -> list[Generation]:
        again_s = AGAIN_S
        while True:
            try:
                names = await api.streams(self._connection, self._names.subjects(self._partition))
            except FAILED as exc:
                self._unknown(str(exc))
                again_s = await _pause(again_s)
                continue
            found = (self._names.generation(self._partition, name) for name in names)
            return sorted(generation for generation in found if generation is not None)

    async def oldest(self) -> Generation | None:
        try:
            record = await self._records.get(self._oldest_key)
        except FAILED as exc:
            self._unknown(str(exc))
            return None
        return None if record is None else Generation.read(record.value.decode())

    async def begin_with(self, generation: Generation) -> None:
        again_s = AGAIN_S
        while True:
            try:
                record = await self._records.get(self._oldest_key)
                if record is not None and Generation.read(record.value.decode()) >= generation:
                    return
                revision = NEW if record is None else record.revision
                value = str(generation).encode()
                # Read again, even if it was written: the servers check the revision before they
                # agree with each other, and another's may have taken its place.
                await self._records.put(self._oldest_key, value, revision)
            except FAILED as exc:
                self._unknown(str(exc))
                again_s = await _pause(again_s)

    async def bytes_of(self, generation: Generation) -> int | None:
        """What the generation takes on each server; None if that can't be known now."""
        try:
            answer = await self._info(generation)
        except FAILED:
            return None
        return None if answer.error is not None else answer.state.bytes

    # ---- how it is asked

    @property
    def _oldest_key(self) -> str:
        return f"{OLDEST}.{self._partition:03}"

    async def _messages(self, generation: Generation, after: int, most: int) -> list[Message]:
        """As they came; empty if none did. Raises: LogDamaged if the generation is gone.

        A node that joins reads all its logs at once: much is read of few of them at a time.
        """
        if self.state.is_behind:
            async with self._connection.large:
                return await self._answered(generation, after, most, READ_BYTES)
        return await self._answered(generation, after, most, min(LITTLE_BYTES, READ_BYTES))

    async def _answered(
        self, generation: Generation, after: int, most: int, size: int
    ) -> list[Message]:
        stream = self._names.stream(self._partition, generation)
        request = b'{"seq":%d,"batch":%d,"max_bytes":%d}' % (after + 1, most, size)
        found: list[Message] = []
        try:
            async with self._connection.asking(
                f"{api.API}.DIRECT.GET.{stream}", request
            ) as answers:
                await taken(answers, found)
        except NoAnswer:
            pass  # what came stands there
        except Unreachable:
            if await self._is_gone(generation):
                raise LogDamaged(f"generation {generation} is gone") from None
        return found

    async def _is_gone(self, generation: Generation) -> bool:
        for attempt in range(SURE_AFTER):
            if attempt:
                await asyncio.sleep(SURE_PAUSE_S)
            try:
                answer = await self._info(generation)
            except FAILED as exc:
                self._unknown(str(exc))
                return False
            if answer.code != api.NO_STREAM:
                return False
        return True

    async def _check_length(self, generation: Generation, after: int) -> None:
        """Now and then: nothing comes after the last entry, nor after one that was lost.

        Raises: LogDamaged if the log is surely shorter than what was read of it.
        """
        state, now_s = self.state, asyncio.get_running_loop().time()
        if not after or now_s < state.length_at_s:
            return
        state.length_at_s = now_s + LENGTH_EVERY_S
        try:
            answer = await self._info(generation)
        except FAILED:
            return
        if answer.error is not None or answer.state.last_seq >= after:
            state.shorter.pop(generation, None)
            return
        state.shorter[generation] = state.shorter.get(generation, 0) + 1
        if state.shorter[generation] >= SURE_AFTER:
            raise LogDamaged(
                f"the log is shorter than it was: entry {after} of generation {generation} was "
                f"read, and the last one is {answer.state.last_seq}"
            )

    async def _info(self, generation: Generation) -> api.Answer:
        stream = self._names.stream(self._partition, generation)
        return await api.call(self._connection, f"STREAM.INFO.{stream}")

    async def _surely(self, call: str, request: object, done: set[int]) -> api.Answer:
        """The answer, once it is one: done, or an error that is in `done`."""
        again_s = AGAIN_S
        while True:
            try:
                answer = await api.call(self._connection, call, request)
            except FAILED as exc:
                self._unknown(str(exc))
            else:
                if answer.error is None or answer.code in done:
                    return answer
                self._unknown(answer.why)
            again_s = await _pause(again_s)

    def _unknown(self, why: str) -> Unknown:
        if why != self.state.why:
            log.warning("the log servers did not do it", why=why, partition=self._partition)
        self.state.why = why
        return Unknown()


async def _pause(again_s: float) -> float:
    """How long the next pause is."""
    await asyncio.sleep(again_s)
    return min(again_s * 2, AGAIN_S_MAX)

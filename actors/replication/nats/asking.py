"""Nodes ask each other: a request goes to a node in proven parts, and its answer comes back so.

Who asks learns one of three things: the answer; `NotAsked`, nothing was done, and it may be
asked again, also of another; `AnswerLost`, nobody knows what was done. A node that dies, or that is
started again, is noticed by its beats, and its answer is not waited for.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from hookbundle.actors.replication.nats.client import Message, NoAnswer, Unreachable
from hookbundle.actors.replication.nats.connection import Answers, Connection
from hookbundle.engine.errors import CorruptRecord, in_words
from hookbundle.engine.replication.envelopes import (
    Envelope,
    EnvelopeKind,
    Fresh,
    opened,
    parts_of,
    seal,
)
from hookbundle.engine.replication.held_parts import HeldParts, NoRoom, Whole
from hookbundle.engine.replication.names import Names
from hookbundle.engine.replication.requests import (
    ANSWER_BYTES_MAX,
    NodeAnswer,
    NodeRequest,
    pack,
    read_answer,
    read_request,
)

HEADER_BYTES_MAX = 16 * 1024  # of a message's payload, which includes them
WITHIN_S = 60.0
LOOK_EVERY_S = 0.5  # whether the node that was asked still lives
UNDER_WAY_MAX = 2_000  # requests of one node that are being answered

log = structlog.get_logger(__name__)


class NotAsked(Exception):
    """Nothing was done."""


class AnswerLost(Exception):
    """It may have been done, or not."""


class Asking:
    """`open()`, then `close()`. `life_of`: of a node that lives, by its beats; else None.

    `refused`: what came and was not proven, or came before, or found no room.
    """

    def __init__(
        self,
        connection: Connection,
        names: Names,
        node: str,
        life: str,
        key: bytes,
        life_of: Callable[[str], str | None],
    ) -> None:
        self.refused = 0
        self._connection = connection
        self._names = names
        self._node = node
        self._self = f"{node}/{life}"
        self._key = key
        self._life_of = life_of
        self._asked = 0
        self._fresh = Fresh()
        self._held = HeldParts()
        self._under_way: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, answer: Callable[[NodeRequest], Awaitable[NodeAnswer]]) -> None:
        """`answer` is asked from now on. Raises: Unreachable."""
        self._answer = answer
        await self._connection.subscribe(self._names.asking(self._node), self._heard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- asking

    async def ask(self, node: str, request: NodeRequest, within_s: float = WITHIN_S) -> NodeAnswer:
        """Raises: NotAsked; AnswerLost."""
        life = self._life_of(node)
        if life is None:
            raise NotAsked(f"{node} does not live")
        self._asked += 1
        asked = Envelope(
            kind=EnvelopeKind.ASK,
            sender=self._self,
            to=f"{node}/{life}",
            number=self._asked,
            body=pack(request),
        )
        with self._connection.answers() as (reply_to, answers):
            lost = self._connection.state.lost
            try:
                await self._send(asked, self._names.asking(node), reply_to)
                written = await self._awaited(asked, answers, node, lost, within_s)
            except (Unreachable, ValueError) as exc:
                raise NotAsked(str(exc)) from exc
            except NoAnswer as exc:
                raise AnswerLost(str(exc)) from exc
        try:
            return read_answer(written)
        except CorruptRecord as exc:
            raise AnswerLost(str(exc)) from exc

    async def _awaited(
        self, asked: Envelope, answers: Answers, node: str, lost: int, within_s: float
    ) -> bytes:
        """The answer as it was written. Raises: NotAsked; AnswerLost; Unreachable."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        parts: dict[int, bytes] = {}
        while loop.time() < until_s:
            try:
                message = await answers.next(min(LOOK_EVERY_S, within_s))
            except NoAnswer as exc:
                if self._connection.state.lost != lost:
                    raise AnswerLost(str(exc)) from exc
                if f"{node}/{self._life_of(node)}" != asked.to:
                    raise AnswerLost(f"{node} does not live any more") from exc
                continue
            part = opened(message.headers, message.body, "", self._key)
            if part is None or not _answers(part, asked):
                self.refused += 1
                continue
            if part.kind is EnvelopeKind.REFUSED:
                raise NotAsked(part.body.decode(errors="replace"))
            parts[part.part] = part.body
            if sum(map(len, parts.values())) > ANSWER_BYTES_MAX:
                raise AnswerLost(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
            if len(parts) == part.parts:
                return b"".join(parts[index] for index in sorted(parts))
        raise AnswerLost(f"no answer within {within_s:g} s")

    # ---- answering

    def _heard(self, message: Message) -> None:
        part = opened(message.headers, message.body, message.reply_to, self._key)
        if part is None or part.kind is not EnvelopeKind.ASK or not self._fresh.is_new(part):
            self.refused += 1
            return
        if part.to != self._self:
            self._start(self._refuse(part, message.reply_to, "the node was started again"))
            return
        try:
            if self._under_way[part.sender] >= UNDER_WAY_MAX:
                raise NoRoom
            now_s = asyncio.get_running_loop().time()
            whole = self._held.add(part, message.reply_to, now_s)
        except NoRoom:
            self.refused += 1
            self._start(self._refuse(part, message.reply_to, "the node has too much to do"))
            return
        if whole is not None:
            self._under_way[part.sender] += 1
            self._start(self._answered(part, whole))

    async def _answered(self, asked: Envelope, whole: Whole) -> None:
        try:
            answer = await self._answer(read_request(whole.body))
            body = pack(answer)
        except Exception as exc:  # of this request alone: who asked gets no answer
            log.error("what another node asked was not answered", why=in_words(exc), exc_info=exc)
            return
        finally:
            self._under_way[asked.sender] -= 1
            if not self._under_way[asked.sender]:
                del self._under_way[asked.sender]  # a node has another name each time it is started
        await self._reply(asked, whole.reply_to, EnvelopeKind.ANSWER, body)

    async def _refuse(self, asked: Envelope, reply_to: str, why: str) -> None:
        await self._reply(asked, reply_to, EnvelopeKind.REFUSED, why.encode())

    async def _reply(self, asked: Envelope, reply_to: str, kind: EnvelopeKind, body: bytes) -> None:
        # From whom it was asked, which may be an earlier life of this node.
        answer = Envelope(
            kind=kind, sender=asked.to, to=asked.sender, number=asked.number, body=body
        )
        try:
            await self._send(answer, reply_to, "")
        except (Unreachable, NoAnswer, ValueError) as exc:
            log.warning("an answer to another node was lost", why=str(exc))

    # ---- both

    async def _send(self, envelope: Envelope, subject: str, reply_to: str) -> None:
        """Raises: Unreachable; NoAnswer; ValueError if it is too large."""
        most = self._connection.max_payload - HEADER_BYTES_MAX
        for part in parts_of(envelope, most):
            headers = seal(part, reply_to, self._key)
            await self._connection.publish(subject, part.body, headers, reply_to)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _answers(part: Envelope, asked: Envelope) -> bool:
    return (part.sender, part.to, part.number) == (asked.to, asked.sender, asked.number)

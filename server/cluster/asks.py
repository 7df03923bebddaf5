"""Requests between nodes, in parts of what a message may have, each with a proof of who sends it.

The proof is an HMAC, by the cluster's key, over all that a part says, who sent it, and to which
life of which node: who can publish on the log servers, and has no key, can't ask in the name of a
caller. A part that came before is refused, and one for an earlier life is none for this one; so
nothing depends on clocks, which differ.

    asks     Ask-Id node/life.n  Ask-Part i/n  Ask-Proof
    answers  the same with the same id, on the subject that the first part named
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Literal

import msgspec
import structlog

from hookbundle.actors.replication.nats.client import Message, Unreachable
from hookbundle.actors.replication.nats.connection import Answers, Connection, NoAnswer
from hookbundle.engine.replication.names import Names
from hookbundle.server.cluster.asked import Answered, Asked
from hookbundle.server.cluster.routing import AnswerLost, NotAsked
from hookbundle.server.http.authentication import Caller

HEAD_BYTES = 16 * 1024
WITHIN_S = 120.0
LOOK_S = 0.5  # whether the node that was asked still lives
HELD_BYTES_MAX = 64 * 1024 * 1024  # of requests whose parts have not all come
SEEN = 10_000  # requests of a node, of which a part may come twice

log = structlog.get_logger(__name__)


class _Asked(msgspec.Struct, frozen=True, array_like=True):
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    caller: tuple[str, Literal["intake", "admin"], str] | None
    body: bytes


class _Answered(msgspec.Struct, frozen=True, array_like=True):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Asks:
    """`life_of`: of a node that lives."""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        node: str,
        life: str,
        key: bytes,
        life_of: Callable[[str], str | None],
    ) -> None:
        self._connection = connection
        self._names = names
        self._from = f"{node}/{life}"
        self._node = node
        self._key = key
        self._life_of = life_of
        self._count = 0
        self._parts: dict[str, dict[int, bytes]] = {}
        self._held_bytes = 0
        self._seen: dict[str, dict[tuple[int, str], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused = 0

    async def open(self, answer: Callable[[Asked], Awaitable[Answered]]) -> None:
        self._answer = answer
        await self._connection.subscribe(self._names.asking(self._node), self._hear)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- asking

    async def ask(self, node: str, asked: Asked) -> Answered:
        """Raises: NotAsked; AnswerLost."""
        caller = asked.caller
        written = msgspec.msgpack.encode(
            _Asked(
                asked.method,
                asked.target,
                asked.headers,
                None if caller is None else (caller.name, caller.scope, caller.workspace_id),
                asked.body,
            )
        )
        life = self._life_of(node)
        if life is None:
            raise NotAsked(f"{node} does not live")
        self._count += 1
        id_ = f"{self._from}.{self._count}"
        first, *others = self._cut(id_, written, f"{node}/{life}")
        subject = self._names.asking(node)
        try:
            async with self._connection.asking(subject, first[1], first[0]) as answers:
                for headers, body in others:
                    await self._connection.publish(subject, body, headers)
                return await self._answered(answers, node, life)
        except Unreachable as exc:
            raise NotAsked(str(exc)) from exc

    async def _answered(self, answers: Answers, node: str, life: str) -> Answered:
        """Raises: AnswerLost; Unreachable if nobody was there."""
        until_s = asyncio.get_running_loop().time() + WITHIN_S
        parts: dict[int, bytes] = {}
        while True:
            try:
                message = await answers.next(LOOK_S)
            except NoAnswer as exc:
                is_over = asyncio.get_running_loop().time() > until_s
                if self._life_of(node) != life or is_over or not self._connection.is_up:
                    raise AnswerLost.of(AnswerLost.other) from exc
                continue
            part = self._proven(message, self._from)
            if part is None:
                continue
            number, count, body = part
            parts[number] = body
            if len(parts) == count:
                whole = b"".join(parts[each] for each in sorted(parts))
                found = msgspec.msgpack.decode(whole, type=_Answered)
                return Answered(found.status, found.headers, found.body)

    # ---- answering

    def _hear(self, message: Message) -> None:
        part = self._proven(message, self._from)
        if part is None or not self._is_new(message):
            self.refused += 1
            return
        number, count, body = part
        id_ = message.headers["Ask-Id"]
        parts = self._parts.setdefault(id_, {})
        parts[number] = body
        self._held_bytes += len(body)
        if number == 1:
            parts[0] = message.reply_to.encode()
        if len(parts) == count + 1:
            self._forget(id_)
            whole = b"".join(parts[each] for each in range(1, count + 1))
            task = asyncio.create_task(self._answer_to(id_, parts[0].decode(), whole))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        while self._held_bytes > HELD_BYTES_MAX:
            self._forget(next(iter(self._parts)))

    def _forget(self, id_: str) -> None:
        parts = self._parts.pop(id_)
        self._held_bytes -= sum(len(body) for number, body in parts.items() if number)

    async def _answer_to(self, id_: str, reply_to: str, whole: bytes) -> None:
        try:
            found = msgspec.msgpack.decode(whole, type=_Asked)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.refused += 1
            return
        caller = _caller(found.caller)
        asked = Asked(found.method, found.target, found.headers, found.body, caller)
        answered = await self._answer(asked)
        written = msgspec.msgpack.encode(
            _Answered(answered.status, answered.headers, answered.body)
        )
        to = id_.rpartition(".")[0]
        try:
            for headers, body in self._cut(id_, written, to):
                await self._connection.publish(reply_to, body, headers)
        except Unreachable as exc:
            log.warning("answer to another node lost", why=str(exc))

    # ---- parts and proofs

    def _cut(self, id_: str, whole: bytes, to: str) -> list[tuple[dict[str, str], bytes]]:
        size = self._connection.max_payload - HEAD_BYTES
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)] or [b""]
        cut = []
        for number, piece in enumerate(pieces, 1):
            headers = {"Ask-Id": id_, "Ask-Part": f"{number}/{len(pieces)}"}
            headers["Ask-Proof"] = self._proof(headers, piece, to)
            cut.append((headers, piece))
        return cut

    def _proof(self, headers: Mapping[str, str], body: bytes, to: str) -> str:
        said = f"{to}\n{headers.get('Ask-Id', '')}\n{headers.get('Ask-Part', '')}\n"
        return hmac.new(self._key, said.encode() + body, sha256).hexdigest()

    def _proven(self, message: Message, to: str) -> tuple[int, int, bytes] | None:
        """The part's number, of how many, and its body; None if nobody with the key has sent it."""
        headers = message.headers
        proof = headers.get("Ask-Proof", "").encode()
        if not hmac.compare_digest(proof, self._proof(headers, message.body, to).encode()):
            return None
        number, _, count = headers["Ask-Part"].partition("/")
        return int(number), int(count), message.body

    def _is_new(self, message: Message) -> bool:
        """Whether the part has not come before. Of each node the last requests are remembered."""
        who, _, count = message.headers["Ask-Id"].rpartition(".")
        seen = self._seen.setdefault(who, {})
        part = int(count), message.headers["Ask-Part"]
        if part in seen or (seen and part[0] < max(next(iter(seen))[0], 0) - SEEN):
            return False
        seen[part] = None
        while len(seen) > SEEN:
            del seen[next(iter(seen))]
        return True


def _caller(given: tuple[str, Literal["intake", "admin"], str] | None) -> Caller | None:
    return None if given is None else Caller(*given)

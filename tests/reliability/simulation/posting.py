"""Posts messages: new ones, known ones, many at once, and a repeated request under its key."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from hookbundle.actors.chat import ChatKey, Collect
from hookbundle.engine.errors import InvalidInput, QuotaReached, StoreFull
from hookbundle.engine.messages import message, parsing
from hookbundle.server.http.idempotency import Repeats, digest_of
from hookbundle.server.http.replies.join import Join
from hookbundle.tests.reliability.simulation.model import demand
from hookbundle.tests.reliability.simulation.rules.taking import fresh_of, offers_of
from hookbundle.tests.reliability.simulation.rules.written import text_of
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.tenants import Home

FIRST_SENT_S = 1_614_265_000


class Posting:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned

    def post(self, *parts: tuple[str, str, tuple[tuple[int, str], ...]], key: str = "") -> None:
        """Posts one request. A part is (workspace, chat, messages); a message is (sent, id).

        For the workspace the name of any of its webhooks may stand.
        """
        name = parts[0][0].partition(".")[0]
        home = self.model.homes.get(name)
        if home is None:
            return
        body = self._body(parts)
        wanted = self.offer(home, parts)
        work = self._intake(name, body)
        if key:
            work = self._under_key(name, key, body, work)
        got = self.scene.ask(f"post {name} {parts} {key}", work)
        if key and not self.world.lost_power and isinstance(got, bytes):
            again = self.scene.ask(f"post again {key}", self._under_key(name, key, body, work))
            demand(again == got, f"I11: the same request was answered {got!r}, then {again!r}")
            other = self._under_key(name, key, body + b" ", work)
            refused = self.scene.ask(f"post other {key}", other)
            demand(isinstance(refused, InvalidInput), f"I11: another body was {refused!r}")
            self.planned.saw("same key")
            got = tuple(msgspec.json.decode(got))
        if not self.world.lost_power:
            self.compare(got, wanted)
        self.scene.check_after_a_moment()
        home.offered.clear()

    def compare(self, got: Any, wanted: Any) -> None:
        """The answer is the one that `offer` expects."""
        answered = isinstance(got, wanted) if isinstance(wanted, type) else got == wanted
        # On a tight disk intake is refused, but not while history can make room for it.
        answered |= self.scene.tight and isinstance(got, StoreFull)
        demand(answered, f"I11: answered {got!r}, should be {wanted}")

    def offer(self, home: Home, parts: Any) -> Any:
        """The expected answer, or the error with which the request is refused.

        The answer: how many are new, known, wanted by nobody, and missed by a full webhook.
        """
        if self.scene.full:
            return StoreFull
        now_ms = self.world.now_ms()
        counts = [0, 0, 0, 0]
        refused: Any = None
        promised = dict.fromkeys((each.name for each in home.tenants), 0)
        for _, chat, messages in parts:
            fresh = fresh_of(home, chat, list(messages))
            offers = offers_of(home, chat, fresh, now_ms, promised)
            if offers.refused:
                refused = QuotaReached
                self.planned.saw("quota reached")
                continue
            for name, got in offers.got.items():
                promised[name] += len(got)
            missed = {id_ for ids in offers.missed.values() for id_ in ids}
            known = len(messages) - len(fresh)
            new = len(fresh), known, len(offers.unrouted), len(missed)
            counts = [had + more for had, more in zip(counts, new, strict=True)]
            home.offered[chat] = list(messages)
            if known:
                self.planned.saw("duplicate")
        return refused or tuple(counts)

    def _body(self, parts: Any) -> bytes:
        events = []
        for _, chat, messages in parts:
            for sent, id_ in messages:
                self.model.texts.sent.setdefault(id_, text_of(id_))
                details = {
                    "direction": "received",
                    "timestamp": 1_614_265_000 + sent,
                    "message_id": id_,
                    "text": self.model.texts.sent[id_],
                }
                chat_details = {"chat_id": chat}
                event = {"whatsapp_account": {}, "chat": chat_details, "message": details}
                events.append(event)
        return msgspec.json.encode(events)

    def _intake(self, name: str, body: bytes) -> Callable[[], Awaitable[Any]]:
        """Does what the resource for messages does, without HTTP."""
        number = self.world.daemon.partition.reads.workspace_number(name)
        tell = self.world.daemon.partition.virtual_actors.chats.tell

        async def take() -> tuple[int, ...]:
            chats = message.by_chat(parsing.parse_json(body).events)
            join = Join(len(chats))
            for chat_id, (messages, skips) in chats.items():
                tell(ChatKey(number, chat_id), Collect(tuple(messages), tuple(skips), join))
            accepted, duplicate, _ = await join.wait()
            return accepted, duplicate, join.unrouted, join.overflowed

        return take

    def _under_key(
        self, name: str, key: str, body: bytes, work: Callable[[], Awaitable[Any]]
    ) -> Callable[[], Awaitable[Any]]:
        daemon = self.world.daemon
        number, repeats = (
            daemon.partition.reads.workspace_number(name),
            Repeats(daemon.partition.store_queue, daemon.clock),
        )

        async def answer() -> bytes:
            return msgspec.json.encode(await work())

        digest = digest_of(body, "json")
        return lambda: repeats.once(number, digest_of(key.encode(), "key"), digest, answer)

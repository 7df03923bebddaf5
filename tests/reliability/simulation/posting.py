"""Posts messages: new ones, known ones, many at once, and a repeated request under its key."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from hookbundle.actors.chat import ChatKey, Collect
from hookbundle.engine.errors import InvalidInput, QuotaReached, StoreFull
from hookbundle.engine.messages import message, parsing
from hookbundle.server.http.idempotency import Repeats, digest_of
from hookbundle.server.http.resources.messages import Join
from hookbundle.tests.reliability.simulation.model import demand
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.tenants import Tenant
from hookbundle.tests.reliability.simulation.world import HELD_MAX, HELD_MS_MAX

FIRST_SENT_S = 1_614_265_000


class Posting:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned

    def post(self, *parts: tuple[str, str, tuple[tuple[int, str], ...]], key: str = "") -> None:
        """Posts one request. A part is (workspace, chat, messages); a message is (sent, id)."""
        name = parts[0][0]
        if name not in self.model.tenants:
            return
        tenant = self.model.tenants[name]
        body = self._body(parts)
        wanted = self._offer(tenant, parts)
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
            answered = isinstance(got, wanted) if isinstance(wanted, type) else got == wanted
            # On a tight disk intake is refused, but not while history can make room for it.
            answered |= self.scene.tight and isinstance(got, StoreFull)
            demand(answered, f"I11: answered {got!r}, should be {wanted}")
        self.scene.check_after_a_moment()
        tenant.offered.clear()

    def _offer(self, tenant: Tenant, parts: Any) -> Any:
        """The expected answer: (new, known), or the error with which the request is refused."""
        if self.scene.full:
            return StoreFull
        held = tenant.held()
        now_ms = self.world.now_ms()
        new = known = 0
        refused: Any = None
        for _, chat, messages in parts:
            ids = {id_ for _, id_ in messages}
            fresh = len([id_ for id_ in ids if (chat, id_) not in tenant.seen])
            if fresh and not (tenant.enabled and tenant.url):
                too_long = not tenant.enabled and now_ms - tenant.disabled_ms > HELD_MS_MAX
                if held + fresh > HELD_MAX or too_long:
                    refused = QuotaReached
                    self.planned.saw("quota reached")
                    continue
            held += fresh
            new, known = new + fresh, known + len(messages) - fresh
            tenant.offered[chat] = list(messages)
            if len(messages) > fresh:
                self.planned.saw("duplicate")
        return refused or (new, known)

    def _body(self, parts: Any) -> bytes:
        events = []
        for _, chat, messages in parts:
            for sent, id_ in messages:
                self.model.texts.setdefault(id_, f"text <{id_}>")
                details = {
                    "direction": "received",
                    "timestamp": 1_614_265_000 + sent,
                    "message_id": id_,
                    "text": self.model.texts[id_],
                }
                chat_details = {"chat_id": chat}
                event = {"whatsapp_account": {}, "chat": chat_details, "message": details}
                events.append(event)
        return msgspec.json.encode(events)

    def _intake(self, name: str, body: bytes) -> Callable[[], Awaitable[Any]]:
        """Does what the resource for messages does, without HTTP."""
        number = self.world.daemon.partition.reads.workspace_number(name)
        tell = self.world.daemon.partition.virtual_actors.chats.tell

        async def take() -> tuple[int, int]:
            chats = message.by_chat(parsing.parse_json(body).events)
            join = Join(len(chats))
            for chat_id, (messages, skips) in chats.items():
                tell(ChatKey(number, chat_id), Collect(tuple(messages), tuple(skips), join))
            accepted, duplicate, _ = await join.wait()
            return accepted, duplicate

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

"""Other systems post to sources: messages, duplicates, receipts, events that nobody knows.

Each workspace that has a source has a sender. It sends in order, and sends a request again until it
is answered with 200, as such systems do: after 429, 503 and 507, and when the connection broke. So
nothing may be lost that it still has, and nothing come twice. A request is handed to the resource
for sources, which does all that it does for one that came over HTTP.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import Mock

import msgspec
from aiohttp import web
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from hookbundle.engine.fairness.loop_share import LoopShare
from hookbundle.engine.sources.settings import SourceSettings, written
from hookbundle.server.http.idempotency import Repeats
from hookbundle.server.http.lists import LOOP_SHARE
from hookbundle.server.http.resources.messages import Intake
from hookbundle.server.http.resources.sources.intake import SourceIntake
from hookbundle.server.http.resources.sources.taking import Reader
from hookbundle.server.http.schemas.sources.answers import SourceAnswer
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.storage.transitions.sources.lifetime import CreateSource, SourceKept
from hookbundle.storage.transitions.tokens import digest_of
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.model import demand
from hookbundle.tests.reliability.simulation.posting import FIRST_SENT_S, Posting
from hookbundle.tests.reliability.simulation.rules.systems import (
    FIELDS,
    SYSTEMS,
    Event,
    unknown_body,
)
from hookbundle.tests.reliability.simulation.rules.written import text_of
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.settings import Settings
from hookbundle.tests.reliability.simulation.tenants import Home
from hookbundle.tests.reliability.simulation.troubles import Troubles

KINDS = {"short": "waha", "long": "evolution", "setup": "generic"}
WITH_SOURCES = tuple(KINDS)
CONTACTS = ("15550101234", "15550102222")
NAMED = ("phone", "both", "lid")  # a contact: by its phone, with a hidden id, by that alone

New = Callable[[int], tuple[tuple[int, str], ...]]


@dataclass(slots=True)
class Sender:
    """`waiting`: what was not answered with 200 so far, oldest first. `last`: what was."""

    kind: str
    home: Home
    token: str
    waiting: deque[tuple[Event, ...]] = field(default_factory=deque)
    last: tuple[Event, ...] | None = None
    tries: int = 0


class Sources:
    """`new` makes so many new messages."""

    def __init__(
        self, scene: Scene, posting: Posting, settings: Settings, handling: Handling, new: New
    ) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned
        self.posting = posting
        self.settings = settings
        self.handling = handling
        self.troubles = Troubles(scene)
        self.new = new
        self._senders: dict[str, Sender] = {}
        self._made = 0
        scene.at_last.append(self.send_all)

    def commands(self, rng: Random) -> list[Callable[[], None]]:
        """Each once, or more often, with what chance gives it."""
        draw = rng.choice

        def form() -> tuple[str, str, str]:
            return draw(WITH_SOURCES), draw(CONTACTS), draw(NAMED)

        return [
            lambda: self.send(*form()),
            lambda: self.send_into_a_crash(*form(), draw(("before", "after"))),
            lambda: self.send_again(draw(WITH_SOURCES), draw(CONTACTS)),
            lambda: self.hide(draw(WITH_SOURCES[:2]), draw(CONTACTS), forget=draw((False, True))),
        ]

    # ---- what a system does

    def send(self, name: str, contact: str, form: str) -> None:
        """The other system has messages: of one chat, or of two where its requests may have."""
        sender = self._sender(name)
        if sender is None:
            return
        contacts = CONTACTS if sender.kind == "evolution" else (contact,)
        for one in contacts:
            for sent, id_ in self.new(2):
                self._add(sender, Event(id_, FIRST_SENT_S + sent, text_of(id_), one, form))
        if sender.kind == "evolution":  # which sends them as a batch
            together = [sender.waiting.pop() for _ in range(2 * len(contacts))]
            sender.waiting.append(tuple(event for (event,) in reversed(together)))
        self._deliver(sender)

    def send_into_a_crash(self, name: str, contact: str, form: str, when: str) -> None:
        """The power fails while the request is taken; it is sent again to the next life."""
        if self._sender(name) is None:
            return
        self.world.daemon.disk.cut = when
        self.send(name, contact, form)
        self.troubles.end_of_cut(when)
        self._deliver(self._senders[name])

    def send_again(self, name: str, contact: str) -> None:
        """A request that was taken comes once more, as its answer was lost on the way.

        With it come a receipt and an event of another version: they are answered so that they end.
        """
        self.scene.relieve()
        self.settings.make(name)
        self.send(name, contact, "phone")
        sender = self._sender(name)
        if sender is None or sender.last is None or sender.waiting:
            return
        sender.waiting.append(sender.last)
        self._deliver(sender)
        self.planned.saw("source repeats itself")
        for body in unknown_body(sender.kind):
            got = self._ask(sender, body)
            if not self.world.lost_power:
                wanted = got.accepted + got.duplicate == 0 and sum(got.ignored.values()) == 1
                demand(wanted, f"I2: what is no message was answered {got!r}")
            self.scene.check_after_a_moment()
        self.planned.saw("source event ignored")

    def hide(self, name: str, contact: str, *, forget: bool) -> None:
        """The contact is told with a hidden id, the daemon crashes, and only that id comes.

        `forget`: its chat is deleted meanwhile, and so it is not known any more.
        """
        self.send(name, contact, "both")
        self.troubles.crash(0)
        if forget:
            self.handling.delete_chat(name, contact)
        self.send(name, contact, "lid")

    def send_all(self) -> None:
        """Nothing keeps the systems from sending what they still have."""
        for sender in self._senders.values():
            self._deliver(sender)
            is_there = self.model.homes.get(sender.home.name) is sender.home
            demand(not sender.waiting or not is_there, f"I6: not taken: {sender.waiting}")

    # ---- the machinery

    def _sender(self, name: str) -> Sender | None:
        """Of the workspace; its source is made if it has none yet."""
        home, sender = self.model.homes.get(name), self._senders.get(name)
        if home is None or (sender is not None and sender.home is home):
            return sender if home else None
        if not self.scene.takes_settings:
            return None
        self._made += 1
        kind, token = KINDS[name], f"token{self._made}"
        settings = FIELDS if kind == "generic" else SourceSettings()
        create = CreateSource(
            workspace_id=name,
            kind=kind,
            name="",
            settings=written(settings),
            digest=digest_of(token),
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(create, SourceKept)
        sender = self._senders[name] = Sender(kind, home, token)
        return sender

    def _add(self, sender: Sender, event: Event) -> None:
        self.model.texts.sent[event.id] = event.text
        sender.waiting.append((event,))

    def _deliver(self, sender: Sender) -> None:
        """What waits is sent in order, until something is not taken."""
        while sender.waiting and self.model.homes.get(sender.home.name) is sender.home:
            if not self._delivered(sender, sender.waiting[0]):
                sender.tries += 1
                return
            sender.last = sender.waiting.popleft()
            if sender.tries:
                self.planned.saw("source tries again")
            sender.tries = 0

    def _delivered(self, sender: Sender, events: tuple[Event, ...]) -> bool:
        """Whether the request was taken; what it does is compared with the model's."""
        home, learned = sender.home, dict(sender.home.phones)
        by_chat: dict[str, list[tuple[int, str]]] = {}
        for event in events:
            if event.teaches(sender.kind):
                learned[event.lid] = event.contact
            elif event.form == "lid" and sender.kind != "generic" and event.lid in learned:
                self.planned.saw("hidden id known")
            chat = event.chat_in(sender.kind, learned)
            by_chat.setdefault(chat, []).append((event.sent_s - FIRST_SENT_S, event.id))
        parts = [(home.name, chat, tuple(messages)) for chat, messages in by_chat.items()]
        wanted = self.posting.offer(home, parts)
        got = self._ask(sender, SYSTEMS[sender.kind](events))
        is_taken = isinstance(got, SourceAnswer)
        if not self.world.lost_power:
            answer = (got.accepted, got.duplicate) if is_taken else got
            self.posting.compare(answer, wanted[:2] if isinstance(wanted, tuple) else wanted)
        if is_taken:
            home.phones = learned
        self.scene.check_after_a_moment()
        home.offered.clear()
        self.planned.saw("source message")
        return is_taken

    def _ask(self, sender: Sender, body: Any) -> Any:
        data, path = msgspec.json.encode(body), f"/v1/sources/{sender.token}"

        async def posted() -> SourceAnswer:
            answer = await self._intake().post(self._request(path, sender.token, data))
            demand(answer.status == 200, f"I11: {path} was answered {answer.status}")
            assert isinstance(answer.body, bytes)
            return msgspec.json.decode(answer.body, type=SourceAnswer)

        return self.scene.ask(f"source {sender.home.name} {data.decode()}", posted)

    def _intake(self) -> SourceIntake:
        """Of the daemon of this life."""
        daemon = self.world.daemon
        known = getattr(daemon, "source_intake", None)
        if known is None:
            partition, store = daemon.partition, daemon.partition.store_queue
            tell, repeats = partition.virtual_actors.chats.tell, Repeats(store, daemon.clock)
            take = Intake(partition.reads, store, tell, repeats).take
            reader = Reader(SourceReads(partition.env))
            parts = take, daemon.observations, daemon.meters
            known = daemon.source_intake = SourceIntake(reader, store, daemon.clock, *parts)
            daemon.source_app = app = web.Application()
            app[LOOP_SHARE] = LoopShare()
        return known

    def _request(self, path: str, token: str, data: bytes) -> web.Request:
        content = StreamReader(Mock(), 2**16, loop=asyncio.get_running_loop())
        content.feed_data(data)
        content.feed_eof()
        headers = {"Host": "hooks.example", "Content-Type": "application/json"}
        return make_mocked_request(
            "POST",
            path,
            headers=headers,
            match_info={"token": token},
            payload=content,
            app=self.world.daemon.source_app,
        )

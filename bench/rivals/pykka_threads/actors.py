"""The actors of the plain-Pykka rival: a thread for each chat, one for each workspace, one clock.

A chat gathers the messages of its window and lets its thread go when the bundle is sealed. The
clock is one actor's thread for all windows: a `threading.Timer` for each would be a second thread
for each chat.
"""

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread
from typing import Any

import pykka
import requests

from hookbundle.bench.rivals import shape
from hookbundle.bench.rivals.pykka_threads.journal import Append

Ref = pykka.ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Collect:
    """Messages that are on disk, and when the window is due if they are the first of it."""

    due_ms: int
    events: Sequence[str]


@dataclass(frozen=True, slots=True)
class Due:
    """The window is over."""


@dataclass(frozen=True, slots=True)
class Deliver:
    bundle: int
    events: Sequence[str]


class Clock(Thread):
    """Tells `Due` to whoever asked for it, when it is time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._changed = Condition()
        self._heap: list[tuple[int, int, Ref]] = []
        self._turn = itertools.count()

    def call(self, due_ms: int, ref: Ref) -> None:
        with self._changed:
            heapq.heappush(self._heap, (due_ms, next(self._turn), ref))
            if self._heap[0][2] is ref:
                self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                now_ms = time.time_ns() // 1_000_000
                if not self._heap or self._heap[0][0] > now_ms:
                    wait_s = (self._heap[0][0] - now_ms) / 1_000 if self._heap else None
                    self._changed.wait(wait_s)
                    continue
                _, _, ref = heapq.heappop(self._heap)
            ref.tell(Due())


@dataclass(slots=True)
class House:
    """Who there is, by key. The lock is what makes it safe for a chat to leave."""

    clock: Clock
    journal: Ref
    url: str
    numbers: "itertools.count[int]"
    chats: dict[tuple[str, str], Ref] = field(default_factory=dict)
    webhooks: dict[str, Ref] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def tell_chat(self, ws: str, chat: str, message: Collect) -> None:
        """Raises: RuntimeError, if there can be no more threads."""
        with self.lock:
            ref = self.chats.get((ws, chat))
            if ref is None:
                ref = self.chats[ws, chat] = ChatActor.start(self, ws, chat)
            ref.tell(message)

    def webhook(self, ws: str) -> Ref:
        with self.lock:
            if ws not in self.webhooks:
                self.webhooks[ws] = WebhookActor.start(self)
            return self.webhooks[ws]

    def append(self, line: list[Any], then: Callable[[], None]) -> None:
        self.journal.tell(Append((line,), then))


class ChatActor(pykka.ThreadingActor):
    use_daemon_thread = True

    def __init__(self, house: House, ws: str, chat: str) -> None:
        super().__init__()
        self._house, self._ws, self._chat = house, ws, chat
        self._events: list[str] = []

    def on_receive(self, message: Collect | Due) -> None:
        if isinstance(message, Collect):
            if not self._events:
                self._house.clock.call(message.due_ms, self.actor_ref)
            self._events.extend(message.events)
            return
        self._seal()
        with self._house.lock:
            if self.actor_inbox.empty():
                del self._house.chats[self._ws, self._chat]
                self.stop()

    def _seal(self) -> None:
        number, events = next(self._house.numbers), tuple(self._events)
        webhook = self._house.webhook(self._ws)
        self._house.append(
            ["s", number, self._ws, self._chat, len(events)],
            lambda: webhook.tell(Deliver(number, events)),
        )
        self._events.clear()


class WebhookActor(pykka.ThreadingActor):
    """Posts bundles in the order of its inbox; it waits out errors, and nobody overtakes."""

    use_daemon_thread = True

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self._client = requests.Session()
        self._client.trust_env = False  # or each request would look for proxies and ~/.netrc

    def on_receive(self, message: Deliver) -> None:
        body = shape.bundle_body([event.encode() for event in message.events])
        errors = 0
        while not self._accepted(body, shape.headers(message.bundle)):
            errors += 1
            time.sleep(shape.wait_s(errors))
        self._house.append(["d", message.bundle], lambda: None)

    def _accepted(self, body: bytes, headers: dict[str, str]) -> bool:
        try:
            timeout_s = shape.REQUEST_TIMEOUT_S
            answer = self._client.post(
                self._house.url, body, headers=headers, timeout=timeout_s, allow_redirects=False
            )
        except requests.RequestException:
            return False
        return answer.status_code == 200

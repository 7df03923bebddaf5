"""Of a random life: resends, replays and their steps."""

import random
from abc import ABC, abstractmethod
from typing import Any

from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery, ReplayFilter
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.repeating.replaying import CancelReplay, StartReplay
from hookbundle.storage.transitions.repeating.resending import ResendDelivery
from hookbundle.storage.transitions.timed.replay_steps import ReplayStep
from hookbundle.tests.storage.scratch import HOUR_MS

WORKSPACES = ("acme", "blue", "cyan")


class Repeats(ABC):
    env: Environment
    rng: random.Random
    now_ms: int

    @abstractmethod
    def number(self) -> int: ...

    @abstractmethod
    def webhook(self) -> int: ...

    @abstractmethod
    def webhook_id(self) -> str: ...

    @abstractmethod
    def chat(self) -> str: ...

    def limits(self) -> dict[str, Any]:
        """What a webhook takes for a success, and its rate and budget, chosen by the time alone."""
        success = self.rng.choice((None, "200", "2xx"))
        paces = random.Random(self.now_ms)
        rate_count, rate_ms = paces.choice(((None, None), (0, 0), (0, 0), (2, 1_000)))
        budget = paces.choice((None, 0, 0, 300))
        rate = {"rate_count": rate_count, "rate_ms": rate_ms}
        return {"success": success, "budget": budget, **rate}

    def resend(self) -> ResendDelivery | None:
        """Of any delivery there is; nearly always of one that was delivered."""
        found: list[tuple[str, str]] = []
        any_state = self.rng.random() < 0.1
        with self.env.read() as txn:
            for view in Reads(self.env).workspaces(100).found:
                for number in (hook.webhook.number for hook in view.webhooks):
                    for key, value in rows.rows(txn, keyspace.owned(keyspace.DELIVERIES, number)):
                        head = codec.unpack(key, value, Delivery)
                        if any_state or head.state == "delivered":
                            found.append((view.settings.id, queue.delivery_id(number, head)))
        if not found:
            return None
        name, delivery_id = self.rng.choice(found)
        of: dict[str, Any] = {"workspace_id": name, "delivery_id": delivery_id}
        return ResendDelivery(now_ms=self.now_ms, caller="test", **of)

    def replay(self) -> StartReplay | CancelReplay:
        workspace_id, now_ms, rng = self.rng.choice(WORKSPACES), self.now_ms, self.rng
        of: dict[str, Any] = {"workspace_id": workspace_id, "now_ms": now_ms, "caller": "test"}
        if rng.random() < 0.3:
            under_way = [
                (view.settings.id, hook.state.replay)
                for view in Reads(self.env).workspaces(100).found
                for hook in view.webhooks
                if hook.state.replay
            ]
            of["workspace_id"], number = rng.choice(under_way or [(workspace_id, 1)])
            return CancelReplay(number=number, **of)
        states = rng.choice((("dead_letter",), ("delivered",), ("dead_letter", "delivered")))
        wanted = ReplayFilter(
            states=states,
            chat=rng.choice(("", self.chat())),
            http_status=rng.choice((0, 0, 404)),
            since_ms=rng.choice((0, now_ms - 24 * HOUR_MS)),
        )
        of["webhook_id"] = self.webhook_id()
        return StartReplay(wanted=wanted, deliveries=1, messages=1, **of)

    def replay_on(self) -> ReplayStep:
        return ReplayStep(self.webhook(), self.rng.choice((1, 2, 500)), self.now_ms)

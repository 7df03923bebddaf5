"""Of a random life: webhooks that come, change, are switched and go, and their steps."""

import random
from typing import Any

from hookbundle.engine.windows.parsing import written
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.settings import OUTBOUND, Webhook
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep
from hookbundle.storage.transitions.timed.merge_steps import MergeStep
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import ChangeWebhook, DeleteWebhook
from hookbundle.storage.transitions.webhooks.merging import MergeWebhook
from hookbundle.tests.storage.random_repeats import WORKSPACES, Repeats
from hookbundle.tests.storage.scratch import HOUR_MS

FILTERS = (b'{"chat_ids":["chat 1","chat 2"]}', b'{"text_lacks":["7"]}')
IDS = (OUTBOUND, "crm", "dwh")
WINDOWS = tuple(
    written(value)
    for value in (
        {"quiet": "1m", "max": "2h"},
        {"every": "1h", "first": "now"},
        {"at": ["06:00", "18:00"], "first": "now"},
        {"quiet": "1h", "first": "now", "hours": {"from": "20:00", "to": "08:00"}},
        {
            "rules": [
                {"match": {"chat_ids": ["c"]}, "window": {"quiet": "10m", "first": "now"}},
                {"match": {"text_contains": "7"}, "window": "none"},
            ],
            "else": {"at": ["12:00"], "days": "sun-thu"},
        },
    )
)


class RandomWebhooks(Repeats):
    several: bool

    def webhook(self) -> int:
        """The number of a webhook, if there are several also of one that is being erased."""
        if not self.several:
            return self.number()
        with self.env.read() as txn:
            found = [
                webhook.number
                for view in Reads(self.env).workspaces(100).found
                for webhook in rows.all_webhooks(txn, view.settings.number)
            ]
        return self.rng.choice(found or [1])

    def webhook_id(self) -> str:
        return self.rng.choice(IDS) if self.several else OUTBOUND

    def leaving(self) -> list[int]:
        """The numbers of the webhooks that were deleted and are being erased."""
        with self.env.read() as txn:
            found = [rows.get(txn, key, Webhook) for key, _ in rows.rows(txn, keyspace.WEBHOOKS)]
        return [each.number for each in found if each is not None and each.deleted_ms]

    # ---- transitions

    def hook(self) -> ChangeWebhook:
        rng = self.rng
        given: dict[str, Any] = {
            "url": rng.choice((None, "http://r.example/1", "http://r.example/2")),
            "aggregation_ms": rng.choice((None, 0, HOUR_MS, 6 * HOUR_MS)),
            "window": self.window(),
            "filter": rng.choice((None, None, b"", *FILTERS)),
            "messages_max": rng.choice((None, None, 3)),
            "budget": rng.choice((None, None, 0, 9)),
            "enabled": rng.choice((None, None, True, False)),
        }
        return ChangeWebhook(
            workspace_id=rng.choice(WORKSPACES),
            webhook_id=self.webhook_id(),
            changes=WebhookChanges(**given),
            precondition=None,
            may_create=True,
            new_secret="whsec_AAAA",
            now_ms=self.now_ms,
            caller="test",
        )

    def window(self) -> bytes | None:
        """A rule, in some changes. Chosen by the time alone."""
        return random.Random(self.now_ms).choice((*[None] * 10, *WINDOWS))

    def drop_hook(self) -> DeleteWebhook:
        return DeleteWebhook(
            workspace_id=self.rng.choice(WORKSPACES),
            webhook_id=self.webhook_id(),
            precondition=None,
            now_ms=self.now_ms,
            caller="test",
        )

    def erase_hook(self) -> DeleteStep | RetimeWindows | None:
        """What the timer does with a webhook that was deleted."""
        rng, dues = self.rng, DueReads(self.env)
        leaving = self.leaving()
        if found := [row for row in dues.due(DueKind.RETIME, 0, 100) if row.number in leaving]:
            number, most = rng.choice(found).number, rng.choice((1, 100))
            return RetimeWindows(number, most, self.now_ms, "the inbox")
        if found := dues.due(DueKind.DELETE, 0, 100):
            return DeleteStep(rng.choice(found).number, rng.choice((1, 3, 500)), self.now_ms)
        return None

    def merge(self) -> MergeWebhook | MergeStep:
        if rows := DueReads(self.env).due(DueKind.MERGE, 0, 100):
            row, most = self.rng.choice(rows), self.rng.choice((1, 3, 500))
            return MergeStep(row.number, most, self.now_ms, "the inbox")
        return MergeWebhook(
            workspace_id=self.rng.choice(WORKSPACES),
            webhook_id=self.webhook_id(),
            now_ms=self.now_ms,
            caller="test",
        )

    def switch(self) -> EnableWebhook | DisableWebhook:
        workspace_id, now_ms = self.rng.choice(WORKSPACES), self.now_ms
        of: dict[str, Any] = {"workspace_id": workspace_id, "now_ms": now_ms}
        if self.several:
            of["webhook_id"] = self.webhook_id()
        if self.rng.random() < 0.3:
            return DisableWebhook(caller="test", **of)
        return EnableWebhook(discard=self.rng.random() < 0.3, caller="test", **of)

    def retime(self) -> RetimeWindows:
        return RetimeWindows(self.webhook(), 100, self.now_ms, "the inbox")

    def move(self) -> MoveDeliveries:
        return MoveDeliveries(self.webhook(), self.rng.choice((1, 2, 500)), self.now_ms)

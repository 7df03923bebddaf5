"""A delivery as a reader sees it: whatever became of it, and how its webhook is doing.

What is not there any more is not found: 410 if it was, or may have been. A delivery of a deleted
chat is gone at once, though its records are erased later.
"""

from dataclasses import dataclass, replace
from functools import partial

import lmdb

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Gone, NotFound
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Attempt, Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Meta, Usage, WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.lookup import owner_of
from hookbundle.storage.reads.workspace_view import WorkspaceView, state_in, view_in
from hookbundle.storage.tables import bodies, detailed_log, history, merging, moving, queue

ATTEMPTS_MAX = detailed_log.ATTEMPTS_MAX
WAITS = (DeliveryState.QUEUED, DeliveryState.DEAD_LETTER)


@dataclass(frozen=True, slots=True)
class KeptAttempt:
    """An attempt by its number; `result` is None if its record is damaged."""

    number: int
    result: Attempt | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery, changed to what it is for every caller, and the state of its webhook.

    `webhook_id`: its name. `body`, `attempts`: empty in lists. Of the attempts the oldest come
    first, and those that are kept.
    """

    id: str
    workspace_id: str
    webhook_id: str
    delivery: Delivery
    webhook: WebhookState
    body: bytes = b""
    attempts: tuple[KeptAttempt, ...] = ()

    @property
    def dead_letter(self) -> bool:
        return self.delivery.state == DeliveryState.DEAD_LETTER

    @property
    def waits(self) -> bool:
        return self.delivery.state in WAITS

    def seen_as(self, alive_since_ms: int) -> DeliveryState:
        return seen_as(self.webhook, self.delivery, alive_since_ms)


def seen_as(state: WebhookState, delivery: Delivery, alive_since_ms: int) -> DeliveryState:
    """Its state for every caller, one that is being sent told apart."""
    found = moving.state_of(state, delivery)
    is_sent = queue.is_under_way(state, delivery.number, alive_since_ms)
    return DeliveryState.IN_FLIGHT if found is DeliveryState.QUEUED and is_sent else found


def delivery_of(
    workspace_id: str, webhook: Webhook, state: WebhookState, delivery: Delivery
) -> DeliveryView:
    """The stored delivery as it is seen; it is changed."""
    name = queue.delivery_id(webhook.number, delivery)
    seen = moving.as_seen(state, delivery)
    return DeliveryView(name, workspace_id, webhook.id, seen, state)


def is_erased(txn: lmdb.Transaction, usage: Usage, workspace: int, delivery: Delivery) -> bool:
    """Whether the delivery's chat was deleted after it was sealed: then it is not shown."""
    if not usage.erasures:
        return False
    return delivery.number < erased_before(txn, workspace, delivery.chat_id.encode())


def erased_before(txn: lmdb.Transaction, workspace: int, chat: bytes) -> int:
    """The chat's deliveries with a lower number are deleted; 0: none is."""
    erasure = rows.get(txn, keyspace.owned(keyspace.ERASURES, workspace, chat), Erasure)
    return erasure.before if erasure else 0


class DeliveryReads:
    """Look-ups of one delivery, from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def delivery(
        self, delivery_id: str, workspace_id: str = "", *, in_full: bool = False
    ) -> DeliveryView:
        """The delivery, `in_full` with its body and its attempts.

        Raises: NotFound if there is none, or if it is of another workspace than the given one;
        Gone if it is no longer kept.
        """
        epoch, webhook_number, number = queue.parse_delivery_id(delivery_id)
        with self._env.read() as txn:
            _, name = owner_of(txn, webhook_number)
            if not name or workspace_id not in ("", name):
                raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
            view = view_in(txn, name)
            stored = merging.named(partial(_head, txn, webhook_number), number)
            # The whole id is compared: another epoch may have had the same number.
            if stored is None or queue.delivery_id(webhook_number, stored) != delivery_id:
                meta = rows.get(txn, keyspace.META, Meta) or Meta()
                if epoch == self._env.identity.epoch and number < meta.delivery_next:
                    raise Gone.of(Code.DELIVERY_TRIMMED, delivery=delivery_id)
                raise NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
            if is_erased(txn, view.usage, view.settings.number, stored):
                raise Gone.of(Code.DELIVERY_TRIMMED, delivery=delivery_id)
            return self._found(txn, view, webhook_number, stored, in_full=in_full)

    def _found(
        self,
        txn: lmdb.Transaction,
        view: WorkspaceView,
        webhook_number: int,
        stored: Delivery,
        *,
        in_full: bool,
    ) -> DeliveryView:
        webhooks = rows.webhooks(txn, view.settings.number)
        webhook = next(each for each in webhooks if each.number == webhook_number)
        found = delivery_of(view.settings.id, webhook, state_in(txn, webhook), stored)
        if not in_full:
            return found
        get = partial(rows.get_raw, txn)
        return replace(
            found,
            body=bodies.read(get, webhook_number, stored.number, stored.body_bytes),
            attempts=attempts_of(txn, webhook_number, stored),
        )


def _head(txn: lmdb.Transaction, webhook: int, number: int) -> Delivery | None:
    return rows.get(txn, history.key_of(webhook, number), Delivery)


def attempts_of(txn: lmdb.Transaction, webhook: int, delivery: Delivery) -> tuple[KeptAttempt, ...]:
    """Those that are kept, the oldest first."""
    found = []
    for number in range(max(1, delivery.attempts - ATTEMPTS_MAX + 1), delivery.attempts + 1):
        key = keyspace.of_delivery(keyspace.ATTEMPTS, webhook, delivery.number, number)
        value = rows.get_raw(txn, key)
        if value is not None:
            found.append(KeptAttempt(number, damaged.without(key, value, Attempt)))
    return tuple(found)

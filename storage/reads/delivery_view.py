"""A delivery as a reader sees it: whatever became of it, and how its webhook is doing.

What is not there any more is not found: 410 if it was, or may have been. A delivery of a deleted
chat is gone at once, though its records are erased later.
"""

from functools import partial

import lmdb
import msgspec
from msgspec.structs import replace

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Gone, NotFound
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Attempt, Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import Meta, Usage, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import Webhook, Workspace
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.workspace_view import state_in, usage_in, webhook_of
from hookbundle.storage.tables import bodies, detailed_log, history, moving, queue
from hookbundle.storage.tables.merging import places
from hookbundle.storage.tables.rendering.previous import previous_id

ATTEMPTS_MAX = detailed_log.ATTEMPTS_MAX
WAITS = (DeliveryState.QUEUED, DeliveryState.DEAD_LETTER)


class KeptAttempt(msgspec.Struct, frozen=True):
    """An attempt by its number; `result` is None if its record is damaged."""

    number: int
    result: Attempt | None


class DeliveryView(msgspec.Struct, frozen=True):
    """A delivery, changed to what it is for every caller, and the state of its webhook.

    `webhook_id`: its name. `body`, `previous_id`, `attempts`: empty in lists. Of the attempts the
    oldest come first, and those that are kept.
    """

    id: str
    workspace_id: str
    webhook_id: str
    delivery: Delivery
    webhook: WebhookState
    body: bytes = b""
    previous_id: str = ""
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
        _, webhook_number, number = queue.parse_delivery_id(delivery_id)
        with self._env.read() as txn:
            owner = webhook_of(txn, webhook_number)
            if owner is None or workspace_id not in ("", owner[0].id):
                raise self._none(txn, delivery_id, webhook_number, workspace_id)
            settings, webhook = owner
            first_key = partial(rows.first_key, txn)
            stored = _head(txn, webhook_number, places.place_of(first_key, webhook_number, number))
            # The whole id is compared: another epoch may have had the same number.
            if stored is None or queue.delivery_id(webhook_number, stored) != delivery_id:
                raise self._gone(txn, delivery_id)
            if is_erased(txn, usage_in(txn, settings.number), settings.number, stored):
                raise Gone.of(Code.DELIVERY_TRIMMED, delivery=delivery_id)
            return self._found(txn, settings, webhook, stored, in_full=in_full)

    def _gone(self, txn: lmdb.Transaction, delivery_id: str) -> NotFound | Gone:
        """Of one that is not there: whether it may have been."""
        epoch, _, number = queue.parse_delivery_id(delivery_id)
        meta = rows.get(txn, keyspace.META, Meta) or Meta()
        if epoch == self._env.identity.epoch and number < meta.delivery_next:
            return Gone.of(Code.DELIVERY_TRIMMED, delivery=delivery_id)
        return NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)

    def _none(
        self, txn: lmdb.Transaction, delivery_id: str, webhook: int, workspace_id: str
    ) -> NotFound | Gone:
        """Of a webhook that is not there: one that is being erased had deliveries."""
        state = rows.get(txn, keyspace.owned(keyspace.STATES, webhook), WebhookState)
        key = keyspace.owned(keyspace.NAMES, state.workspace) if state else b""
        name = rows.get(txn, key, WorkspaceName) if key else None
        if name is None or workspace_id not in ("", name.id):
            return NotFound.of(Code.NO_DELIVERY, delivery=delivery_id)
        return self._gone(txn, delivery_id)

    def _found(
        self,
        txn: lmdb.Transaction,
        settings: Workspace,
        webhook: Webhook,
        stored: Delivery,
        *,
        in_full: bool,
    ) -> DeliveryView:
        found = delivery_of(settings.id, webhook, state_in(txn, webhook), stored)
        if not in_full:
            return found
        get = partial(rows.get_raw, txn)
        return replace(
            found,
            body=bodies.sent(get, webhook.number, stored),
            previous_id=previous_id(partial(rows.rows_before, txn), get, webhook, stored),
            attempts=attempts_of(txn, webhook.number, stored),
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

"""Deliveries of deleted chats: never sent, and erased in steps.

A chat's deletion says which of its deliveries it means: those with a number below `Erasure.before`.
Nothing else is written of them then. The chain of the workspace (erase_steps.py) erases them, and
so does the sender, who would else walk past all of them before each attempt.
"""

from hookbundle.engine.delivery import states
from hookbundle.engine.delivery.states import DELIVERY_MOVES, DeliveryState
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.facts import Was
from hookbundle.storage.tables import detailed_log, history, moving, queue
from hookbundle.storage.tables.repeating import resends

HEADS_AT_ONCE = 250  # deliveries of deleted chats at the head of a queue
HEADS_BYTES_MAX = 4 * 1024 * 1024
WAITED: dict[str, Was] = {DeliveryState.QUEUED: "queued", DeliveryState.DEAD_LETTER: "dead_letter"}


def of_chat(unit: Unit, workspace: int, chat: bytes) -> Erasure | None:
    """What is being erased of the chat, which was deleted."""
    # The counter saves a look-up for each delivery: nearly all workspaces have no erasure.
    if not unit.usage(workspace).erasures:
        return None
    return unit.get(keyspace.owned(keyspace.ERASURES, workspace, chat), Erasure)


def is_erased(unit: Unit, webhook: Webhook, delivery: Delivery) -> bool:
    """Whether the delivery's chat was deleted after it was sealed. It must not be sent then."""
    if not unit.usage(webhook.workspace).erasures:  # as above, and here for each attempt
        return False
    erasure = of_chat(unit, webhook.workspace, delivery.chat_id.encode())
    return erasure is not None and delivery.number < erasure.before


def erase(
    unit: Unit, settings: Settings, webhook: Webhook, chat: bytes, number: int, now_ms: int
) -> history.Size:
    """The chat's delivery is gone, with all of it but the log's entries. Returns what it had.

    `forget_entries` takes these, for several deliveries at once.
    """
    delivery = unit.readable(history.key_of(webhook.number, number), Delivery)
    if delivery is None:
        unit.delete(keyspace.chat_delivery(webhook.workspace, chat, number, webhook.number))
        history.delete_unreadable(unit, webhook.number, number)
        return history.Size(0, history.ROWS_MAX)
    size = history.size_of(delivery)
    if delivery.state not in WAITED:
        if delivery.resending:
            _end_resend(unit, settings, webhook, delivery, now_ms)
        history.trim(unit, webhook, delivery)
        return size
    seen = queue.state_of(unit, webhook.number, delivery)
    queue.remove(unit, webhook, delivery, size.weight)
    history.delete(unit, webhook, delivery)
    if seen is DeliveryState.DISCARDED:  # by a command that has counted and told it
        return size
    states.move(DELIVERY_MOVES, seen, DeliveryState.DISCARDED)
    unit.meta.totals.discarded += 1
    if webhook.deleted_ms:  # what it held was told of when it was deleted
        return size
    fact = facts.DeliveryDiscarded(
        delivery=queue.delivery_id(webhook.number, delivery),
        was=WAITED[moving.state_of(unit.state(webhook.number), delivery)],
        deliveries=1,
        messages=delivery.messages,
        reason="chat deleted",
    )
    unit.tell(settings.workspace, fact, now_ms, chat.decode(), webhook.id)
    return size


def _end_resend(
    unit: Unit, settings: Settings, webhook: Webhook, delivery: Delivery, now_ms: int
) -> None:
    was_waiting = resends.is_waiting(unit.state(webhook.number), delivery)
    resends.take_out(unit, webhook, delivery, "dropped")
    if was_waiting and not webhook.deleted_ms:  # else a command has told it
        fact = facts.DeliveryResendEnded(
            delivery=queue.delivery_id(webhook.number, delivery),
            deliveries=1,
            messages=delivery.messages,
            reason="chat deleted",
        )
        unit.tell(settings.workspace, fact, now_ms, delivery.chat_id, webhook.id)


def erase_heads(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    head: Delivery,
    now_ms: int,
    after: int = 0,
) -> None:
    """The head of the queue, of a deleted chat, is gone, and those behind it that are likewise.

    `after`: the head is the first one with a higher number.
    """
    budget, erased = history.Budget(HEADS_AT_ONCE, HEADS_BYTES_MAX), set[int]()
    following: Delivery | None = head
    while following is not None and not budget.is_spent():
        if not is_erased(unit, webhook, following):
            break
        chat = following.chat_id.encode()
        size = erase(unit, settings, webhook, chat, following.number, now_ms)
        budget.spend(size.weight, size.rows, records=1)
        erased.add(following.number)
        following = queue.head(unit, webhook, after)
    forget_entries(unit, webhook.number, erased)


def forget_entries(unit: Unit, webhook: int, erased: set[int]) -> None:
    """The detailed log has no entry of these deliveries."""
    if not erased:
        return
    for key, entry in detailed_log.entries(unit, webhook).items():
        if entry.delivery in erased:
            unit.delete(key)

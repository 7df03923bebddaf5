"""The rules for a delivery: its head, its body, its attempts, and its rows of the indexes.

The rule for a head says which other rows it needs; the rules for those rows say the reverse, that
there is a head which needs them.
"""

from collections.abc import Generator, Iterator

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.delivery_records import Attempt, Chunk, Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live
from hookbundle.storage.tables import bodies, contacts, detailed_log, history, moving
from hookbundle.storage.tables.dead_letters import kinds
from hookbundle.storage.tables.repeating import resends

Problems = Iterator[str]

WAITING = (DeliveryState.QUEUED.value, DeliveryState.DEAD_LETTER.value)
MERGED = DeliveryState.MERGED.value
ENDED = (DeliveryState.DELIVERED.value, DeliveryState.DISCARDED.value, MERGED)


def check_delivery(ledger: Ledger, key: bytes, delivery: Delivery) -> Problems:
    webhook, number = key_fields.owner(key), key_fields.number(key)
    if not (yield from is_live(ledger.owner_of_webhook(webhook), "webhook")):
        return
    workspace = ledger.workspace_of(webhook)
    assert workspace is not None  # it is live
    if delivery.number != number:
        yield f"says it is number {delivery.number}"
        return
    if number >= ledger.meta.delivery_next:
        yield "has a number that was never assigned"
    if delivery.body_bytes < 1 or delivery.messages < 1:
        yield f"has {delivery.messages} messages in {delivery.body_bytes} bytes"
    if delivery.arrival_bytes not in (0, 4 * delivery.messages):
        yield f"has {delivery.messages} messages, and {delivery.arrival_bytes} bytes of arrivals"
    if delivery.state in WAITING:
        yield from _check_waits(ledger, webhook, delivery)
    elif delivery.state in ENDED:
        if delivery.resending:
            yield from _check_resends(ledger, webhook, delivery)
        yield from _check_is_over(ledger, workspace, webhook, delivery)
    else:
        yield f"is stored as {delivery.state!r}, which is no state of a stored delivery"
    if (delivery.state == MERGED) != bool(delivery.merged_into):
        yield f"is stored as {delivery.state!r}, and is merged into {delivery.merged_into!r}"
    if delivery.named >= ledger.meta.delivery_next or delivery.named == number:
        yield f"has number {delivery.named} in its id, which is no other one's"
    if delivery.named and not ledger.has(keyspace.place(webhook, delivery.named, number)):
        yield f"is not found by number {delivery.named}, which is in its id"
    if delivery.replay:
        ledger.replaying[workspace, delivery.replay] += 1
    yield from _check_body(ledger, webhook, delivery)
    yield from _check_attempts(ledger, webhook, delivery)
    chat = delivery.chat_id.encode()
    if not ledger.has(keyspace.chat_delivery(workspace, chat, number, webhook)):
        yield f"is not among the deliveries of chat {delivery.chat_id!r}"
    erasure = ledger.erasure_of(workspace, chat)
    if erasure is None or number >= erasure.before:  # else its chat was deleted, with its phones
        yield from _check_phone(ledger, workspace, chat, delivery.phone)


def check_chunk(ledger: Ledger, key: bytes, chunk: Chunk) -> Problems:
    webhook, delivery, number = key_fields.of_delivery(key)
    head = yield from _head_of(ledger, webhook, delivery)
    if head is None:
        return
    wanted = min(bodies.CHUNK_BYTES, head.body_bytes - number * bodies.CHUNK_BYTES)
    arrivals = 0 if number else head.arrival_bytes
    if len(chunk.arrivals) != arrivals:
        yield f"has {len(chunk.arrivals)} of {arrivals} bytes of arrivals"
    if wanted <= 0:
        yield f"is beyond the end of a body of {head.body_bytes} bytes"
    elif len(chunk.body) != wanted:
        yield f"has {len(chunk.body)} of {wanted} bytes"


def check_rendered_chunk(ledger: Ledger, key: bytes, chunk: Chunk) -> Problems:
    webhook, delivery, number = key_fields.of_delivery(key)
    head = yield from _head_of(ledger, webhook, delivery)
    if head is None:
        return
    wanted = min(bodies.CHUNK_BYTES, head.rendered_bytes - number * bodies.CHUNK_BYTES)
    if wanted <= 0:
        yield f"is beyond the end of a rendered body of {head.rendered_bytes} bytes"
    elif len(chunk.body) != wanted or chunk.arrivals:
        yield f"has {len(chunk.body)} of {wanted} bytes"


def check_attempt(ledger: Ledger, key: bytes, attempt: Attempt) -> Problems:
    webhook, delivery, number = key_fields.of_delivery(key)
    head = yield from _head_of(ledger, webhook, delivery)
    if head is None:
        return
    oldest = max(1, head.attempts - detailed_log.ATTEMPTS_MAX + 1)
    if not oldest <= number <= head.attempts:
        yield f"is not among the last {detailed_log.ATTEMPTS_MAX} of {head.attempts}"


def check_waiting(ledger: Ledger, key: bytes) -> Problems:
    """For QUEUED, and for the rows of dead letters of all kinds."""
    head = yield from _head_of(ledger, key_fields.owner(key), key_fields.number(key))
    if head is None:
        return
    if head.state not in WAITING or moving.prefix_of(head) != key[:1]:
        reason = f" of reason {head.dead_reason!r}" if head.dead_reason else ""
        yield f"its delivery is stored as {head.state!r}{reason}"


def check_resend(ledger: Ledger, key: bytes) -> Problems:
    head = yield from _head_of(ledger, key_fields.owner(key), key_fields.number(key))
    if head is not None and not head.resending:
        yield "its delivery is not to be resent"


def check_place(ledger: Ledger, key: bytes) -> Problems:
    webhook, named, number = key_fields.place(key)
    head = yield from _head_of(ledger, webhook, number)
    if head is not None and head.named != named:
        yield f"its delivery has number {head.own_number} in its id"


def check_ended(ledger: Ledger, key: bytes) -> Problems:
    ended_ms = key_fields.ended_ms(key)
    delivery, webhook = key_fields.chat_delivery(key)
    head = yield from _head_in(ledger, key_fields.owner(key), webhook, delivery)
    if head is None:
        return
    if head.state not in ENDED or head.resending:
        yield f"its delivery is stored as {head.state!r}"
    if head.ended_ms != ended_ms:
        yield f"is at {ended_ms}, but its delivery ended at {head.ended_ms}"


def check_chat_delivery(ledger: Ledger, key: bytes) -> Problems:
    workspace, chat, _ = key_fields.of_chat(key)
    delivery, webhook = key_fields.chat_delivery(key)
    head = yield from _head_in(ledger, workspace, webhook, delivery)
    if head is not None and head.chat_id.encode() != chat:
        yield f"its delivery is of chat {head.chat_id!r}"


def check_chat_phone(ledger: Ledger, key: bytes) -> Problems:
    number, chat, phone = key_fields.of_chat(key)
    chat.decode()
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    if contacts.digits_of(phone.decode()) != phone or not phone:
        yield "is not made of digits"
    if not ledger.has(keyspace.phone_chat(number, phone, chat)):
        yield "has no row among the chats of the phone"
    if not ledger.has_any(keyspace.of_chat(keyspace.CHAT_DELIVERIES, number, chat)):
        yield "is of a chat without a delivery"


def check_phone_chat(ledger: Ledger, key: bytes) -> Problems:
    number, phone, chat = key_fields.of_chat(key)
    phone.decode()
    if not (yield from is_live(ledger.owner(number), "workspace")):
        return
    if not ledger.has(keyspace.of_chat(keyspace.CHAT_PHONES, number, chat, phone)):
        yield "has no row among the phones of the chat"


def _head_in(
    ledger: Ledger, workspace: int, webhook: int, delivery: int
) -> Generator[str, None, Delivery | None]:
    """As `_head_of`, of a row that belongs to a workspace."""
    if not (yield from is_live(ledger.owner(workspace), "workspace")):
        return None
    if ledger.workspace_of(webhook) != workspace:
        yield f"is of webhook {webhook}, which is not of this workspace"
        return None
    return (yield from _head_of(ledger, webhook, delivery))


def _head_of(ledger: Ledger, webhook: int, delivery: int) -> Generator[str, None, Delivery | None]:
    """The head that the row belongs to; it is a problem if there is none.

    None also if it is damaged, which is reported at its own key, or being erased.
    """
    if not (yield from is_live(ledger.owner_of_webhook(webhook), "webhook")):
        return None
    key = history.key_of(webhook, delivery)
    head = ledger.get(key, Delivery)
    if head is None and not ledger.has(key):
        yield "belongs to no delivery"
    return head


def _check_waits(ledger: Ledger, webhook: int, delivery: Delivery) -> Problems:
    tally, prefix = ledger.of_webhook(webhook), moving.prefix_of(delivery)
    tally.waiting_bytes += history.weight(delivery)
    # What is being moved is counted as what it is to become.
    counted = moving.state_of(ledger.state_of(webhook), delivery)
    if counted is DeliveryState.QUEUED:
        tally.queued += 1
        tally.queued_messages += delivery.messages
    elif counted is DeliveryState.DEAD_LETTER:
        tally.dead_letters += 1
        tally.dead_letter_messages += delivery.messages
        if delivery.dead_reason == kinds.FAILS:
            tally.fails += 1
            tally.fails_messages += delivery.messages
        elif delivery.dead_reason == kinds.FORMAT:
            tally.unrendered += 1
            tally.unrendered_messages += delivery.messages
    if not ledger.has(keyspace.owned_numbered(prefix, webhook, delivery.number)):
        where = "in the queue" if prefix == keyspace.QUEUED else "among the dead letters"
        yield f"is stored as {delivery.state!r}, but is not {where}"
    if delivery.ended_ms:
        yield f"is stored as {delivery.state!r}, but says that it ended at {delivery.ended_ms}"
    if delivery.dead_reason not in kinds.REASONS:
        yield f"says that it is a dead letter by {delivery.dead_reason!r}, which is no reason"
    elif delivery.dead_reason and delivery.state == DeliveryState.QUEUED and not delivery.replay:
        yield f"is stored as 'queued', but has reason {delivery.dead_reason!r} of a dead letter"


def _check_resends(ledger: Ledger, webhook: int, delivery: Delivery) -> Problems:
    if resends.is_waiting(ledger.state_of(webhook), delivery):  # else it is over, and its row stays
        tally = ledger.of_webhook(webhook)
        tally.resending += 1
        tally.resending_messages += delivery.messages
    if delivery.state != DeliveryState.DELIVERED:
        yield f"is to be resent, but is stored as {delivery.state!r}"
    if not ledger.has(keyspace.owned_numbered(keyspace.RESENDS, webhook, delivery.number)):
        yield "is to be resent, but is not among the resends"


def _check_is_over(ledger: Ledger, workspace: int, webhook: int, delivery: Delivery) -> Problems:
    tally = ledger.of_workspace(workspace)
    tally.history += 1
    tally.history_bytes += history.weight(delivery)
    row = keyspace.ended(workspace, delivery.ended_ms, delivery.number, webhook)
    if not delivery.resending and not ledger.has(row):
        yield f"is not among those that ended at {delivery.ended_ms}"


def _check_body(ledger: Ledger, webhook: int, delivery: Delivery) -> Problems:
    """Which chunks there are; `check_chunk` looks at their sizes."""
    sealed, rendered = delivery.body_bytes, delivery.rendered_bytes
    for size, prefix, what in (
        (sealed, bodies.SEALED, "body"),
        (rendered, bodies.RENDERED, "rendered body"),
    ):
        wanted = bodies.chunks_of(size)
        owned = keyspace.owned_numbered(prefix, webhook, delivery.number)
        found = rows.first_of(ledger.txn, owned, wanted)
        numbers = [key_fields.of_delivery(key)[2] for key in found]
        if len(found) < wanted or numbers != list(range(wanted)):
            missing = next(n for n in range(wanted) if n not in numbers)
            yield f"chunk {missing} of its {what} is missing"
    if rendered and not delivery.attempts and delivery.state in WAITING:
        state = ledger.get(keyspace.owned(keyspace.STATES, webhook), WebhookState)
        flight = state.flight if state else None
        if flight is None or flight.delivery != delivery.number:
            yield "has a rendered body that no attempt sends"


def _check_attempts(ledger: Ledger, webhook: int, delivery: Delivery) -> Problems:
    prefix = keyspace.owned_numbered(keyspace.ATTEMPTS, webhook, delivery.number)
    counted = sum(len(value) for _, value in rows.rows(ledger.txn, prefix))
    if counted != delivery.attempt_bytes:
        yield f"says attempt_bytes {delivery.attempt_bytes}, counted {counted}"


def _check_phone(ledger: Ledger, workspace: int, chat: bytes, phone: str) -> Problems:
    """A delivery's chat is found by its phone, unless it has had too many others before."""
    digits = contacts.digits_of(phone)
    key = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat, digits)
    if not digits or ledger.has(key):
        return
    others = keyspace.of_chat(keyspace.CHAT_PHONES, workspace, chat)
    if len(rows.first_of(ledger.txn, others, contacts.PHONES_MAX)) < contacts.PHONES_MAX:
        yield f"its chat is not found by its phone {phone!r}"

"""The delivery before one: that of the same chat and webhook which was sealed before it.

It is not stored: the index of a chat's deliveries knows it, and a message pays for nothing.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.tables import history, queue

ROWS_MAX = 64  # of a chat: there may be one of each of twenty webhooks between the two

# Of a unit or of a read transaction: rows under a prefix before a key, backwards; a raw record.
RowsBefore = Callable[[bytes, bytes], Iterator[tuple[bytes, bytes]]]
GetRaw = Callable[[bytes], bytes | None]


def previous_id(rows_before: RowsBefore, get: GetRaw, webhook: Webhook, delivery: Delivery) -> str:
    """Its id; of one that was merged, the id of that which has its messages. Empty without one.

    One that was trimmed, or is damaged, is passed over.
    """
    chat = delivery.chat_id.encode()
    prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, webhook.workspace, chat)
    before = keyspace.chat_delivery(webhook.workspace, chat, delivery.number, 0)
    for key, _ in islice(rows_before(prefix, before), ROWS_MAX):
        number, owner = key_fields.chat_delivery(key)
        if owner != webhook.number:
            continue
        head_key = history.key_of(owner, number)
        value = get(head_key)
        head = None if value is None else codec.readable(head_key, value, Delivery)
        if head is not None:
            return head.merged_into or queue.delivery_id(owner, head)
    return ""

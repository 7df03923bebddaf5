"""A message that leaves at once, as a delivery of its own; and when it came is noted."""

from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.chat_records import ChatRecord, Collecting
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue
from hookbundle.storage.tables.arrivals import recording
from hookbundle.storage.transitions.sealing import Reason

SEND_WEIGHT = 15  # of what it does beside its rows


def send_single(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat_id: str,
    record: ChatRecord,
    collecting: Collecting,
    message: Incoming,
    now_ms: int,
) -> bool:
    """In the body of a single message. True if the webhook became ready."""
    body = payload.single_body(message.account, message.chat, message.message)
    return _send(
        unit, settings, webhook, chat_id, record, collecting, message, body, "single", now_ms
    )


def send_first(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat_id: str,
    record: ChatRecord,
    collecting: Collecting,
    message: Incoming,
    now_ms: int,
    product_name: str,
) -> bool:
    """As a bundle of one. True if the webhook became ready."""
    body = payload.bundle_body(
        account=message.account,
        chat=message.chat,
        is_new_chat=message.is_new_chat,
        messages=[message.message],
        permalink=message.permalink,
        product_name=product_name,
    )
    return _send(
        unit, settings, webhook, chat_id, record, collecting, message, body, "first", now_ms
    )


def _send(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat_id: str,
    record: ChatRecord,
    collecting: Collecting,
    message: Incoming,
    body: bytes,
    reason: Reason,
    now_ms: int,
) -> bool:
    chat = chat_id.encode()
    unit.weight += SEND_WEIGHT
    recording.note_one(unit, settings, chat, record, collecting, message.message, now_ms)
    return queue.enqueue(
        unit,
        settings,
        webhook,
        chat_id=chat_id,
        chat=message.chat,
        extra=message.extra,
        messages=1,
        body=body,
        bundle=reason != "single",
        reason=reason,
        opened_ms=now_ms,
        now_ms=now_ms,
        permalink=message.permalink if reason == "single" else "",
    )

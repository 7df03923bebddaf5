"""A message that leaves at once, as a delivery of its own."""

from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue


def send_single(
    unit: Unit, settings: Settings, webhook: Webhook, chat_id: str, message: Incoming, now_ms: int
) -> bool:
    """In the body of a single message. True if the webhook became ready."""
    return queue.enqueue(
        unit,
        settings,
        webhook,
        chat_id=chat_id,
        chat=message.chat,
        extra=message.extra,
        messages=1,
        body=payload.single_body(message.account, message.chat, message.message),
        bundle=False,
        reason="single",
        opened_ms=now_ms,
        now_ms=now_ms,
    )


def send_first(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    chat_id: str,
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
    return queue.enqueue(
        unit,
        settings,
        webhook,
        chat_id=chat_id,
        chat=message.chat,
        extra=message.extra,
        messages=1,
        body=body,
        bundle=True,
        reason="first",
        opened_ms=now_ms,
        now_ms=now_ms,
    )

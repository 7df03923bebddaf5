"""Windows that end because messages come, where that is more than one transition may do.

A message for twenty webhooks may find twenty full windows of a megabyte: were they sealed together,
all others would wait for a tenth of a second. So they are sealed before it, some in a transition,
and the message is taken by the last one. Until then it is neither stored nor answered.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hookbundle.engine import limits
from hookbundle.engine.limits import STEP_WEIGHT
from hookbundle.engine.messages import payload
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Window
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import windows
from hookbundle.storage.tables.routing.offers import Offer
from hookbundle.storage.tables.rules import judging
from hookbundle.storage.transitions import sealing
from hookbundle.storage.transitions.sealing import Asked


class _Ending(NamedTuple):
    offer: Offer
    collecting: Collecting
    window: Window


def seal_before(
    unit: Unit,
    settings: Settings,
    offers: Sequence[Offer],
    chat: bytes,
    record: ChatRecord,
    asked: Asked,
) -> tuple[int, ...] | None:
    """Some windows of the chat that the messages of the offers end are sealed, up to a step.

    The webhooks that became ready; the messages may not be taken now. None if they may: what they
    end is no more than a step, and nothing was written. Raises: CorruptRecord.
    """
    ending = _ending(offers, chat, record, asked)
    if sum(windows.weight_of(each.window) for each in ending) <= STEP_WEIGHT:
        return None
    heavy, sealed, ready = unit.weight + STEP_WEIGHT, 0, []
    for each in ending:
        if _seal(unit, settings, each, chat, record, asked):
            ready.append(each.offer.webhook.number)
        sealed += each.collecting.window is None
        if unit.weight >= heavy:
            break
    return tuple(ready) if sealed else None


def _ending(
    offers: Sequence[Offer], chat: bytes, record: ChatRecord, asked: Asked
) -> list[_Ending]:
    found = []
    for offer in offers:
        collecting = record.of(offer.webhook.number)
        window = collecting.window if collecting else None
        if collecting is None or window is None:
            continue
        if _is_over(offer, chat, window, asked) or not _has_room(offer, window, asked):
            found.append(_Ending(offer, collecting, window))
    return found


def _is_over(offer: Offer, chat: bytes, window: Window, asked: Asked) -> bool:
    """Whether it may have ended already; a window with new settings is asked for its end."""
    webhook = offer.webhook
    if not webhook.collects:
        return True
    if window.due_ms <= asked.now_ms:
        return True
    return bool(webhook.window) and judging.is_left_behind(offer.state, webhook, chat)


def _has_room(offer: Offer, window: Window, asked: Asked) -> bool:
    """Whether it takes all the messages. An empty one takes its first whatever that weighs."""
    if not window.count:
        return True
    webhook, messages = offer.webhook, offer.messages
    if window.count + len(messages) > (webhook.messages_max or limits.BUNDLE_MESSAGES_MAX):
        return False
    weight = sum([payload.weight(message.message) for message in messages])
    return windows.has_room(webhook, window, messages[0], weight, asked.product_name)


def _seal(
    unit: Unit, settings: Settings, ending: _Ending, chat: bytes, record: ChatRecord, asked: Asked
) -> bool:
    """As taking the messages would end it. True if the webhook became ready."""
    offer, collecting, window = ending
    webhook = offer.webhook
    if webhook.window and _is_over(offer, chat, window, asked):
        ready = sealing.seal_if_over(unit, settings, webhook, chat, record, collecting, asked)
        if collecting.window is None or _has_room(offer, window, asked):
            return ready
    reason = _reason(offer, window, asked)
    return sealing.seal(unit, settings, webhook, chat, record, collecting, reason, asked)


def _reason(offer: Offer, window: Window, asked: Asked) -> sealing.Reason:
    if offer.webhook.window:
        return "size"
    if not offer.webhook.aggregation_ms:
        return "settings"
    return windows.why_over(offer.webhook, window) if window.due_ms <= asked.now_ms else "size"

"""Accepts the messages of one chat: recognises repeats, fills the window or the queue.

All that a message does to a chat, for every webhook of its workspace, is one transition.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming, Skipped
from hookbundle.storage.database import feed_rows, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Head
from hookbundle.storage.database.rows import NEVER
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.facts import MessageReceived, SkippedMessage
from hookbundle.storage.tables import erasures, seen_ids, seen_texts, windows
from hookbundle.storage.tables.changing import early
from hookbundle.storage.tables.routing import fullness, offers
from hookbundle.storage.tables.routing.offers import NOTHING, Offer, Offers
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.tables.windows import OfWebhook
from hookbundle.storage.transitions import sealing
from hookbundle.storage.transitions.changing import arriving
from hookbundle.storage.transitions.collecting import at_once, by_rule, ending, skips
from hookbundle.storage.transitions.unfinished import Unfinished


class AcceptMessages(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one request and chat. A msgspec Struct: one is made for every request.

    `head`: it saves decoding the chat's record, and changes nothing of what is done. `wake`:
    webhooks that became ready when windows were sealed before these messages.
    """

    workspace_number: int
    chat_id: str
    messages: tuple[Incoming, ...]
    skipped: tuple[Skipped, ...]
    now_ms: int
    product_name: str
    quota: Quota
    head: Head | None = None
    wake: tuple[int, ...] = ()


class Accepted(msgspec.Struct, frozen=True):
    """`due_ms`: of the window that ends first, 0 without one. `wake`: webhooks that became ready.

    `differs`: ids of duplicates that came with another text than the one known, so many at most as
    an answer lists. `unrouted`: of the accepted ones, those that no webhook wanted; `overflowed`:
    those that one webhook or more, being full, did not get.
    """

    accepted: int
    duplicate: int
    due_ms: int
    wake: tuple[int, ...]
    differs: tuple[str, ...] = ()
    unrouted: int = 0
    overflowed: int = 0


def accept_messages(unit: Unit, transition: AcceptMessages) -> Accepted | Unfinished:
    """Raises: NotFound; QuotaReached, and then none of the messages is stored."""
    settings = unit.workspace_numbered(transition.workspace_number)
    number, chat = settings.workspace.number, transition.chat_id.encode()
    # A chat to which nothing is added is not written: to send it the same again costs no page.
    key = keyspace.owned(keyspace.CHATS, number, chat)
    record = unit.find_chat(key, transition.head) or _new_record(unit, number, chat)
    fresh = seen_ids.fresh(unit, number, chat, record, transition.messages)
    wake = [*transition.wake]
    duplicate = len(transition.messages) - len(fresh)
    differs: list[str] = []
    if duplicate:
        differs = seen_texts.differing(unit, number, chat, record, transition.messages, fresh)
    routed = NOTHING
    if fresh:
        offered, arrived = fresh, None
        if unit.usage(number).changes:  # edits and deletions wait for messages of the workspace
            arrived = early.of_messages(unit, number, chat, fresh)
            if arrived is not None:
                fresh, offered = arrived.messages, arrived.offered
        if offered:
            routed = offers.of_messages(
                unit, settings, record, offered, transition.quota, transition.now_ms
            )
        unit.keep_chat(key, record, transition.head)
        if are_many := len(routed.offers) > 1:
            ready = ending.seal_before(unit, settings, routed.offers, chat, record, transition)
            if ready is not None:
                rest = msgspec.structs.replace(transition, wake=transition.wake + ready)
                return Unfinished(rest)
            unit.heavy = unit.weight + limits.STEP_WEIGHT
        if arrived is not None:
            arriving.applied(unit, settings, transition.chat_id, arrived, transition.now_ms)
        # Before the windows are filled: an id may have to stay because a window is open.
        seen_ids.remember(unit, number, chat, record, fresh, transition.now_ms)
        for overflow in routed.overflowed:
            fullness.overflow(unit, settings, overflow, transition.chat_id, transition.now_ms)
        for offer in routed.offers:
            if _offer(unit, settings, offer, chat, record, transition):
                wake.append(offer.webhook.number)
        if are_many:
            unit.heavy = NEVER
        if not record.forget_ms and not record.is_collecting():
            windows.forget_later(unit, number, chat, record)
    first = windows.first_to_end(record, settings)
    _tell(unit, settings, transition, fresh, differs, first, routed)
    return Accepted(
        accepted=len(fresh),
        duplicate=duplicate,
        due_ms=first.window.due_ms if first else 0,
        wake=tuple(wake),
        differs=tuple(differs[: limits.DIFFERS_LISTED_MAX]),
        unrouted=len(routed.unrouted),
        overflowed=fullness.distinct(routed.overflowed) if routed.overflowed else 0,
    )


def _offer(
    unit: Unit,
    settings: Settings,
    offer: Offer,
    chat: bytes,
    record: ChatRecord,
    transition: AcceptMessages,
) -> bool:
    """The webhook has the messages. True if it became ready."""
    webhook = offer.webhook
    if offer.state.full_ms:
        fullness.end_if_free(unit, settings, webhook, transition.quota, transition.now_ms)
    collecting = windows.collecting_of(record, webhook.number, settings)
    if webhook.window:
        return by_rule.take(unit, settings, offer, record, collecting, transition)
    collecting.arrived_ms = transition.now_ms
    take = _collect if webhook.aggregation_ms else _send_alone
    is_ready = False
    for message in offer.messages:
        is_ready |= take(unit, settings, offer, chat, record, collecting, message, transition)
    return is_ready


def _new_record(unit: Unit, workspace: int, chat: bytes) -> ChatRecord:
    """A chat's first record. After a deletion it knows nothing of what is still being erased."""
    erasure = erasures.of_chat(unit, workspace, chat)
    if erasure is None:
        return ChatRecord()
    base = erasure.seen_before
    return ChatRecord(seen_first=base, seen_next=base, seen_base=base)


def _collect(
    unit: Unit,
    settings: Settings,
    offer: Offer,
    chat: bytes,
    record: ChatRecord,
    collecting: Collecting,
    message: Incoming,
    transition: AcceptMessages,
) -> bool:
    """The message is in the window. True if sealing on the way made the webhook ready."""
    wake, now_ms, webhook, state = False, transition.now_ms, offer.webhook, offer.state
    window, weight = collecting.window, payload.weight(message.message)
    if window is not None and window.due_ms <= now_ms:
        reason = windows.why_over(webhook, window)
        wake |= sealing.seal(unit, settings, webhook, chat, record, collecting, reason, transition)
        window = None
    elif window is not None and not windows.has_room(
        webhook, window, message, weight, transition.product_name
    ):
        wake |= sealing.seal(unit, settings, webhook, chat, record, collecting, "size", transition)
        window = None
    if window is None:
        due_ms = now_ms + webhook.aggregation_ms
        window = windows.open_window(unit, webhook, state, chat, record, collecting, now_ms, due_ms)
    windows.append(unit, webhook, state, chat, window, message, weight, now_ms)
    if windows.is_full(webhook, window):
        if unit.weight >= unit.heavy:
            windows.retime(unit, webhook, chat, window, now_ms)
        else:
            wake |= sealing.seal(
                unit, settings, webhook, chat, record, collecting, "size", transition
            )
    return wake


def _send_alone(
    unit: Unit,
    settings: Settings,
    offer: Offer,
    chat: bytes,
    record: ChatRecord,
    collecting: Collecting,
    message: Incoming,
    transition: AcceptMessages,
) -> bool:
    """The message is a delivery of its own, behind what its chat had collected before."""
    wake, webhook = False, offer.webhook
    if collecting.window is not None:
        wake = sealing.seal(
            unit, settings, webhook, chat, record, collecting, "settings", transition
        )
    chat_id, now_ms = transition.chat_id, transition.now_ms
    return wake | at_once.send_single(
        unit, settings, webhook, chat_id, record, collecting, message, now_ms
    )


def _tell(
    unit: Unit,
    settings: Settings,
    transition: AcceptMessages,
    fresh: list[Incoming],
    differs: list[str],
    first: OfWebhook | None,
    routed: Offers,
) -> None:
    """Writes the fact, the counters and, for skipped messages, the activity line."""
    totals = unit.meta.totals
    messages, skipped = transition.messages, transition.skipped
    duplicates = [] if len(fresh) == len(messages) else _duplicates(messages, fresh)
    totals.accepted += len(fresh)
    if duplicates or skipped or routed.unrouted:  # as few requests have
        totals.duplicate += len(duplicates)
        totals.skipped += len(skipped)
        totals.differs += len(differs)  # of duplicates
        totals.unrouted += len(routed.unrouted)
    if messages or skipped:
        fact = MessageReceived(
            accepted=[message.message_id for message in fresh],
            duplicates=duplicates,
            skipped=_listed(skipped) if skipped else [],
            due=first.window.due_ms if first else 0,
            buffered=first.window.count if first else 0,
            held=_is_held(unit, settings),
            differs=differs or UNSET,
            overflowed=fullness.by_webhook(routed.overflowed) if routed.overflowed else UNSET,
            unrouted=_ids(routed.unrouted) if routed.unrouted else UNSET,
            filtered=routed.filtered or UNSET,
            window_of=first.webhook if first and len(settings.webhooks) > 1 else UNSET,
        )
        # What nothing else knows of; `filtered` is found by the time (reads/paths/acceptance.py).
        if duplicates or skipped or routed.overflowed or routed.unrouted:
            chat = transition.chat_id.encode()
            feed_rows.found_by_chat(unit, settings.workspace.number, chat)
        unit.tell(settings.workspace, fact, transition.now_ms, transition.chat_id)
    if skipped:
        first_number, now_ms = settings.first.number, transition.now_ms
        skips.note(unit, first_number, transition.chat_id, skipped, now_ms)


def _is_held(unit: Unit, settings: Settings) -> bool:
    for webhook in settings.webhooks:  # noqa: SIM110 - for each message, as `is_collecting`
        if not unit.state(webhook.number).enabled:
            return True
    return False


def _ids(messages: Sequence[Incoming]) -> list[str]:
    return [each.message_id for each in messages]


def _listed(skipped: tuple[Skipped, ...]) -> list[SkippedMessage]:
    return [SkippedMessage(one.message_id, one.reason) for one in skipped]


def _duplicates(messages: tuple[Incoming, ...], fresh: list[Incoming]) -> list[str]:
    """The ids of those that were not stored, as often as they came."""
    stored = {id(message) for message in fresh}
    return [message.message_id for message in messages if id(message) not in stored]

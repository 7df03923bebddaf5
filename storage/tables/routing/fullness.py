"""Webhooks that are full: what they do not get is counted and told, never lost in silence.

A stretch begins with the first message that another webhook takes and this one has no room for, and
ends when a tenth of its share is free again. It has one fact at each end, one e-mail, and a line in
the activity log that counts. While it lasts, single messages may find room.
"""

from collections.abc import Sequence

from hookbundle.engine.error_codes import Code
from hookbundle.storage import webhook_facts
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, outbox
from hookbundle.storage.tables.routing import quotas
from hookbundle.storage.tables.routing.offers import Overflow
from hookbundle.storage.tables.routing.quotas import Quota

ACTION = "overflowed"
DETAILS = {  # of the line, by the code of the reason
    Code.WAITING_FULL: "more waits to be sent than it may hold",
    Code.CHATS_FULL: "it collects the messages of more chats than it may",
    Code.HELD_FULL: "it can't send, and holds as many messages as it may",
    Code.HELD_TOO_LONG: "it has been disabled for longer than messages are held",
}


def overflow(
    unit: Unit, settings: Settings, overflowed: Overflow, chat_id: str, now_ms: int
) -> None:
    """The full webhook does not get the messages, which another one gets."""
    webhook, count = overflowed.webhook, len(overflowed.messages)
    state, reason = unit.state(webhook.number), overflowed.refusal.code.value
    state.overflowed += count
    unit.meta.totals.overflowed += count
    begins = not state.full_ms
    if begins:
        state.full_ms = now_ms
        fact = webhook_facts.WebhookFull(
            reason=reason, held_messages=quotas.waiting_messages(state)
        )
        unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)
        outbox.add(unit, settings.workspace, webhook, outbox.FULL, reason, now_ms)
    before = None
    if not begins:
        before = activity.newest(unit, webhook.number, lambda line: line.action == ACTION)
    if before is not None:
        count += before.messages
        chat_id = chat_id if before.chat_id == chat_id else ""
    line = Action(
        at_ms=now_ms,
        action=ACTION,
        chat_id=chat_id,
        messages=count,
        outcome=ACTION,
        detail=DETAILS[overflowed.refusal.code],
    )
    activity.add(unit, webhook.number, line, goes_on=before is not None)


def end_if_free(
    unit: Unit, settings: Settings, webhook: Webhook, quota: Quota, now_ms: int
) -> None:
    """The stretch is over if enough of the webhook's share is free."""
    state = unit.state(webhook.number)
    if not state.full_ms or not quotas.is_free_again(settings, webhook, state, quota, now_ms):
        return
    fact = webhook_facts.WebhookHasRoom(since=state.full_ms, overflowed=state.overflowed)
    state.full_ms = 0
    unit.tell(settings.workspace, fact, now_ms, webhook=webhook.id)


def is_shown(state: WebhookState) -> bool:
    """Whether the webhook takes no more, as far as is known without a message for it.

    A stretch ends with a message that it takes; one that has nothing left has room for it.
    """
    return state.full_ms > 0 and (state.windows > 0 or state.queued > 0 or state.dead_letters > 0)


def distinct(overflowed: Sequence[Overflow]) -> int:
    """How many messages one webhook or more did not get."""
    return len({id(message) for each in overflowed for message in each.messages})


def by_webhook(overflowed: Sequence[Overflow]) -> dict[str, list[str]]:
    """The ids of what full webhooks did not get, by the webhook's id."""
    return {
        each.webhook.id: [message.message_id for message in each.messages] for each in overflowed
    }

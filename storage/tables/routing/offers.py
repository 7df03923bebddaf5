"""What each webhook gets of the new messages of a chat, with the settings of this moment."""

from collections.abc import Sequence
from typing import NamedTuple

from hookbundle.engine.errors import QuotaReached
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.routing import quotas
from hookbundle.storage.tables.routing.quotas import Quota


class Offer(NamedTuple):
    """What a webhook gets, in the order of arrival; at least one message."""

    webhook: Webhook
    messages: Sequence[Incoming]


class Overflow(NamedTuple):
    """What a full webhook does not get, and why."""

    webhook: Webhook
    messages: Sequence[Incoming]
    refusal: QuotaReached


class Offers(NamedTuple):
    """`unrouted`: messages that no webhook wants. `overflowed`: what full webhooks do not get."""

    offers: list[Offer]
    unrouted: Sequence[Incoming] = ()
    overflowed: Sequence[Overflow] = ()


NOTHING = Offers([])


def of_messages(
    unit: Unit,
    settings: Settings,
    record: ChatRecord,
    fresh: Sequence[Incoming],
    quota: Quota,
    now_ms: int,
) -> Offers:
    """`record`: the chat's, to which nothing is added yet.

    Raises: QuotaReached, with nothing written, if all webhooks that want a message are full.
    """
    offers: list[Offer] = []
    overflowed: list[Overflow] = []
    for webhook in settings.offered:
        state = unit.state(webhook.number)
        opens = webhook.aggregation_ms > 0 and record.window_of(webhook.number) is None
        refusal = quotas.refusal(settings, webhook, state, len(fresh), quota, now_ms, opens=opens)
        if refusal is None:
            offers.append(Offer(webhook, fresh))
        else:
            overflowed.append(Overflow(webhook, fresh, refusal))
    if overflowed:
        _check_taken(offers, overflowed)
    return Offers(offers, overflowed=overflowed)


def _check_taken(offers: list[Offer], overflowed: list[Overflow]) -> None:
    """Raises: QuotaReached, if a message is wanted by full webhooks alone."""
    taken = {id(message) for offer in offers for message in offer.messages}
    for overflow in overflowed:
        if not all(id(message) in taken for message in overflow.messages):
            raise overflow.refusal

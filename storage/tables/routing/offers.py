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
from hookbundle.storage.tables.routing.wanting import Judged


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
    judged: Judged | None = None
    wants_all = False
    for webhook in settings.offered:
        wanted = fresh
        if webhook.filter:
            judged = judged or Judged(unit, fresh)
            wanted = judged.wanted(webhook.filter)
            if not wanted:
                continue
        else:
            wants_all = True
        state = unit.state(webhook.number)
        opens = webhook.aggregation_ms > 0 and record.window_of(webhook.number) is None
        refusal = quotas.refusal(settings, webhook, state, len(wanted), quota, now_ms, opens=opens)
        if refusal is None:
            offers.append(Offer(webhook, wanted))
        else:
            overflowed.append(Overflow(webhook, wanted, refusal))
    if overflowed:
        _check_taken(offers, overflowed)
    unrouted: Sequence[Incoming] = ()
    if judged is not None:
        judged.weigh()
        if not wants_all:
            unrouted = _unrouted(fresh, offers, overflowed)
    return Offers(offers, unrouted, overflowed)


def _unrouted(
    fresh: Sequence[Incoming], offers: list[Offer], overflowed: list[Overflow]
) -> Sequence[Incoming]:
    """Those that no webhook wants; a full one wants what it does not get."""
    wanted = {id(message) for offer in offers for message in offer.messages}
    wanted |= {id(message) for overflow in overflowed for message in overflow.messages}
    return [message for message in fresh if id(message) not in wanted]


def _check_taken(offers: list[Offer], overflowed: list[Overflow]) -> None:
    """Raises: QuotaReached, if a message is wanted by full webhooks alone."""
    taken = {id(message) for offer in offers for message in offer.messages}
    for overflow in overflowed:
        if not all(id(message) in taken for message in overflow.messages):
            raise overflow.refusal

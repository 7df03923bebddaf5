"""What each webhook gets of the new messages of a chat, with the settings of this moment."""

from collections.abc import Sequence
from typing import NamedTuple

from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.routing import quotas
from hookbundle.storage.tables.routing.quotas import Quota


class Offer(NamedTuple):
    """What a webhook gets, in the order of arrival; at least one message."""

    webhook: Webhook
    messages: Sequence[Incoming]


class Offers(NamedTuple):
    """`unrouted`: messages that no webhook wants. `overflowed`: what full webhooks do not get."""

    offers: list[Offer]
    unrouted: Sequence[Incoming] = ()
    overflowed: Sequence[Offer] = ()


NOTHING = Offers([])


def of_messages(
    unit: Unit, settings: Settings, fresh: Sequence[Incoming], quota: Quota, now_ms: int
) -> Offers:
    """Raises: QuotaReached, with nothing written, if all webhooks that want a message are full."""
    for webhook in settings.offered:
        state = unit.state(webhook.number)
        refusal = quotas.refusal(settings, webhook, state, len(fresh), quota, now_ms)
        if refusal is not None:
            raise refusal
    return Offers([Offer(webhook, fresh) for webhook in settings.offered])

"""What each webhook gets of the new messages of a chat, with the settings of this moment."""

from collections.abc import Sequence

import msgspec

from hookbundle.engine.errors import QuotaReached
from hookbundle.engine.filters.compiled import compiled
from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.routing import quotas
from hookbundle.storage.tables.routing.quotas import Quota

CHARS_PER_WEIGHT = 2_000  # of a text in which a word is looked for; see costs.py


# msgspec Structs: they are made for every message, at a third of what a NamedTuple costs.
class Offer(msgspec.Struct, frozen=True, gc=False):
    """What a webhook, in this state, gets in the order of arrival; at least one message."""

    webhook: Webhook
    messages: Sequence[Incoming]
    state: WebhookState


class Overflow(msgspec.Struct, frozen=True, gc=False):
    """What a full webhook does not get, and why."""

    webhook: Webhook
    messages: Sequence[Incoming]
    refusal: QuotaReached


class Offers(msgspec.Struct, frozen=True, gc=False):
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
    webhooks = settings.offered
    if len(webhooks) == 1 and not webhooks[0].filter:  # as most workspaces are
        (webhook,) = webhooks
        state = unit.state(webhook.number)
        refusal = quotas.refusal(settings, webhook, state, len(fresh), quota, now_ms, record)
        if refusal is not None:
            raise refusal
        return Offers([Offer(webhook, fresh, state)])
    offers: list[Offer] = []
    overflowed: list[Overflow] = []
    unrouted, subjects = fresh, list[Subject]()
    for webhook in webhooks:
        wanted: Sequence[Incoming] = fresh
        if webhook.filter:
            subjects = subjects or [subject_of(message) for message in fresh]
            wanted = _wanted(webhook, fresh, subjects)
            if not wanted:
                continue
        unrouted = _without(unrouted, wanted) if wanted is not fresh else ()
        state = unit.state(webhook.number)
        refusal = quotas.refusal(settings, webhook, state, len(wanted), quota, now_ms, record)
        if refusal is None:
            offers.append(Offer(webhook, wanted, state))
        else:
            overflowed.append(Overflow(webhook, wanted, refusal))
    if subjects:
        # Whose filters look for many words in long texts pays for it by turns.
        looked = sum(subject.looked_through for subject in subjects)
        unit.weight += len(subjects) + looked // CHARS_PER_WEIGHT
    if overflowed:
        _check_taken(offers, overflowed)
    return Offers(offers, unrouted, overflowed)


def subject_of(message: Incoming) -> Subject:
    """The message as filters see it."""
    return Subject(
        account=message.account, chat=message.chat, message=message.message, extra=message.extra
    )


def _wanted(
    webhook: Webhook, fresh: Sequence[Incoming], subjects: Sequence[Subject]
) -> Sequence[Incoming]:
    """What the webhook's filter keeps; all of them, as they are, if it keeps each."""
    keeps = compiled(webhook.filter).keeps
    wanted = [message for message, subject in zip(fresh, subjects, strict=True) if keeps(subject)]
    return fresh if len(wanted) == len(fresh) else wanted


def _without(messages: Sequence[Incoming], wanted: Sequence[Incoming]) -> Sequence[Incoming]:
    """Those that are not among the wanted ones."""
    known = {id(message) for message in wanted}
    return [message for message in messages if id(message) not in known]


def _check_taken(offers: list[Offer], overflowed: list[Overflow]) -> None:
    """Raises: QuotaReached, if a message is wanted by full webhooks alone."""
    taken = {id(message) for offer in offers for message in offer.messages}
    for overflow in overflowed:
        if not all(id(message) in taken for message in overflow.messages):
            raise overflow.refusal

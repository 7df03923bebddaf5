"""What the model says of a `message.received`, and the fact has to say as well."""

from collections.abc import Sequence

from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.reliability.simulation.repeating import demand
from hookbundle.tests.reliability.simulation.rules import taking
from hookbundle.tests.reliability.simulation.tenants import Home

OUTBOUND = ("", "outbound")


def name_of(fact: FeedEvent) -> str:
    """Of its webhook, as `Tenant.name`."""
    return fact.workspace if fact.webhook in OUTBOUND else f"{fact.workspace}.{fact.webhook}"


def accepted(
    home: Home, fact: FeedEvent, facts: Sequence[FeedEvent]
) -> tuple[list[str], list[str]]:
    """Ids of the new messages, which the webhooks have now, and what was seen of rare things.

    `facts`: of the same commit.
    """
    chat, data, at_ms = fact.chat, fact.data, parse_ms(fact.time)
    offered, seen = home.offered.pop(chat, None), list[str]()
    demand(offered is not None, f"I2: {chat} of {home.name} accepted unsent messages")
    fresh = taking.fresh_of(home, chat, offered or [])
    ids = [id_ for _, id_ in fresh]
    demand(data["accepted"] == ids, f"I11: {data['accepted']} were taken as new, not {ids}")
    offers = taking.offers_of(home, chat, fresh, at_ms)
    demand(not offers.refused, f"I11: {ids} were taken, and all who want them are full")
    for what, expected in (
        ("overflowed", offers.missed),
        ("unrouted", offers.unrouted),
        ("filtered", offers.filtered),
    ):
        told = data.get(what, type(expected)())
        demand(told == expected, f"I11: {what} are {told}, not {expected}")
        seen += [what] * bool(expected)
    home.seen.update({(chat, id_): at_ms for id_ in ids})
    left_first = {
        name_of(each)
        for each in facts
        if each.type == "delivery.sealed" and each.chat == chat and each.data["reason"] == "first"
    }
    for tenant in home.tenants:
        tenant.overflowed += len(offers.missed.get(tenant.webhook_id, ()))
        if messages := offers.got.get(tenant.name):
            seen += taking.take(tenant, chat, messages, at_ms, left_first)
    _compare_end(home, fact)
    return ids, seen


def _compare_end(home: Home, fact: FeedEvent) -> None:
    """The fact tells the end of the chat's window that ends first."""
    chat, data = fact.chat, fact.data
    several = len(home.tenants) > 1
    ends = [
        (window.due_ms, len(window.messages), tenant.webhook_id if several else None)
        for tenant in home.tenants
        if (window := tenant.windows.get(chat)) is not None
    ]
    first_ms = min((due_ms for due_ms, _, _ in ends), default=0)
    # Of two that end in the same moment it may be either.
    wanted = [each for each in ends if each[0] == first_ms] or [(0, 0, None)]
    told_due = parse_ms(data["due"]) if data["due"] else 0
    told = told_due, data["buffered"], data.get("window_of")
    demand(told in wanted, f"I9: told {told}, not {wanted}")

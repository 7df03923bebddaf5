"""What new messages of a chat do to each webhook of the model, one after the other.

Edits and deletions are in no life of the model.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from hookbundle.tests.reliability.simulation.rules.ends import Collected, leaves_at_once
from hookbundle.tests.reliability.simulation.rules.written import text_of
from hookbundle.tests.reliability.simulation.tenants import Home, Tenant

FORGOTTEN_MS = 47 * 3_600_000
SOON_MS = 1_000  # a window that is re-timed and ends within this may end by either

Message = tuple[int, str]  # (sent, id)
NOTHING: Mapping[str, int] = {}


class Offers(NamedTuple):
    """`refused`: nobody gets anything. `got` and `missed`: by webhook, ids of messages."""

    refused: bool
    got: dict[str, list[Message]]
    missed: dict[str, list[str]]
    unrouted: list[str]
    filtered: dict[str, list[int] | None]


def fresh_of(home: Home, chat: str, offered: list[Message]) -> list[Message]:
    """The new ones in the order of arrival, each once, as it came first."""
    first = {id_: (sent, id_) for sent, id_ in reversed(offered)}
    unseen = [first[id_] for _, id_ in offered if (chat, id_) not in home.seen]
    return list(dict.fromkeys(unseen))


def offers_of(
    home: Home,
    chat: str,
    fresh: list[Message],
    at_ms: int,
    promised: Mapping[str, int] = NOTHING,
) -> Offers:
    """Which webhook gets which of the new messages, by the filters and the room of this moment.

    `promised`: how many it gets before, by the same request.
    """
    got, missed = dict[str, list[Message]](), dict[str, list[str]]()
    filtered = dict[str, list[int] | None]()
    for tenant in home.tenants:
        kept = [tenant.filter.wants(chat, text_of(id_)) for _, id_ in fresh]
        wanted = [each for each, keeps in zip(fresh, kept, strict=True) if keeps]
        if not all(kept):
            dropped = [place for place, keeps in enumerate(kept) if not keeps]
            filtered[tenant.webhook_id] = dropped if wanted else None
        if wanted and tenant.is_full(promised.get(tenant.name, 0) + len(wanted), at_ms):
            missed[tenant.webhook_id] = [id_ for _, id_ in wanted]
        elif wanted:
            got[tenant.name] = wanted
    taken = {id_ for messages in got.values() for _, id_ in messages}
    lost = {id_ for ids in missed.values() for id_ in ids}
    unrouted = [id_ for _, id_ in fresh if id_ not in taken | lost]
    if len(home.tenants) == 1 or len(unrouted) == len(fresh):
        filtered = {}
    return Offers(not lost <= taken, got, missed, unrouted, filtered)


def take(
    tenant: Tenant, chat: str, messages: list[Message], at_ms: int, left_first: Collection[str]
) -> list[str]:
    """The webhook has the messages. Returns what was seen of rare things.

    `left_first`: the names of webhooks that have sent a message of the chat at once just now. The
    chat may be forgotten by now, where its windows were changed since the last message.
    """
    window, seen = tenant.windows.get(chat), list[str]()
    if window is not None and window.due_ms <= at_ms:
        tenant.close(chat, window.why)
    for sent, id_ in messages:
        before_ms, tenant.arrived[chat] = tenant.arrived.get(chat, 0), at_ms
        window = tenant.windows.get(chat)
        if window is not None and len(window.messages) >= tenant.most:
            tenant.close(chat, "size")
            window = None
        if window is None:
            rule = tenant.windows_by.rule_of(chat, text_of(id_))
            if rule.ends is None:
                tenant.expect(chat, ((sent, id_),), "single")
                continue
            window = Collected(at_ms, rule, id_)
            window.find_end(tenant.home.zone)
            tenant.windows[chat] = window
            is_first = leaves_at_once(rule, tenant.home.zone, before_ms, at_ms)
            may_be_forgotten = at_ms - before_ms > FORGOTTEN_MS and tenant.changed_ms > before_ms
            if rule.first and not is_first and may_be_forgotten:
                is_first = tenant.name in left_first
            if is_first:
                tenant.expect(chat, ((sent, id_),), "first")
                seen.append("left first")
                continue
        window.messages.append((sent, id_))
        window.last_ms = at_ms
        if len(window.messages) >= tenant.most:
            tenant.close(chat, "size")
            seen.append("sealed by size")
        else:
            window.find_end(tenant.home.zone)
    return seen


def retime(tenant: Tenant, now_ms: int) -> list[str]:
    """The settings of its windows are new, or the zone that they are found by."""
    tenant.changed_ms, seen = now_ms, list[str]()
    for chat, window in list(tenant.windows.items()):
        window.rule = tenant.windows_by.rule_of(chat, text_of(window.opener))
        window.find_end(tenant.home.zone)
        window.retimed_ms = now_ms
        seen.append("retimed")
        if window.rule.ends is None or window.due_ms <= now_ms:
            tenant.close(chat, "settings")
    return seen


def reasons_of(window: Collected, at_ms: int, *, flushing: bool) -> frozenset[str]:
    """Why the window, of which nothing else is expected, may be sealed at that moment."""
    soon = 0 < window.due_ms - window.retimed_ms < SOON_MS
    reasons = {window.why} if at_ms >= window.due_ms else set()
    reasons |= ({"settings"} if soon else set()) | ({"flush"} if flushing else set())
    return frozenset(reasons)

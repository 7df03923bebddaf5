"""What a webhook's window, and another one, would have made of the messages of the last days."""

from collections.abc import Generator
from dataclasses import dataclass, field

import msgspec

from hookbundle.engine.windows.arrivals import DAY_MS
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.engine.windows.rule import WindowSetting
from hookbundle.engine.windows.simulation import Outcome, Room, Tally, room_of, simulate_chat
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.past.arrivals import ChatArrivals, PastArrivals
from hookbundle.storage.reads.workspace_view import view_in

MESSAGES_AT_ONCE = 1_000


class Simulated(msgspec.Struct, frozen=True):
    """`since_ms` to `until_ms`: the time that was looked at; all that arrived in it is known.

    `chats`: those that had a message. `is_cut`: there are more, which were not looked at. `now`:
    with the webhook's own window; `then`: with the other one, None without one.
    """

    since_ms: int
    until_ms: int
    chats: int
    is_cut: bool
    now: Outcome
    then: Outcome | None


@dataclass(slots=True)
class _Side:
    setting: WindowSetting
    tally: Tally = field(default_factory=Tally)


def simulated(
    env: Environment,
    workspace_id: str,
    webhook_id: str,
    wanted: WindowSetting | None,
    days: int,
    now_ms: int,
) -> Generator[None, None, Simulated]:
    """Yields between short pieces of work, so that its thread may rest. Raises: NotFound."""
    with env.read() as txn:
        view = view_in(txn, workspace_id)
        webhook = view.named(webhook_id).webhook
    now, zone = _Side(setting_of(webhook.aggregation_ms, webhook.window)), view.settings.time_zone
    then = None if wanted is None else _Side(wanted)
    room = room_of(webhook.messages_max, webhook.bytes_max)
    past = PastArrivals(env, workspace_id, webhook_id, now_ms - days * DAY_MS, now_ms)
    chats, oldest_ms = 0, now_ms
    for found in past.read():
        for chat in found:
            first = next(iter(chat), None)
            if first is None:
                continue
            chats, oldest_ms = chats + 1, min(oldest_ms, first.at_ms)
            for side in (now, then):
                if side is not None:
                    yield from _simulate(side, zone, room, chat)
        yield
    return Simulated(
        since_ms=past.from_ms if past.since_ms else oldest_ms,
        until_ms=now_ms,
        chats=chats,
        is_cut=past.is_cut,
        now=now.tally.outcome(now.setting),
        then=None if then is None else then.tally.outcome(then.setting),
    )


def _simulate(
    side: _Side, zone: str, room: Room, arrivals: ChatArrivals
) -> Generator[None, None, None]:
    seen = 0
    for messages in simulate_chat(side.setting, zone, room, arrivals, into=side.tally):
        seen += messages
        if seen >= MESSAGES_AT_ONCE:
            seen = 0
            yield

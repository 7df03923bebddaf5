"""A simulation of a window, and the meter of the one that there is."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.windows import meter
from hookbundle.engine.windows.simulation import Outcome
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.reads.past.simulating import Simulated

DAYS = 7

Window = Annotated[
    Any,  # engine/windows/parsing.py says better what is wrong with it
    msgspec.Meta(description="`none`, or an object (docs/windows.md)", examples=[{"every": "1h"}]),
]


class MeterOut(msgspec.Struct, frozen=True):
    """What the webhook's window has made of messages: so many, in so many calls.

    Of the last `days` UTC days, that of now among them. Deliveries are counted when they are
    sealed, whatever became of them; merged ones are one call.
    """

    days: int
    messages: int
    calls: int


class SimulateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`window`: the one to try; left out: only the webhook's own is looked at. `days`: 1 to 10."""

    window: Window | UnsetType = UNSET
    days: int = DAYS


class SimulatedSideOut(msgspec.Struct, frozen=True):
    """What a window makes of the messages.

    Delays are from the arrival of a message to its call: the median, and what 95 of
    100 did not exceed. They are exact up to an hour, and to the minute above. `biggest`: messages
    in the largest call. `rules_left_out`: which of its rules a message had chosen is not known
    without its text and labels, so all were taken to be of its `else`.
    """

    calls: int
    median_delay_seconds: int
    p95_delay_seconds: int
    biggest: int
    rules_left_out: bool


class SimulatedOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of the messages that the webhook was offered from `since` to `until`, by the filters that it
    had then. Before `since` it is not known when messages came, if it is later than what was asked.

    `now`: with the window that the webhook has; `then`: with the one to try. What is not in it:
    the texts' sizes but roughly, closes, flushes and changes of settings. `chats`: those that had a
    message. `cut`: there are more of them, which were not looked at.
    """

    since: str
    until: str
    chats: int
    messages: int
    cut: bool
    now: SimulatedSideOut
    then: SimulatedSideOut | UnsetType = UNSET


def meter_out(state: WebhookState, now_ms: int) -> MeterOut:
    found = meter.total(state.meter, now_ms)
    return MeterOut(meter.DAYS_SHOWN, found.messages, found.calls)


def simulated_out(found: Simulated) -> SimulatedOut:
    return SimulatedOut(
        since=iso(found.since_ms),
        until=iso(found.until_ms),
        chats=found.chats,
        messages=found.now.messages,
        cut=found.is_cut,
        now=_side_out(found.now),
        then=UNSET if found.then is None else _side_out(found.then),
    )


def _side_out(outcome: Outcome) -> SimulatedSideOut:
    return SimulatedSideOut(
        calls=outcome.calls,
        median_delay_seconds=outcome.median_ms // 1_000,
        p95_delay_seconds=outcome.p95_ms // 1_000,
        biggest=outcome.biggest,
        rules_left_out=outcome.rules_left_out,
    )

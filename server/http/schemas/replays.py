"""Resends and replays, as the API takes and shows them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault, not_one_of
from hookbundle.server.http.parameters.searches import NO_ANSWER, statuses_in
from hookbundle.server.http.parameters.times import check_order, time_in
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.database.delivery_records import Replay, ReplayFilter
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.searching.wanted import Statuses
from hookbundle.storage.tables.repeating.candidates import STATES

NOTE = (
    "Same ids and same bytes: a receiver that recognises repeated deliveries by their webhook-id "
    "drops what it has already."
)
EXAMPLE: dict[str, Any] = {
    "since": "2026-11-27T15:00:00Z",
    "until": "2026-11-27T16:00:00Z",
    "states": ["dead_letter"],
    "http_status": 404,
    "dry_run": True,
}

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Chat = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.CHAT_ID_BYTES_MAX)]


class ReplayIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which deliveries to send once more; what is left out restricts nothing.

    `since`, `until`: when they were sealed, the end not included: a time (RFC 3339), or an age as
    `-2h`. `states`: `dead_letter` and `delivered`. `http_status`: of their last answer: a status, a
    class as `5xx`, or `none` where no answer came. `webhook`: its id. `dry_run`: only count; it
    has to be false for anything to be sent.
    """

    since: Text | None = None
    until: Text | None = None
    states: tuple[str, ...] = ("dead_letter",)
    chat: Chat | None = None
    http_status: int | Text | None = None
    webhook: str = OUTBOUND
    dry_run: bool = True


class ReplayAskedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the filter means now. `job`: the number of the replay; null of a dry run, or of none.

    `since`, `until`: the times that were meant. To send what was counted, they are given in the
    place of ages, which go on.
    """

    job: int | None
    deliveries: int
    messages: int
    since: str | None
    until: str | None
    note: str


class ReplayOut(msgspec.Struct, frozen=True, kw_only=True):
    """A replay. `deliveries`, `messages`: what was counted before it began.

    `queued`: what was put into the queue so far. Of these `waiting` are not over, `delivered` and
    `failed` ended so; `dropped` were discarded, or taken back by cancelling it; `released` were
    being sent when it was cancelled. `left_out`: what had changed since it was counted.
    """

    job: int
    webhook: str
    state: Literal["queuing", "sending", "cancelling", "done", "cancelled"]
    since: str | None
    until: str | None
    states: list[str]
    chat: str | None
    http_status: int | str | None
    deliveries: int
    messages: int
    queued: int
    waiting: int
    delivered: int
    failed: int
    dropped: int
    released: int
    left_out: int | None
    caller: str
    created_at: str
    ended_at: str | None


class ReplaysOut(msgspec.Struct, frozen=True):
    """The last 20, newest first."""

    replays: list[ReplayOut]


class ResentOut(msgspec.Struct, frozen=True):
    """The delivery waits to be sent once more; it stays delivered, whatever comes of it."""

    id: str
    chat_id: str
    messages: int
    resending: bool
    note: str


def wanted_of(asked: ReplayIn, now_ms: int) -> ReplayFilter:
    """The filter; ages count from `now_ms`. Raises: InvalidInput with every fault."""
    faults: list[Fault] = []
    since_ms = _each(faults, lambda: time_in(asked.since, "since", now_ms)) or 0
    until_ms = _each(faults, lambda: time_in(asked.until, "until", now_ms)) or 0
    _each(faults, lambda: check_order(since_ms, until_ms))
    status = None if asked.http_status is None else str(asked.http_status)
    statuses = _each(faults, lambda: statuses_in(status, "http_status"))
    if not asked.states:
        faults.append(fault("states", FaultCode.EMPTY))
    for place, state in enumerate(asked.states[: len(STATES) + 1]):
        if state not in STATES:
            faults.append(not_one_of(f"states[{place}]", STATES, state))
    if len(asked.states) > len(STATES):
        most, size = len(STATES), len(asked.states)
        faults.append(fault("states", FaultCode.TOO_MANY_ENTRIES, most=most, size=size))
    if faults:
        raise InvalidInput(tuple(faults))
    return ReplayFilter(
        states=tuple(dict.fromkeys(asked.states)),
        chat=asked.chat or "",
        http_status=statuses.least if statuses else 0,
        since_ms=since_ms,
        until_ms=until_ms,
        http_status_most=statuses.most if statuses and statuses.most > statuses.least else 0,
        no_answer=statuses == Statuses(0, 0),
    )


def asked_out(
    wanted: ReplayFilter, deliveries: int, messages: int, job: int | None
) -> ReplayAskedOut:
    return ReplayAskedOut(
        job=job,
        deliveries=deliveries,
        messages=messages,
        since=iso_or_none(wanted.since_ms),
        until=iso_or_none(wanted.until_ms),
        note=NOTE,
    )


def replay_out(replay: Replay, webhook_id: str) -> ReplayOut:
    wanted = replay.wanted
    is_put = replay.state in ("sending", "done")
    return ReplayOut(
        job=replay.number,
        webhook=webhook_id,
        state=replay.state,  # type: ignore[arg-type]
        since=iso_or_none(wanted.since_ms),
        until=iso_or_none(wanted.until_ms),
        states=list(wanted.states),
        chat=wanted.chat or None,
        http_status=_status_of(wanted),
        deliveries=replay.counted,
        messages=replay.counted_messages,
        queued=replay.queued,
        waiting=replay.waiting,
        delivered=replay.delivered,
        failed=replay.failed,
        dropped=replay.dropped,
        released=replay.released,
        left_out=max(replay.counted - replay.queued, 0) if is_put else None,
        caller=replay.caller,
        created_at=iso(replay.created_ms),
        ended_at=iso_or_none(replay.ended_ms),
    )


def _status_of(wanted: ReplayFilter) -> int | str | None:
    """As it was asked for."""
    if wanted.no_answer:
        return NO_ANSWER
    if wanted.http_status_most:
        return f"{wanted.http_status // 100}xx"
    return wanted.http_status or None


def _each(faults: list[Fault], read: Callable[[], T]) -> T | None:
    """What was read; None with its faults noted."""
    try:
        return read()
    except InvalidInput as exc:
        faults += exc.faults
        return None

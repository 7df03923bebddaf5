"""Resends and replays, as the API takes and shows them."""

from typing import Annotated, Any, Literal

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.schemas.times import iso, iso_or_none, ms_of
from hookbundle.storage.database.delivery_records import Replay, ReplayFilter
from hookbundle.storage.database.settings import OUTBOUND
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

Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
Chat = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.CHAT_ID_BYTES_MAX)]


class ReplayIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which deliveries to send once more; what is left out restricts nothing.

    `since`, `until`: when they were sealed, RFC 3339, the end not included. `states`: `dead_letter`
    and `delivered`. `http_status`: of their last answer. `webhook`: its id. `dry_run`: only count.
    """

    since: str | None = None
    until: str | None = None
    states: tuple[str, ...] = ("dead_letter",)
    chat: Chat | None = None
    http_status: Status | None = None
    webhook: str = OUTBOUND
    dry_run: bool = False


class ReplayAskedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the filter means now. `job`: the number of the replay; null of a dry run, or of none."""

    job: int | None
    deliveries: int
    messages: int
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
    http_status: int | None
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


def wanted_of(asked: ReplayIn) -> ReplayFilter:
    """Raises: InvalidInput with every fault."""
    faults: list[Fault] = []
    since_ms, until_ms = (_ms_of(name, getattr(asked, name), faults) for name in ("since", "until"))
    allowed = ", ".join(STATES)
    if not asked.states:
        faults.append(fault("states", FaultCode.EMPTY))
    for place, state in enumerate(asked.states[: len(STATES) + 1]):
        if state not in STATES:
            path, got = f"states[{place}]", quoted(state)
            faults.append(fault(path, FaultCode.NOT_ONE_OF, allowed=allowed, value=got))
    if len(asked.states) > len(STATES):
        most, size = len(STATES), len(asked.states)
        faults.append(fault("states", FaultCode.TOO_MANY_ENTRIES, most=most, size=size))
    if faults:
        raise InvalidInput(tuple(faults))
    return ReplayFilter(
        states=tuple(dict.fromkeys(asked.states)),
        chat=asked.chat or "",
        http_status=asked.http_status or 0,
        since_ms=since_ms,
        until_ms=until_ms,
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
        http_status=wanted.http_status or None,
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


def _ms_of(name: str, text: str | None, faults: list[Fault]) -> int:
    if text is None:
        return 0
    at_ms = ms_of(text)
    if at_ms is None:
        faults.append(fault(name, FaultCode.NOT_A_TIME, got=quoted(text)))
    return at_ms or 0

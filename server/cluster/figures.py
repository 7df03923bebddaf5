"""The figures of several partitions as those of one: status, the Store's counts, what waits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hookbundle.actors.store_queue import StoreState
from hookbundle.server.http.schemas.status import ReasonOut, StatusOut
from hookbundle.storage.database.records import Totals
from hookbundle.storage.reads.totals import WaitingTotals

LARGEST = {"commit_ms_max", "commit_ms_mean", "lag_events_max", "floor_bytes"}
LEAST = {"free_bytes", "room_bytes"}  # copies of a node are on one disk: it is there only once
DISABLED_LISTED = 100


def status_of(parts: Sequence[StatusOut], empty: StatusOut) -> StatusOut:
    """All partitions in one; `empty` says what is the process's, and holds with no partition."""
    if not parts:
        return empty
    oldest = [each.oldest for each in parts if each.oldest is not None]
    return msgspec.structs.replace(
        empty,
        ready=all(each.ready for each in (empty, *parts)),
        windows=sum(each.windows for each in parts),
        queued=sum(each.queued for each in parts),
        dead_letters=sum(each.dead_letters for each in parts),
        resending=sum(each.resending for each in parts),
        mails=sum(each.mails for each in parts),
        workspaces_disabled=sorted({ws for each in parts for ws in each.workspaces_disabled})[
            :DISABLED_LISTED
        ],
        totals=_sums(each.totals for each in parts),
        residents=_sums(each.residents for each in parts),
        quarantined=[name for each in parts for name in each.quarantined],
        sending=sum(each.sending for each in parts),
        store=_store([each.store for each in parts]),
        disk=_sums(each.disk for each in (empty, *parts)),
        feed=_sums(each.feed for each in (empty, *parts)),
        lag_ms=max(each.lag_ms for each in parts),
        clock_held=any(each.clock_held for each in parts),
        reasons=reasons_of([empty, *parts]),
        oldest=max(oldest, key=lambda each: each.age_ms, default=None),
        mails_unsent=sum(each.mails_unsent for each in parts),
    )


def empty_status(
    version: str,
    pid: int,
    started_at: str,
    now: str,
    reasons: list[ReasonOut],
    log_lost: int,
    readers: Mapping[str, int],
    free_bytes: int,
    floor_bytes: int,
) -> StatusOut:
    """Of a node without a partition. `readers`: of its feed, as the status names them.
    `free_bytes`: on its disk; with less than `floor_bytes` it owns nothing."""
    return StatusOut(
        version=version,
        pid=pid,
        started_at=started_at,
        now=now,
        ready=not any(each.stops for each in reasons),
        windows=0,
        queued=0,
        dead_letters=0,
        resending=0,
        mails=0,
        workspaces_disabled=[],
        totals=dict.fromkeys(Totals.__struct_fields__, 0),
        residents={"chats": 0, "webhooks": 0},
        quarantined=[],
        sending=0,
        store=_store([]),
        disk={
            **dict.fromkeys(("map_bytes", "used_bytes", "file_bytes"), 0),
            "free_bytes": free_bytes,
            "room_bytes": free_bytes,
            "floor_bytes": floor_bytes,
        },
        feed={"next": 0, "oldest": 0, **readers},
        lag_ms=0,
        clock_held=False,
        reasons=reasons,
        oldest=None,
        mails_unsent=0,
        log_lines_lost=log_lost,
        sockets_given=[],
    )


def reasons_of(parts: Iterable[StatusOut]) -> list[ReasonOut]:
    """Each reason once, as the first partition has it."""
    found: dict[str, ReasonOut] = {}
    for part in parts:
        for reason in part.reasons:
            found.setdefault(reason.code, reason)
    return list(found.values())


def store_of(parts: Iterable[StoreState]) -> StoreState:
    """The counts of all Stores; intake is open if it is for all."""
    merged = StoreState()
    for part in parts:
        merged.commits += part.commits
        merged.transitions += part.transitions
        merged.commit_ms += part.commit_ms
        merged.commit_ms_max = max(merged.commit_ms_max, part.commit_ms_max)
        merged.rolled_back += part.rolled_back
        merged.intake_open = merged.intake_open and part.intake_open
        merged.failed = merged.failed or part.failed
    return merged


def waiting_of(parts: Sequence[WaitingTotals]) -> WaitingTotals:
    oldest = [each.oldest_ms for each in parts if each.oldest_ms is not None]
    return WaitingTotals(
        min(oldest, default=None),
        sum(each.webhooks_disabled for each in parts),
        sum(each.webhooks_over_budget for each in parts),
    )


def _store(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = _sums({k: v for k, v in each.items() if k != "intake_open"} for each in parts)
    names = ("waiting", "commits", "transitions", "commit_ms_mean", "commit_ms_max")
    return {
        **dict.fromkeys(names, 0),
        **found,
        "intake_open": all(each["intake_open"] for each in parts),
    }


def _sums(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name not in sums:
                sums[name] = value
            elif name in LARGEST:
                sums[name] = max(sums[name], value)
            elif name in LEAST:
                sums[name] = min(sums[name], value)
            else:
                sums[name] += value
    return sums

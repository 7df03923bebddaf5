"""Conditions of the daemon that readiness, status and console name, and standstill.

Something stands still when work that could be done was there all the time, and none of it was done
for `STANDSTILL_MS`. How old the work is says nothing about that: of a hundred thousand windows that
fall due together the last is sealed late, but all the time one is.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

STANDSTILL_MS = 30_000
UNSEEN_MS = 10_000  # between two looks: nobody knows what was done, the daemon itself stood still


class Reason(StrEnum):
    """The codes are stable: programs go by them, and other languages word them."""

    NOT_STARTED = "not_started"
    STORE_FAILED = "store_failed"
    STANDSTILL = "standstill"
    CLOCK_HELD = "clock_held"
    INTAKE_CLOSED = "intake_closed"
    RECORDS_DAMAGED = "records_damaged"
    QUARANTINE = "quarantine"
    SLOTS_TAKEN = "slots_taken"
    ALL_SLOTS_USED = "all_slots_used"
    SMTP_NOT_SET = "smtp_not_set"
    LOG_LOST = "log_lost"
    LOG_SERVERS_LOST = "log_servers_lost"
    PARTITIONS_UNOWNED = "partitions_unowned"
    COPIES_BROKEN = "copies_broken"
    PARTITIONS_STOPPED = "partitions_stopped"
    CLUSTER_RECORD_LOST = "cluster_record_lost"


SENTENCES: dict[Reason, str] = {
    Reason.NOT_STARTED: "the daemon is starting, or stopping",
    Reason.STORE_FAILED: "the store can't commit any more, and the daemon ends; its log says why",
    Reason.STANDSTILL: (
        "work that could be done ({kind}) was there for {seconds} s, and none of it was done"
    ),
    Reason.CLOCK_HELD: (
        "the clock is held: it is behind the last time that the data has seen, so no window closes "
        "and no wait ends. If the clock is wrong, set it; if it is right and was ahead earlier, "
        "restart once with `hookbundle run --trust-clock`"
    ),
    Reason.INTAKE_CLOSED: (
        "the store takes no messages: the disk is nearly full; what was accepted is still sent"
    ),
    Reason.RECORDS_DAMAGED: (
        "timed work failed and is tried again later; run "
        "`hookbundle check`, a record may be damaged"
    ),
    Reason.QUARANTINE: (
        "{count} chats, webhooks or e-mails failed again and again, and are left alone"
    ),
    Reason.SLOTS_TAKEN: (
        "{count} webhooks wait for a slot: receivers that are slow or failing hold "
        "those they may use"
    ),
    Reason.ALL_SLOTS_USED: (
        "{count} webhooks wait for a slot: all are in use, {sound} of them by receivers that are "
        "neither slow nor failing; if this lasts, raise `delivery.in_flight_max`"
    ),
    Reason.SMTP_NOT_SET: "no e-mail will be sent: smtp.host is not set, so owners are told nothing",
    Reason.LOG_LOST: (
        "{count} lines of the log could not be written: nobody reads it, or its disk is full"
    ),
    Reason.LOG_SERVERS_LOST: (
        "this node hears nothing from the cluster's log servers: what it owns takes nothing new"
    ),
    Reason.PARTITIONS_UNOWNED: "{count} partitions of the cluster have no owner now",
    Reason.COPIES_BROKEN: (
        "{count} copies of partitions can't be used, and are made anew from the log"
    ),
    Reason.PARTITIONS_STOPPED: (
        "the logs of {count} partitions have lost what was acknowledged: nothing of them is served "
        "until `hookbundle cluster recover`"
    ),
    Reason.CLUSTER_RECORD_LOST: (
        "the log servers have no record of the cluster: they have lost their disks, or "
        "`cluster.servers` names others than the cluster's"
    ),
}
NOT_READY = frozenset(
    {
        Reason.NOT_STARTED,
        Reason.STORE_FAILED,
        Reason.STANDSTILL,
        Reason.CLOCK_HELD,
        Reason.INTAKE_CLOSED,
        Reason.LOG_SERVERS_LOST,
        Reason.PARTITIONS_UNOWNED,
        Reason.COPIES_BROKEN,
        Reason.PARTITIONS_STOPPED,
        Reason.CLUSTER_RECORD_LOST,
    }
)
SAME_ELSEWHERE = frozenset(
    {
        Reason.CLOCK_HELD,
        Reason.PARTITIONS_UNOWNED,
        Reason.COPIES_BROKEN,
        Reason.PARTITIONS_STOPPED,
    }
)
"""Of a node of a cluster: what is so whichever node is asked. A proxy that led callers elsewhere
for it would help nobody, and where all nodes say so, it would lead them nowhere. So it can ask
without them: `/readyz?exclude=cluster`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is so of the daemon now: a reason, and the values of its sentence.

    `stops`: the daemon is not ready because of it.
    """

    reason: Reason
    values: tuple[tuple[str, str | int], ...] = ()

    @property
    def detail(self) -> str:
        return SENTENCES[self.reason].format(**dict(self.values))

    @property
    def stops(self) -> bool:
        return self.reason in NOT_READY


def condition(reason: Reason, **values: str | int) -> Condition:
    return Condition(reason, tuple(values.items()))


class Oldest(NamedTuple):
    """What could have moved and did not: its kind, and for how long, in ms."""

    kind: str
    age_ms: int


@dataclass(slots=True)
class ProgressWatch:
    """Measures for how long one sort of work has made no progress; it is asked now and then."""

    limit_ms: int = STANDSTILL_MS
    _done: int = -1
    _since_ms: int = 0
    _looked_ms: int = 0

    def look(self, now_ms: int, *, waits: bool, done: int) -> int:
        """For how long work has waited while none was done, in ms of a clock that only goes on.

        `done` counts what was done; `waits`: there is work that could be done now.
        """
        unseen = now_ms - self._looked_ms > UNSEEN_MS
        if not waits or done != self._done or unseen:
            self._since_ms = now_ms
        self._done, self._looked_ms = done, now_ms
        return now_ms - self._since_ms

    def stands_still(self, stood_ms: int) -> bool:
        return stood_ms >= self.limit_ms

"""The rows of the due index that the timer may act on: those that are due, and not claimed.

The timer *claims* each row it acts on. Without that, the next look would find the row again while
its transition still waits in the Store's queue, and submit it twice. The claim ends when the
transition is done, which deletes the row. Some claims must expire, because the row is handed to an
actor that may fail (MAIL), or the Store has no room for the result; such a row is still in the
index and is found again. Acting on a row twice is harmless: each transition checks what is still to
be done. So claims live in memory.

Each kind is looked at by itself, within its own budget, so that no flood of one kind, and no row of
one that can't be acted on, hides what is due of another. Within a kind, what is due is shared among
its webhooks or workspaces (storage/reads/dues.py), so that no flood of one of them hides another's.

Most looks find nothing: of a database in which nothing was stored since the last one, it is enough
to know when its earliest row is due. A node of a cluster looks at each of its partitions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.reads.dues import DueReads, Lap

MAIL_CLAIM_MS = 30_000
UNTIL_RELEASED = NEVER = 2**62


class Budget(NamedTuple):
    """`at_once`: rows taken in one look; `claimed_max`: at any time; `every_ms`: between looks."""

    at_once: int
    claimed_max: int
    every_ms: int = 0

    @property
    def part(self) -> int:
        """What one workspace gets of a look, while others have rows that are due."""
        return max(self.at_once // 8, 1)


# What is claimed waits in memory, in a lane of the Store's queue that takes no places; this bounds
# it. Where a row is a chain of steps, one step at a time leaves room for others. A workspace that
# sends all day has something to trim all day; looking seldom makes it one step for many deliveries.
BUDGETS = {
    DueKind.WINDOW: Budget(512, 1_024),
    DueKind.RETRY: Budget(512, 1_024),
    DueKind.FORGET: Budget(64, 128),
    DueKind.REQUEST: Budget(256, 512),
    DueKind.RETIME: Budget(1, 1),
    DueKind.MOVE: Budget(1, 1),
    DueKind.REPLAY: Budget(1, 1),
    DueKind.DELETE: Budget(1, 1),
    DueKind.MERGE: Budget(1, 1),
    DueKind.MAIL: Budget(64, 128),
    DueKind.ERASE: Budget(1, 1),
    DueKind.TRIM: Budget(2, 2, every_ms=50),
    DueKind.ARRIVALS: Budget(2, 2, every_ms=50),
    DueKind.SOURCE: Budget(2, 2, every_ms=50),
    DueKind.CHANGE: Budget(256, 512),
    DueKind.POSTPONED: Budget(64, 64),
}
# Chains that take turns, a step each: a look goes on where the last one stopped.
IN_TURNS = (
    DueKind.RETIME,
    DueKind.MOVE,
    DueKind.REPLAY,
    DueKind.MERGE,
    DueKind.ERASE,
    DueKind.DELETE,
)
NOT_LATE = (DueKind.TRIM, DueKind.ARRIVALS, DueKind.SOURCE, DueKind.POSTPONED)


@dataclass(slots=True)
class Claims:
    """The claimed rows of a kind: for each, by its key, when its claim expires, in ms.

    `more`: the last look found as many rows as it may take, so there may be others that are due.
    `lap`: how far the looks have come in what is due.
    """

    until_ms: dict[bytes, int] = field(default_factory=dict)
    lap: Lap = field(default_factory=Lap)
    more: bool = False
    looked_ms: int = -1


def no_claims() -> dict[DueKind, Claims]:
    return {kind: Claims() for kind in BUDGETS}


class DueRows:
    """`claims` is changed in place. `history_ms`: for how long history is kept, at present.

    Of the last `look_ahead`: `late_ms`: for how long the earliest row had been due on which the
    timer could act; `next_ms`: when the earliest row is due for which a look is worth while, None
    if there is none.
    """

    def __init__(
        self,
        dues: DueReads,
        claims: Mapping[DueKind, Claims],
        history_ms: Callable[[], int],
    ) -> None:
        self._dues = dues
        self._claims = claims
        self._claimed = {kind: claims[kind].until_ms for kind in BUDGETS}
        self._history_ms = history_ms
        self.late_ms = 0
        self.next_ms: int | None = None
        self._quiet_until_ms = 0
        self._seen = (0, 0)

    def is_quiet(self, now_ms: int) -> bool:
        """Whether nothing is claimed or due, as nothing was stored since the last `look_ahead`."""
        return now_ms < self._quiet_until_ms and self._basis() == self._seen

    def look_ahead(self, now_ms: int) -> None:
        """After what was due has been taken."""
        self._seen = self._basis()
        heads = self._dues.heads(BUDGETS)
        is_claimed = any(self._claimed.values())
        unclaimed = self._dues.heads(BUDGETS, self._claimed) if is_claimed else heads
        self.late_ms = _late_ms(heads, now_ms)
        awaited = [at_ms for kind, at_ms in unclaimed.items() if self._is_awaited(kind)]
        self.next_ms = min(awaited, default=None)
        waits = [at_ms + now_ms - self._until(kind, now_ms) for kind, at_ms in heads.items()]
        self._quiet_until_ms = 0 if is_claimed else min(waits, default=NEVER)

    def kinds_due(self, now_ms: int) -> list[DueKind]:
        """The kinds of which rows can be taken now, in the order of `BUDGETS`."""
        heads = self._dues.heads(self._open(now_ms), self._claimed)
        return [kind for kind, at_ms in heads.items() if at_ms <= self._until(kind, now_ms)]

    def take(self, kind: DueKind, now_ms: int) -> tuple[Due, ...]:
        """Rows of the kind that are due, within its budget. They are claimed from now on."""
        claims, budget = self._claims[kind], BUDGETS[kind]
        limit = min(budget.at_once, budget.claimed_max - len(claims.until_ms))
        if limit <= 0:
            return ()
        until_ms = self._until(kind, now_ms)
        # Of chains that take turns, a workspace gives one row in each lap, however many it has.
        rows = self._dues.take(
            kind, until_ms, limit, budget.part, but=claims.until_ms, lap=claims.lap
        )
        claims.more, claims.looked_ms = len(rows) == limit, now_ms
        expires_ms = now_ms + MAIL_CLAIM_MS if kind is DueKind.MAIL else UNTIL_RELEASED
        for row in rows:
            claims.until_ms[keyspace.due(row)] = expires_ms
        return tuple(rows)

    def release(self, rows: Iterable[Due], *, more: bool = False) -> set[DueKind]:
        """The claims of the rows have ended. Returns the kinds to look at without waiting.

        `more`: not all of them were acted on, and those that were not are due.
        """
        kinds = set()
        for row in rows:
            claims = self._claims[row.kind]
            claims.until_ms.pop(keyspace.due(row), None)
            claims.more |= more
            kinds.add(row.kind)
        return {kind for kind in kinds if self._is_worth_a_look(kind)}

    def release_at(self, rows: Iterable[Due], at_ms: int) -> None:
        for row in rows:
            self._claims[row.kind].until_ms[keyspace.due(row)] = at_ms

    def drop_expired(self, now_ms: int) -> None:
        """Rows whose claims have expired can be taken again."""
        for claimed in self._claimed.values():
            for key in [key for key, until_ms in claimed.items() if until_ms <= now_ms]:
                del claimed[key]
        # The actors of mails don't say when they are done; then the row is deleted or moved.
        mails = self._claimed[DueKind.MAIL]
        for key in self._dues.gone(mails) if mails else ():
            del mails[key]

    def _basis(self) -> tuple[int, int]:
        """What it depends on when rows are due."""
        return self._dues.version(), self._history_ms()

    def _open(self, now_ms: int) -> list[DueKind]:
        """The kinds of which the budget allows more now."""
        return [
            kind
            for kind, budget in BUDGETS.items()
            if len(self._claimed[kind]) < budget.claimed_max
            and now_ms - self._claims[kind].looked_ms >= budget.every_ms
        ]

    def _is_awaited(self, kind: DueKind) -> bool:
        return not self._claims[kind].more and not BUDGETS[kind].every_ms

    def _is_worth_a_look(self, kind: DueKind) -> bool:
        claims, budget = self._claims[kind], BUDGETS[kind]
        return (
            claims.more and not budget.every_ms and len(claims.until_ms) <= budget.claimed_max // 2
        )

    def _until(self, kind: DueKind, now_ms: int) -> int:
        """Rows of the kind with this time or an earlier one are due. 0 is always due."""
        return max(now_ms - self._history_ms(), 0) if kind is DueKind.TRIM else now_ms


def _late_ms(heads: Mapping[DueKind, int], now_ms: int) -> int:
    """Claimed rows count: they wait for the Store, or for their actor. What has no time of its own
    (a chain of steps, which is due from its first step to its last) is not late."""
    ages = [
        now_ms - at_ms
        for kind, at_ms in heads.items()
        if 0 < at_ms < now_ms and kind not in NOT_LATE
    ]
    return max(ages, default=0)

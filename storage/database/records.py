"""The records of the database. Times are UTC milliseconds; 0 means "not set".

A record is a MessagePack array of its fields in this order, without their names. So a field may be
renamed, but never moved or removed; a new one goes to the end, with a default. Once a version was
released, it comes with a new schema, and has its default until the database has that schema: in a
cluster an earlier version, which would drop it, may own the partition before. How to add one:
docs/decisions/0209-a-schema-is-raised-by-a-transition.md.

`Identity.epoch` (text) names a database. A restore gets a new one, because it continues from an
earlier state and would otherwise give ids and cursors a second time; a `Delivery` keeps the one in
which it was sealed. `WebhookState.epoch` (a number) counts restarts of a webhook; see there.
"""

from typing import Annotated

import msgspec

SCHEMA = 2  # the latest that this program knows
SCHEMA_OLDEST = 2  # the oldest that this program works on; older ones it migrates

U32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Record(msgspec.Struct, array_like=True, gc=False):
    """A record that transitions change in place."""


class Frozen(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record that is replaced as a whole."""


class Identity(Frozen, frozen=True):
    """Identifies the database. `epoch`: random; new for every new database and every restore."""

    epoch: str
    schema: int
    created_ms: int


class Totals(Record):
    """Counters since the database was created.

    Of messages: `accepted`, `duplicate`, `skipped`; `differs`: duplicates with another text than
    before. Of attempts: `failed`. Of webhooks: `disabled`. The others count deliveries; one that
    becomes a dead letter twice is counted twice. `receiver_fails`: of those that became dead
    letters, the ones that made their receiver fail. `resent`, `resends_failed`: how resends ended.
    Of messages again: `unrouted`, which no webhook wanted; `overflowed`, which a full webhook did
    not get. `merged`: deliveries that have become part of another. Of changes: `edited`, `removed`
    (in a window), `late`, `unmatched`. `closed`: windows that were closed on a wish. Of those that
    became dead letters, `not_rendered` had no body of their format; of the discarded ones their
    format skipped `no_record`.
    """

    accepted: int = 0
    duplicate: int = 0
    skipped: int = 0
    sealed: int = 0
    delivered: int = 0
    failed: int = 0
    dead_letters: int = 0
    discarded: int = 0
    disabled: int = 0
    differs: int = 0
    receiver_fails: int = 0
    resent: int = 0
    resends_failed: int = 0
    unrouted: int = 0
    overflowed: int = 0
    merged: int = 0
    edited: int = 0
    removed: int = 0
    late: int = 0
    unmatched: int = 0
    closed: int = 0
    not_rendered: int = 0
    no_record: int = 0


class Meta(Record):
    """The counters of the whole database.

    `..._next`: the next number to assign; webhooks take theirs from `workspace_next` too.
    `feed_...`: see feed_rows.py. `last_ms`: the latest time at which a transition was applied.
    `windows`, `queued`, `dead_letters`, `mails`: open windows, queued deliveries, dead letters,
    unsent e-mails. `history_bytes`: the sum over all workspaces. `tokens_indexed`: each token of a
    workspace is in the index of its tokens; not yet in a database from before that index.
    `resending`: waiting resends.
    """

    workspace_next: U32 = 1
    delivery_next: int = 1
    mail_next: int = 1
    feed_next: int = 1
    feed_oldest: int = 1
    feed_oldest_ms: int = 0
    last_ms: int = 0
    windows: int = 0
    queued: int = 0
    dead_letters: int = 0
    mails: int = 0
    totals: Totals = msgspec.field(default_factory=Totals)
    feed_events: int = 0
    feed_bytes: int = 0
    feed_owners: int = 0
    feed_own_events: int = 0
    feed_own_bytes: int = 0
    feed_walked: int = 0
    feed_thinned: int = 0
    history_bytes: int = 0
    tokens_indexed: bool = False
    resending: int = 0
    feed_found_from: int = 0


class WorkspaceName(Frozen, frozen=True):
    """The id of the workspace that has the number in the key."""

    id: str


class Flight(Frozen, frozen=True):
    """The attempt in progress. `delivery`: its number; `epoch`: the webhook's when it began.

    `instead_of`: the number of the head of the queue, if its receiver is asked whether it takes the
    next one (tables/failing.py); else 0.
    """

    delivery: int
    attempt: int
    began_ms: int
    epoch: int
    url: str = ""
    instead_of: int = 0


class Moving(Record):
    """Deliveries that are discarded or queued again, and whose rows follow; see tables/moving.py.

    What waits and has a number below `discard_before` is discarded, as `discard_reason` tells; dead
    letters from `return_from` to before `return_before` are queued. Each but one: that whose
    attempt was under way. Those that make their receiver fail have marks of their own, `fails_...`;
    so have those without a body of their format, `format_...`, of which none is ever under way.
    `resends`: all resends have ended, but that of `resends_but`.
    """

    discard_before: int = 0
    discard_but: int = 0
    return_from: int = 0
    return_before: int = 0
    return_but: int = 0
    fails_from: int = 0
    fails_before: int = 0
    fails_but: int = 0
    resends: bool = False
    resends_but: int = 0
    discarded_ms: int = 0
    discarded_by: str = ""
    discard_reason: str = ""
    format_from: int = 0
    format_before: int = 0


class Merging(Record):
    """A merge that is under way; see tables/merging/.

    `place`: the number in the queue at which the next step goes on; `before`: the first number that
    is not meant, because it was sealed later. `enable`: the webhook is enabled in the last step.
    `made`: how many deliveries it has made so far, of `merged` ones with `messages` messages.
    `damaged`: how many it could not read, and has left as they are.
    """

    place: int = 1
    before: int = 1
    enable: bool = False
    caller: str = ""
    began_ms: int = 0
    made: int = 0
    merged: int = 0
    messages: int = 0
    damaged: int = 0


class WebhookState(Record):
    """The state of a webhook, and its counters.

    `epoch` is increased when the webhook is enabled or gets another URL. The result of an attempt
    in progress then describes the old URL, or a time before the operator's repair, and must not
    count as an error of the new one. So an attempt keeps the epoch in which it began.

    `flight`: the attempt in progress; one that is found at a start was lost in a crash.
    `ready`, `retry_ms`: whether the webhook has a READY row, and the time of its RETRY row, or 0;
    only readiness.py writes them. `retime_after`: the key of the last chat whose window has its new
    time; None if no re-timing is in progress. `log_next`, `action_next`: the next numbers of the
    detailed log and of the activity log. `waiting_bytes`: of queued deliveries and dead letters;
    `buffered_...`: of open windows. What is being discarded counts in `waiting_bytes` alone.
    `own_faults`: attempts in a row that ended by faults of this machine; more than
    `outcomes.OWN_FAULTS_MAX` count as errors. `fails`, `fails_messages`: of the dead letters, those
    that make their receiver fail. `resending...`: resends that wait. `replay`: the number of the
    replay that is not over; `gate`: nothing from this delivery on is sent (0: all is), because a
    replay has still to come there. `paced_ms`: rate and budget allow no attempt before.
    `rate_used`, `rate_from_ms`: requests that count for the rate (engine/delivery/rates.py).
    `budget_day_ms`, `budget_used`: the beginning of the day, and its requests, counted since
    `budget_since_ms`; `budget_told`: what was told of it (tables/pacing/pace.py).
    `meter`: messages and calls of the last days (engine/windows/meter.py). `unrendered...`: of the
    dead letters, those without a body of their format. `resting_ms`: see `rests_until_ms`.
    """

    workspace: U32
    enabled: bool = True
    disabled_reason: str = ""
    disabled_ms: int = 0
    consecutive_errors: int = 0
    last_error: str = ""
    next_attempt_ms: int = 0
    epoch: int = 0
    flight: Flight | None = None
    ready: bool = False
    retry_ms: int = 0
    retime_after: bytes | None = None
    queued: int = 0
    queued_messages: int = 0
    dead_letters: int = 0
    dead_letter_messages: int = 0
    waiting_bytes: int = 0
    windows: int = 0
    buffered_messages: int = 0
    buffered_bytes: int = 0
    log_next: int = 0
    action_next: int = 0
    moving: Moving | None = None
    own_faults: int = 0
    fails: int = 0
    fails_messages: int = 0
    resending: int = 0
    resending_messages: int = 0
    replay: int = 0
    gate: int = 0
    paced_ms: int = 0
    rate_used: tuple[int, ...] = ()
    rate_from_ms: int = 0
    budget_day_ms: int = 0
    budget_used: int = 0
    budget_told: int = 0
    full_ms: int = 0
    overflowed: int = 0
    merging: Merging | None = None
    budget_since_ms: int = 0
    meter: bytes = b""
    unrendered: int = 0
    unrendered_messages: int = 0
    resting_ms: int = 0

    @property
    def rests_until_ms(self) -> int:
        """Until when it waits because its rendering rests; 0 if it waits for nothing or else."""
        return self.resting_ms if self.resting_ms == self.next_attempt_ms else 0


class Usage(Record):
    """What a workspace has on the disk beside what waits, in bytes, and its counters.

    Bytes are those of the values that grow with what callers send: bodies, attempts with their
    answers, facts, answers to requests, seen ids. What is small is a flat sum (tables/history.py),
    or left out (settings, a line of the activity log).

    `history`, `history_bytes`: deliveries that have ended and are kept. `trim_ms`: the time of the
    workspace's TRIM row of the due index, or -1 without one. `events`, `event_bytes`: its share of
    the feed. `answers`, `answer_bytes`: idempotency keys. `seen_bytes`: parts and rows of seen ids.
    `test_bytes`: test requests in the detailed log. `erasures`: how many deleted chats have records
    left to erase; while it is 0, the sender need not look for one. `trimmed_ms`: all that ended
    later is kept; -1 if an earlier version may have trimmed. `arrival_bytes`: rows with arrival
    times; `arrivals_due_ms`: the time of the workspace's ARRIVALS row, or -1 without one;
    `arrivals_since_ms`: all that arrived later is known, but for what is too old; 0 if an earlier
    version kept none. `changes`, `change_bytes`: edits and deletions that wait for their messages.
    `source_next`: the number of the next source. `source_bytes`: what sources remember, and their
    requests. `sources_due_ms`: the time of the workspace's SOURCE row, or -1 without one.
    """

    history: int = 0
    history_bytes: int = 0
    trim_ms: int = -1
    events: int = 0
    event_bytes: int = 0
    thinned_to: int = 0
    answers: int = 0
    answer_bytes: int = 0
    seen_bytes: int = 0
    test_bytes: int = 0
    erasures: int = 0
    trimmed_ms: int = -1
    arrival_bytes: int = 0
    arrivals_due_ms: int = -1
    arrivals_since_ms: int = 0
    changes: int = 0
    change_bytes: int = 0
    source_next: U32 = 1
    source_bytes: int = 0
    sources_due_ms: int = -1

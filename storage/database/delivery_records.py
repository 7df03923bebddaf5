"""The records of a delivery, from sealing until it is trimmed, and of the two logs that show it.

records.py says how fields are stored.
"""

import msgspec

from hookbundle.storage.database.records import Frozen, Record


class Delivery(Record):
    """The head of a delivery: all of it but its body and its attempts.

    `messages`: how many it contains. `reason`: why it was sealed, as in the feed. `epoch`: of the
    database that sealed it, which is part of its id. `state`: the value of a `DeliveryState`; the
    one whose attempt is under way is `queued` here. `attempts`: how many were made. `rejections`:
    how often the receiver rejected it while the webhook's epoch was `rejections_epoch`; in another
    one, and when this dead letter is queued again, they are counted from 0. `ended_ms`: when it was
    delivered or discarded, 0 before. `body_bytes`, `attempt_bytes`: of the body, and of the
    attempts that are kept. `chat_name`, `phone`, `extra`: of its newest message; `phone` as it
    came. `status`: of the last answer. `dead_reason`: why it is a dead letter, of
    `kinds.REASONS`, empty after rejections. `server_errors`, `compared`: see tables/failing.py;
    they count while the webhook's epoch is `failing_epoch`. `resending`: it was delivered, and is
    to be sent once more. `replay`: the number of the replay that queued it again or has it sent
    once more, as long as it waits; else 0. `arrival_bytes`: of the arrivals beside the body.
    `discarded_by`, `discard_reason`: by whom, and why, if it was discarded. `merged_into`: the id
    of the delivery that has its messages now. `named`: the number in its id, if that is not
    `number`; see tables/merging/. `part`: of the bundles that one window was cut into for size.
    `permalink`: of a single message, whose body has none. `rendered_bytes`: of the body that is
    sent in the place of the seed's; 0: none is kept (tables/rendering/).
    """

    number: int
    chat_id: str
    messages: int
    sealed_ms: int
    reason: str
    bundle: bool
    epoch: str
    opened_ms: int = 0
    state: str = "queued"
    attempts: int = 0
    rejections: int = 0
    last_error: str = ""
    status: int = 0
    ended_ms: int = 0
    body_bytes: int = 0
    attempt_bytes: int = 0
    chat_name: str = ""
    phone: str = ""
    extra: bytes = b""
    rejections_epoch: int = 0
    dead_reason: str = ""
    server_errors: int = 0
    compared: bool = False
    failing_epoch: int = 0
    resending: bool = False
    replay: int = 0
    arrival_bytes: int = 0
    discarded_by: str = ""
    discard_reason: str = ""
    merged_into: str = ""
    named: int = 0
    part: int = 1
    permalink: str = ""
    rendered_bytes: int = 0

    @property
    def own_number(self) -> int:
        """The number in its id."""
        return self.named or self.number

    @property
    def placed_ms(self) -> int:
        """The time that its number has among those of the others: when it was sealed, or put here
        because the merged one has its place. Only then it is behind the number in its id."""
        return self.ended_ms if 0 < self.named < self.number else self.sealed_ms


class ReplayFilter(Frozen, frozen=True):
    """A filter of deliveries; what is empty or 0 restricts nothing. tables/repeating/matching.py.

    `states`: values of `DeliveryState`. `since_ms`, `until_ms`: when it was sealed, the end not
    included. `http_status`: of the last answer; the least of them where `http_status_most` is not
    0. `no_answer`: it was called, and none came.
    """

    states: tuple[str, ...] = ()
    chat: str = ""
    http_status: int = 0
    since_ms: int = 0
    until_ms: int = 0
    http_status_most: int = 0
    no_answer: bool = False


class Replay(Record):
    """Many deliveries that are sent once more, by a filter; see tables/repeating/replays.py.

    `state`: `queuing`, `sending`, `cancelling`, `done` or `cancelled`. `before`: the next delivery
    number when it was asked for: younger ones are not meant. `place`: the number at which the next
    step of queuing, or of cancelling, goes on. `counted`, `counted_messages`: what was to be sent
    when it was counted; `queued`, `queued_messages`: what was put so far. Of these `waiting` are
    not over, `delivered` and `failed` have ended so, `dropped` were discarded, or taken back by the
    cancellation; `released` were being sent when it came to them, and are its own no longer.
    """

    number: int
    webhook: int
    state: str
    wanted: ReplayFilter
    caller: str
    created_ms: int
    before: int
    place: int = 0
    ended_ms: int = 0
    counted: int = 0
    counted_messages: int = 0
    queued: int = 0
    queued_messages: int = 0
    waiting: int = 0
    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    released: int = 0


class Chunk(Frozen, frozen=True):
    """A part of a delivery's body; nearly all bodies have one.

    `arrivals`, in the first one: when each message of the body arrived; see tables/bodies.py.
    """

    body: bytes
    arrivals: bytes = b""


class Attempt(Frozen, frozen=True):
    """A request of a delivery without its body, and the response.

    `truncated`: the response body was longer than what is kept. `method`: of the request.
    """

    at_ms: int
    url: str
    request_headers: tuple[tuple[str, str], ...]
    outcome: str
    status: int = 0
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: bytes = b""
    truncated: bool = False
    error: str = ""
    duration_ms: int = 0
    method: str = "POST"


class WebhookTest(Frozen, frozen=True):
    """A test request: it belongs to no delivery, so its body stands with it."""

    id: str
    body: bytes
    attempt: Attempt


class LogRow(Frozen, frozen=True):
    """An entry of the detailed log: the delivery's number and the attempt's, or a test request."""

    delivery: int = 0
    attempt: int = 0
    test: WebhookTest | None = None


class Action(Frozen, frozen=True):
    """A line of the activity log.

    `logged`: 1 + the number of its entry in the detailed log, or 0 if it has none. `delivery`,
    `attempt`: what the line is about, or 0.
    """

    at_ms: int
    action: str
    chat_id: str = ""
    messages: int = 0
    outcome: str = ""
    detail: str = ""
    logged: int = 0
    delivery: int = 0
    attempt: int = 0


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """An entry of the detailed log as it is read: the request and its response, with bodies."""

    delivery_id: str
    attempt: int
    chat_id: str
    request_body: bytes
    result: Attempt

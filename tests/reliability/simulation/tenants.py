"""A workspace in the model: its windows, its deliveries, and the attempt in flight.

The names differ from the product's, so that model and daemon are not confused: `Tenant` is a
workspace, `Collected` a window, `Parcel` a delivery.
"""

from collections import deque
from dataclasses import dataclass, field

from hookbundle.tests.reliability.simulation.peers import Request


@dataclass(slots=True)
class Collected:
    """An open window: its times, and its messages as (sent, id) in the order of arrival."""

    opened_ms: int
    due_ms: int
    messages: list[tuple[int, str]] = field(default_factory=list)

    def ids(self) -> tuple[str, ...]:
        return tuple(id_ for _, id_ in sorted(self.messages, key=lambda message: message[0]))


@dataclass(slots=True)
class Parcel:
    """A delivery that is queued or a dead letter."""

    id: str
    number: int
    chat: str
    ids: tuple[str, ...]
    bundle: bool
    sealed_ms: int
    body: bytes = b""
    rejections: int = 0
    server_errors: int = 0
    compared: bool = False
    fails: bool = False

    def begin_anew(self) -> None:
        self.rejections = self.server_errors = 0
        self.compared = self.fails = False


@dataclass(slots=True)
class Flight:
    """The attempt in flight.

    `erased`: its delivery was deleted meanwhile. `reset`: the webhook was enabled or got another
    URL meanwhile, so the outcome does not count. `instead_of`: the head, if this is the next one.
    """

    parcel: Parcel
    attempt: int
    url: str
    reset: bool = False
    erased: bool = False
    request: Request | None = None
    instead_of: Parcel | None = None


@dataclass(slots=True)
class Job:
    """A replay: the numbers of what it has still to put, and of what it has put.

    `fails`: those that made their receiver fail, and do so again when they are taken back.
    """

    to_put: list[int]
    put: set[int] = field(default_factory=set)
    fails: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Tenant:
    """A workspace. `closed` and `singles`: bundles and single messages whose seal is expected.

    `offered`: chat -> the messages of the request under way. `seen`: (chat, id) -> when accepted.
    `delivered`: what there is to be resent; `resends` of these are. `asked`: the filter of a replay
    that may begin; `put_ms`: when one last put something.
    """

    name: str
    url: str
    length_ms: int
    enabled: bool = True
    disabled_ms: int = 0
    errors: int = 0
    not_before_ms: int = 0
    not_after_ms: int = 0
    windows: dict[str, Collected] = field(default_factory=dict)
    closed: dict[str, deque[tuple[str, ...]]] = field(default_factory=dict)
    singles: dict[str, deque[str]] = field(default_factory=dict)
    offered: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    flushing: set[str] = field(default_factory=set)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    queued: dict[int, Parcel] = field(default_factory=dict)
    dead_letters: dict[int, Parcel] = field(default_factory=dict)
    flight: Flight | None = None
    mails_owed: int = 0
    own_faults: int = 0
    to_set_aside: Parcel | None = None
    delivered: dict[int, Parcel] = field(default_factory=dict)
    resends: dict[int, Parcel] = field(default_factory=dict)
    job: Job | None = None
    asked: tuple[tuple[str, ...], str] | None = None
    put_ms: int = 0

    def held(self) -> int:
        waiting = sum(len(parcel.ids) for parcel in self.queued.values())
        return waiting + sum(len(window.messages) for window in self.windows.values())

    def may_send(self) -> bool:
        return self.enabled and bool(self.url) and bool(self.queued or self.resends)

    def waiting(self) -> dict[int, Parcel]:
        return {**self.queued, **self.resends}

    def next_to_put(self) -> int | None:
        """The number that its replay puts next: nothing from there on may be sent before."""
        for number in self.job.to_put if self.job else ():
            is_delivered = number in self.delivered and number not in self.resends
            if number in self.dead_letters or is_delivered:
                return number
        return None

    def close(self, chat: str) -> None:
        self.closed.setdefault(chat, deque()).append(self.windows.pop(chat).ids())

    def requeue(self, parcel: Parcel) -> None:
        self.queued[parcel.number] = self.dead_letters.pop(parcel.number)
        parcel.begin_anew()

    def next(self) -> tuple[Parcel, Parcel | None]:
        """What is sent next, and the head of the queue, if this is sent instead of it."""
        waiting, limit = self.waiting(), self.next_to_put()
        first, *rest = sorted(waiting)
        head = waiting[first]
        may_ask = rest and (limit is None or rest[0] < limit)
        if may_ask and head.server_errors >= 5 and not head.compared:
            return waiting[rest[0]], head
        return head, None

    def start_over(self, *, moved: bool = False) -> None:
        """Enabled, or `moved` to another URL: no errors, no wait, dead letters are queued again.

        Those that make their receiver fail only with another URL.
        """
        self.errors = self.own_faults = self.not_before_ms = self.not_after_ms = 0
        for parcel in list(self.dead_letters.values()):
            if moved or not parcel.fails:
                self.requeue(parcel)
        for parcel in self.waiting().values():
            parcel.begin_anew()
        if self.flight:
            self.flight.reset = True

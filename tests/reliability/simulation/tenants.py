"""A webhook in the model: its windows, its deliveries, and the attempt in flight.

The names differ from the product's, so that model and daemon are not confused: `Tenant` is a
webhook, `Home` a workspace, `Collected` a window, `Parcel` a delivery.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hookbundle.tests.reliability.simulation.peers import Request
from hookbundle.tests.reliability.simulation.rules.ends import Collected, Day
from hookbundle.tests.reliability.simulation.rules.forms import FORMS, Form
from hookbundle.tests.reliability.simulation.rules.takes import TAKES, Takes
from hookbundle.tests.reliability.simulation.rules.written import Filter, Windows

BUNDLE_MAX = 1_000
HELD_MAX = 150
HELD_MS_MAX = 4 * 86_400_000
RENDERED_MS = 3_000  # bodies of all webhooks, one after the other
WAITING_MAX = 6_000  # of all webhooks of a workspace
ALL = Filter()
SEED, ONLY_200 = FORMS["seed"], TAKES["200"]


class Expected(NamedTuple):
    """A seal that must come: its messages (sent, id) in order, and what may be its reason."""

    members: tuple[tuple[int, str], ...]
    bundle: bool
    reasons: frozenset[str]


@dataclass(slots=True)
class Parcel:
    """A delivery that is queued or a dead letter. `number`: where it stands in the queue.

    `body`: as it was sealed; `sent`: as it was sent, by `form`, the format of its first attempt.
    `unrendered`: it is a dead letter because it could not be rendered.
    """

    id: str
    number: int
    chat: str
    members: tuple[tuple[int, str], ...]
    bundle: bool
    sealed_ms: int
    body: bytes = b""
    sent: bytes = b""
    form: Form = SEED
    unrendered: bool = False
    rejections: int = 0
    server_errors: int = 0
    compared: bool = False
    fails: bool = False
    attempted: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(id_ for _, id_ in self.members)

    def begin_anew(self) -> None:
        self.rejections = self.server_errors = 0
        self.compared = self.fails = False


@dataclass(slots=True)
class Flight:
    """The attempt in flight.

    `erased`: its delivery was deleted meanwhile. `reset`: the webhook was enabled or got another
    URL meanwhile, so the outcome does not count. `instead_of`: the head, if this is the next one.
    `takes`: which answers deliver it.
    """

    parcel: Parcel
    attempt: int
    url: str
    takes: Takes
    reset: bool = False
    erased: bool = False
    request: Request | None = None
    instead_of: Parcel | None = None


@dataclass(slots=True)
class Job:
    """A replay: the numbers of what it has still to put, and of what it has put.

    `fails`: those that made their receiver fail, and do so again when they are taken back. So do
    those that could not be rendered, `unrendered`.
    """

    to_put: list[int]
    put: set[int] = field(default_factory=set)
    fails: set[int] = field(default_factory=set)
    unrendered: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Home:
    """A workspace: what its webhooks share. `tenants`: `outbound` first, then by age.

    `offered`: chat -> the messages of the request under way. `seen`: (chat, id) -> when accepted.
    `phones`: hidden id -> the phone, which is the chat, as its source has told.
    """

    name: str
    zone: str = "UTC"
    tenants: "list[Tenant]" = field(default_factory=list)
    offered: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tenant:
    """A webhook, `acme` of the workspace of that name or `acme.crm`.

    `expected`: by chat, seals that must come. `arrived`: chat -> when it got the last message.
    `delivered`: what there is to be resent; `resends` of these are. `asked`: the filter of a replay
    that may begin; `put_ms`: when one last put something. `changed_ms`: when its windows were.
    """

    name: str
    home: Home
    url: str
    windows_by: Windows
    filter: Filter = ALL
    most: int = BUNDLE_MAX
    form: Form = SEED
    takes: Takes = ONLY_200
    day: Day = field(default_factory=Day)
    enabled: bool = True
    disabled_ms: int = 0
    errors: int = 0
    not_before_ms: int = 0
    not_after_ms: int = 0
    windows: dict[str, Collected] = field(default_factory=dict)
    expected: dict[str, deque[Expected]] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    flushing: set[str] = field(default_factory=set)
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
    changed_ms: int = 0
    merging: bool = False
    overflowed: int = 0

    @property
    def webhook_id(self) -> str:
        return self.name.partition(".")[2] or "outbound"

    def held(self) -> int:
        """Messages in windows and in the queue, also those whose seal is still to be heard of."""
        waiting = sum(len(parcel.members) for parcel in self.queued.values())
        leaving = sum(len(each.members) for expected in self.expected.values() for each in expected)
        return waiting + leaving + sum(len(window.messages) for window in self.windows.values())

    def is_full(self, count: int, at_ms: int) -> bool:
        """Whether it can't get so many messages more."""
        dead = sum(len(parcel.members) for parcel in self.dead_letters.values())
        if self.held() + dead + count > WAITING_MAX // len(self.home.tenants):
            return True
        if self.enabled and self.url:
            return False
        too_long = not self.enabled and at_ms - self.disabled_ms > HELD_MS_MAX
        return too_long or self.held() + count > HELD_MAX

    def may_send(self) -> bool:
        is_on = self.enabled and bool(self.url) and not self.merging
        return is_on and bool(self.queued or self.resends)

    def free_ms(self) -> int:
        """From when on its budget lets it send, at the earliest after the wait of an error."""
        return self.day.free_ms(self.home.zone, self.not_after_ms)

    def waiting(self) -> dict[int, Parcel]:
        return {**self.queued, **self.resends}

    def next_to_put(self) -> int | None:
        """The number that its replay puts next: nothing from there on may be sent before."""
        for number in self.job.to_put if self.job else ():
            is_delivered = number in self.delivered and number not in self.resends
            if number in self.dead_letters or is_delivered:
                return number
        return None

    def close(self, chat: str, *reasons: str) -> None:
        """The chat's window is sealed; of an empty one nothing is sent."""
        members = self.windows.pop(chat).members()
        if members:
            self.expect(chat, members, *reasons)

    def expect(self, chat: str, members: tuple[tuple[int, str], ...], *reasons: str) -> None:
        expected = Expected(members, reasons != ("single",), frozenset(reasons))
        self.expected.setdefault(chat, deque()).append(expected)

    def parcels(self) -> Iterator[Parcel]:
        """All that wait or were delivered."""
        for each in (self.queued, self.dead_letters, self.delivered):
            yield from each.values()

    def requeue(self, parcel: Parcel) -> None:
        self.queued[parcel.number] = self.dead_letters.pop(parcel.number)
        parcel.unrendered = False
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

"""What the model knows of a workspace: its windows, its deliveries, what is under way."""

from collections import deque
from dataclasses import dataclass, field

from hookbundle.tests.reliability.simulation.strangers import Request


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
    """A delivery that waits."""

    id: str
    number: int
    chat: str
    ids: tuple[str, ...]
    bundle: bool
    sealed_ms: int
    body: bytes = b""
    rejections: int = 0


@dataclass(slots=True)
class Flight:
    """The attempt under way. `erased`: its delivery was deleted meanwhile."""

    parcel: Parcel
    attempt: int
    url: str
    reset: bool = False
    erased: bool = False
    request: Request | None = None


@dataclass(slots=True)
class Tenant:
    """A workspace. `closed` and `singles`: what should be a delivery already, but isn't told of."""

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
    pending: dict[int, Parcel] = field(default_factory=dict)
    parked: dict[int, Parcel] = field(default_factory=dict)
    flight: Flight | None = None
    mails_owed: int = 0

    def held(self) -> int:
        waiting = sum(len(parcel.ids) for parcel in self.pending.values())
        return waiting + sum(len(window.messages) for window in self.windows.values())

    def may_send(self) -> bool:
        return self.enabled and bool(self.url) and bool(self.pending)

    def close(self, chat: str) -> None:
        self.closed.setdefault(chat, deque()).append(self.windows.pop(chat).ids())

    def unpark(self, parcel: Parcel) -> None:
        self.pending[parcel.number] = self.parked.pop(parcel.number)
        parcel.rejections = 0

    def start_over(self) -> None:
        """Enabled, or another URL: no errors, no waiting, what was parked is back."""
        self.errors = self.not_before_ms = self.not_after_ms = 0
        for parcel in list(self.parked.values()):
            self.unpark(parcel)
        for parcel in self.pending.values():
            parcel.rejections = 0
        if self.flight:
            self.flight.reset = True

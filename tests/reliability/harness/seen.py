"""What was seen of a daemon's lives from outside, and what its database says at the end.

`tick()` numbers what happened in the order in which this process saw it: clients, receiver and mail
server live in one loop, so that order is one.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

Place = tuple[str, str, str]  # workspace, chat, message id
Frame = dict[str, Any]  # an event of the feed
Attempt = tuple[str, int, str]  # delivery, number of the attempt, outcome

STILL_OPEN = 1 << 60
OUTCOMES = {
    f"delivery.{outcome}": outcome for outcome in ("delivered", "failed", "parked", "unknown")
}
ERRORS = frozenset({"failed", "parked"})


@dataclass(slots=True)
class Asked:
    """A message that a client wants stored; `unknown` until it was told what became of it."""

    ws: str
    chat: str
    message_id: str
    text: str
    at: int
    outcome: Literal["unknown", "acknowledged", "refused"] = "unknown"

    @property
    def place(self) -> Place:
        return self.ws, self.chat, self.message_id


@dataclass(slots=True)
class Posted:
    """A request at the receiver; `status` 0: it ended without an answer."""

    ws: str
    id: str
    body: bytes
    chat: str
    messages: tuple[tuple[str, str], ...]  # their ids and texts
    began: int
    ended: int = STILL_OPEN
    status: int = 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """Somebody asked to delete the chat, or with `chat` empty the workspace; answered or not."""

    ws: str
    chat: str
    answered: int


@dataclass(frozen=True, slots=True)
class Mailed:
    """The mail server took it in that life of the daemon."""

    message_id: str
    to: str
    life: int


@dataclass(slots=True)
class Seen:
    asked: list[Asked] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    deleted: list[Deleted] = field(default_factory=list)
    mailed: list[Mailed] = field(default_factory=list)
    told: list[Frame] = field(default_factory=list)  # to readers of the feed, while it went on
    killed: list[str] = field(default_factory=list)  # where each life but the last ended
    starts_s: list[float] = field(default_factory=list)  # without waiting for a processor
    unsigned: list[str] = field(default_factory=list)
    cut_short: int = 0  # requests whose body never came whole

    unfinished: bool = False  # with honest receivers, and time enough, something still waited
    feed: list[Frame] = field(default_factory=list)
    held: Counter[Place] = field(default_factory=Counter)
    logs: dict[str, list[Attempt]] = field(
        default_factory=dict
    )  # newest first, errors of any kind as `error`
    findings: list[str] = field(default_factory=list)  # of `hookbundle check`
    stored: dict[str, Any] = field(default_factory=dict)  # states by workspace, as tests fold them
    totals: dict[str, int] = field(default_factory=dict)

    ticks: int = 0

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    def classes(self) -> dict[str, int]:
        """How often something of each class has happened, as far as clients and receivers know."""
        outcomes = Counter(asked.outcome for asked in self.asked)
        first = {(posted.ws, posted.chat, posted.messages[0]) for posted in self.posted}
        return {
            "acknowledged": outcomes["acknowledged"],
            "unknown": outcomes["unknown"],
            "delivered": sum(posted.status == 200 for posted in self.posted),
            "retried": len(self.posted) - len(first),
            "disabled": sum(frame["type"] == "webhook.disabled" for frame in self.told),
            "mailed": len(self.mailed),
            "deleted": len(self.deleted),
        }

    def events(self, *types: str) -> list[Frame]:
        return [event for event in self.feed if event["type"] in types]

    def delivered(self) -> Counter[Place]:
        """How many deliveries that are done with a message was in."""
        done = {event["data"]["delivery"] for event in self.events("delivery.delivered")}
        bodies = {posted.id: posted for posted in self.posted if posted.id in done}
        return Counter(
            (posted.ws, posted.chat, message_id)
            for posted in bodies.values()
            for message_id, _ in posted.messages
        )

    def may_be_gone(self, asked: Asked) -> bool:
        """Whether somebody asked to delete it when it may have been there."""
        return any(
            each.ws == asked.ws and each.chat in ("", asked.chat) and asked.at < each.answered
            for each in self.deleted
        )

    def requests(self, *, by_id: bool) -> dict[tuple[str, str], list[Posted]]:
        """In the order in which they came, by workspace and, if wanted, delivery."""
        found: dict[tuple[str, str], list[Posted]] = defaultdict(list)
        for posted in self.posted:
            found[posted.ws, posted.id if by_id else ""].append(posted)
        return found

    def attempts(self) -> dict[tuple[str, str], list[str]]:
        """By workspace and delivery: the outcome of each attempt, empty if there was none."""
        found: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for event in self.events("delivery.attempted", *OUTCOMES):
            data = event["data"]
            key = event["workspace"], data["delivery"]
            found[key][data["attempt"]] = OUTCOMES.get(event["type"], "")
        return {key: list(outcomes.values()) for key, outcomes in found.items()}

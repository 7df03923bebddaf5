"""What clients, receiver and mail server observed of a daemon, and its final state.

`tick()` numbers the observations. Clients, receiver and mail server share one event loop, so the
numbers are in the order in which things happened.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

MessageKey = tuple[str, str, str]  # workspace, chat, message id
Frame = dict[str, Any]  # an event of the feed
Attempt = tuple[str, int, str]  # delivery, number of the attempt, outcome

STILL_OPEN = 1 << 60
OUTCOMES = {
    f"delivery.{outcome}": outcome
    for outcome in ("delivered", "failed", "dead_lettered", "unknown")
}
ERRORS = frozenset({"failed", "dead_lettered"})


def outcome_of(event: Frame) -> str:
    """The outcome of the attempt that the event tells of; empty if it is about none.

    What became a dead letter because the next one was delivered ended no attempt of its own.
    """
    is_of_the_next = event["data"].get("reason") == "receiver_fails"
    return "" if is_of_the_next else OUTCOMES.get(event["type"], "")


@dataclass(slots=True)
class Asked:
    """A message that a client sent; its outcome is `unknown` until the client has an answer."""

    ws: str
    chat: str
    message_id: str
    text: str
    at: int
    outcome: Literal["unknown", "acknowledged", "refused"] = "unknown"

    @property
    def key(self) -> MessageKey:
        return self.ws, self.chat, self.message_id


@dataclass(slots=True)
class Posted:
    """A request that the receiver got; `status` 0: it ended without an answer."""

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
    """A request to delete the chat (the workspace if `chat` is empty), answered or not.

    `answered`: the tick of the answer, or of the end of the connection.
    """

    ws: str
    chat: str
    answered: int


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail that the mail server took in run number `life` of the daemon."""

    message_id: str
    to: str
    life: int


def told_by(message_id: str) -> tuple[str, int]:
    """The mail's number, and of how many disablings it and earlier ones of that number tell."""
    match = re.fullmatch(r"<(.*)-([0-9]+)@hookbundle>", message_id)
    return (match[1], int(match[2])) if match else (message_id, 1)


def is_of_disabling(message_id: str) -> bool:
    """Mails of other kinds tell of warnings, and of full webhooks."""
    return not message_id.startswith(("<warning-", "<full-"))


@dataclass(slots=True)
class Seen:
    """Everything observed; the fields after the blank line are read from the final database."""

    asked: list[Asked] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    deleted: list[Deleted] = field(default_factory=list)
    mailed: list[Mailed] = field(default_factory=list)
    heard: list[Frame] = field(default_factory=list)  # by a reader of the feed, live
    killed: list[str] = field(default_factory=list)  # the failpoint of each run but the last
    starts_s: list[float] = field(default_factory=list)  # without waiting for a processor
    unsigned: list[str] = field(default_factory=list)
    cut_short: int = 0  # requests whose body never arrived completely

    unfinished: bool = False  # deliveries were left although all receivers answered 200
    feed: list[Frame] = field(default_factory=list)
    held: Counter[MessageKey] = field(default_factory=Counter)
    # The newest entry first; every kind of error is an `error`.
    logs: dict[str, list[Attempt]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)  # of `hookbundle check`
    stored: dict[str, Any] = field(default_factory=dict)  # workspace -> state (folding.py)
    totals: dict[str, int] = field(default_factory=dict)
    mails_waiting: dict[str, int] = field(default_factory=dict)  # disablings, by workspace

    ticks: int = 0

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    def classes(self) -> dict[str, int]:
        """How often each class of event has happened, as far as clients and receivers know."""
        outcomes = Counter(asked.outcome for asked in self.asked)
        first = {(posted.ws, posted.chat, posted.messages[0]) for posted in self.posted}
        return {
            "acknowledged": outcomes["acknowledged"],
            "unknown": outcomes["unknown"],
            "delivered": sum(posted.status == 200 for posted in self.posted),
            "retried": len(self.posted) - len(first),
            "disabled": sum(frame["type"] == "webhook.disabled" for frame in self.heard),
            "mailed": len(self.mailed),
            "deleted": len(self.deleted),
        }

    def events(self, *types: str) -> list[Frame]:
        return [event for event in self.feed if event["type"] in types]

    def delivered(self) -> Counter[MessageKey]:
        """Message -> the number of delivered deliveries that contained it."""
        done = {event["data"]["delivery"] for event in self.events("delivery.delivered")}
        bodies = {posted.id: posted for posted in self.posted if posted.id in done}
        return Counter(
            (posted.ws, posted.chat, message_id)
            for posted in bodies.values()
            for message_id, _ in posted.messages
        )

    def may_be_gone(self, asked: Asked) -> bool:
        """Whether a request to delete the message came while the message may have been stored."""
        return any(
            each.ws == asked.ws and each.chat in ("", asked.chat) and asked.at < each.answered
            for each in self.deleted
        )

    def requests(self, *, by_id: bool) -> dict[tuple[str, str], list[Posted]]:
        """(workspace, delivery) -> its requests in order of arrival.

        Without `by_id` the delivery is left empty, and requests are grouped by workspace alone.
        """
        found: dict[tuple[str, str], list[Posted]] = defaultdict(list)
        for posted in self.posted:
            found[posted.ws, posted.id if by_id else ""].append(posted)
        return found

    def attempts(self) -> dict[tuple[str, str], list[str]]:
        """(workspace, delivery) -> the outcome of each attempt; an attempt without one has ''."""
        found: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for event in self.events("delivery.attempted", *OUTCOMES):
            data = event["data"]
            key = event["workspace"], data["delivery"]
            if event["type"] == "delivery.attempted" or outcome_of(event):
                found[key][data["attempt"]] = outcome_of(event)
        return {key: list(outcomes.values()) for key, outcomes in found.items()}

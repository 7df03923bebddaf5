"""The checker accepts a correct history, and reports each fault of one that was altered."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from hookbundle.tests.folding import Fold
from hookbundle.tests.reliability.harness.checker import faults
from hookbundle.tests.reliability.harness.seen import Asked, Deleted, Frame, Mailed, Posted, Seen

NOW, IN_AN_HOUR = "2026-11-29T08:00:00.000Z", "2026-11-29T09:00:00.000Z"
Alteration = Callable[[Seen], object]


class Story:
    """A history written by hand: each step is recorded by every observer that it concerns."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.errors = self.collected = 0

    def event(self, kind: str, chat: str = "", **data: Any) -> None:
        seq = len(self.seen.feed) + 1
        frame = {"seq": seq, "type": kind, "time": NOW, "workspace": "acme", "chat": chat}
        frame["data"] = data
        self.seen.feed.append(frame)
        self.seen.heard.append(deepcopy(frame))

    def accepted(self, *ids: str, chat: str = "c") -> None:
        seen = self.seen
        seen.asked += [
            Asked("acme", chat, each, f"text {each}", seen.tick(), "acknowledged") for each in ids
        ]
        self.event(
            "message.received",
            chat,
            accepted=[*ids],
            duplicates=[],
            skipped=[],
            buffered=len(ids),
            due=IN_AN_HOUR,
        )
        self.collected = len(ids)

    def sealed(self, delivery: str, chat: str = "c") -> None:
        what = {"delivery": delivery, "messages": self.collected, "reason": "time"}
        self.event("delivery.sealed", chat, bundle=True, **what)

    def attempt(self, delivery: str, nth: int, outcome: str, status: int, *ids: str) -> None:
        seen = self.seen
        self.event("delivery.attempted", "c", delivery=delivery, attempt=nth)
        messages = tuple((each, f"text {each}") for each in ids)
        body = delivery.encode()
        posted = Posted("acme", delivery, body, "c", messages, seen.tick(), seen.tick(), status)
        seen.posted.append(posted)
        self.errors = {"delivered": 0, "failed": self.errors + 1}.get(outcome, self.errors)
        what = {"delivery": delivery, "attempt": nth, "errors": self.errors}
        self.event(f"delivery.{outcome}", "c", **what)
        how = "error" if outcome == "failed" else outcome
        seen.logs.setdefault("acme", []).insert(0, (delivery, nth, how))

    def ended(self) -> Seen:
        fold = Fold()
        for event in self.seen.feed:
            fold.apply(event)
        self.seen.stored, self.seen.totals = dict(fold.workspaces), fold.totals
        return self.seen


def correct() -> Seen:
    """Two deliveries; the first is sent again after a kill, the second disables the webhook."""
    story = Story()
    seen = story.seen
    seen.starts_s = [1.0, 1.2]
    story.event("workspace.created", changes={"aggregation_ms": 3_600_000})
    story.accepted("m1", "m2")
    story.sealed("d1")
    story.accepted("m3")
    story.sealed("d2")
    story.attempt("d1", 1, "failed", 500, "m1", "m2")
    story.attempt("d1", 2, "unknown", 200, "m1", "m2")
    seen.killed.append("F9")
    story.attempt("d1", 3, "delivered", 200, "m1", "m2")
    for nth in range(1, 12):
        story.attempt("d2", nth, "failed", 503, "m3")
    story.event("webhook.disabled", reason="errors")
    seen.mailed.append(Mailed("<1>", "owner@acme.example", 1))
    story.event("webhook.reset", returned=0)
    story.errors = 0
    story.event("webhook.enabled")
    story.attempt("d2", 12, "delivered", 200, "m3")
    return story.ended()


def events(seen: Seen, kind: str) -> list[Frame]:
    return [event for event in seen.feed if event["type"] == kind]


def rename(seen: Seen, *kinds: str) -> None:
    """Events of these types look as if they had never happened."""
    for kind in kinds:
        for event in events(seen, kind):
            event["type"] = "daemon.noted"


def alter(seen: Seen, kind: str, nth: int, **data: Any) -> None:
    events(seen, kind)[nth]["data"].update(data)


def swap(things: list[Any], one: int, other: int) -> None:
    things[one], things[other] = things[other], things[one]


def lose(seen: Seen, chat: str = "c") -> None:
    seen.asked.append(Asked("acme", chat, "m9", "", seen.tick(), "acknowledged"))


def repeat(seen: Seen, at: int, **changes: Any) -> None:
    """The receiver got that request once more, with these changes."""
    again = deepcopy(seen.posted[at])
    again.began, again.ended = seen.tick(), seen.tick()
    for name, value in changes.items():
        setattr(again, name, value)
    seen.posted.append(again)


def mail(seen: Seen, message_id: str, life: int) -> None:
    seen.mailed.append(Mailed(message_id, "owner@acme.example", life))


def mail_unasked(seen: Seen) -> None:
    seen.killed.clear()
    mail(seen, "<1>", 2)


ALTERED: dict[str, tuple[Alteration, str]] = {
    "lost": (lose, "'m9') was acknowledged and is lost"),
    "stored twice": (lambda s: s.held.update([("acme", "c", "m1")]), "'m1') is stored 2 times"),
    "refused, stored": (lambda s: setattr(s.asked[0], "outcome", "refused"), "refused and is st"),
    "invented": (lambda s: s.asked.pop(), "'m3') was sent, but no client sent it"),
    "other text": (lambda s: setattr(s.asked[0], "text", "?"), "'m1') has another text"),
    "held": (lambda s: s.held.update([("acme", "c", "m8")]), "'m8') is stored, but no client"),
    "other bytes": (lambda s: setattr(s.posted[2], "body", b"?"), "d1 was sent again with other"),
    "unknown id": (lambda s: repeat(s, 0, id="d7"), "d7 of acme was sealed 0x"),
    "other workspace": (lambda s: repeat(s, 0, ws="blue"), "d1 of blue was sealed 0x"),
    "two deliveries": (lambda s: repeat(s, 0, id="d2"), "'m1') was sent in 2 deliveries"),
    "signature": (lambda s: s.unsigned.append("d1"), "the signature of d1 is wrong"),
    "order": (lambda s: swap(s.posted, 0, 3), "a later delivery of acme was sent first"),
    "order in a chat": (
        lambda s: setattr(s.posted[0], "messages", (("m2", "text m2"), ("m1", "text m1"))),
        "chat ('acme', 'c') are out of order",
    ),
    "two at once": (
        lambda s: setattr(s.posted[0], "ended", s.posted[1].ended),
        "acme had two requests open at once: d1, d1",
    ),
    "never begun": (lambda s: repeat(s, 0), "d1 was sent 4 times in 3 attempts"),
    "needless": (
        lambda s: setattr(s.posted[0], "status", 200),
        "d1 was sent again 2 times after a 200, 1 unknown",
    ),
    "not taken": (
        lambda s: setattr(s.posted[-1], "status", 500),
        "d2: an attempt is delivered, but the receiver has no such answer",
    ),
    "no error": (
        lambda s: setattr(s.posted[3], "status", 200),
        "d2: an attempt is failed, but the receiver has no such answer",
    ),
    "count": (lambda s: alter(s, "delivery.failed", 4, errors=1), "4 errors in a row, but reports"),
    "sent disabled": (lambda s: rename(s, "webhook.enabled"), "acme is disabled, but sends d2"),
    "not disabled": (
        lambda s: rename(s, "webhook.disabled", "webhook.reset", "webhook.enabled"),
        "acme has 11 errors in a row, but is not disabled",
    ),
    "disabled early": (
        lambda s: events(s, "delivery.failed")[5].update(type="delivery.unknown"),
        "acme was disabled after 10 errors",
    ),
    "no mail": (lambda s: s.mailed.clear(), "disabled 1 times, its owner was told of 0"),
    "a mail too many": (lambda s: mail(s, "<2>", 1), "disabled 1 times, its owner was told of 2"),
    "mailed again": (lambda s: mail(s, "<1>", 1), "was sent twice in one run"),
    "mailed after no kill": (mail_unasked, "1 mails were sent again after 0 kills"),
    "gap": (lambda s: s.feed.pop(3), "the feed has a gap"),
    "taken back": (
        lambda s: s.heard[3].update(type="?"),
        "event 4, ?, was read live but",
    ),
    "no sense": (lambda s: rename(s, "delivery.sealed"), "the feed is inconsistent"),
    "state": (lambda s: s.stored.clear(), "the feed and the database disagree about acme"),
    "totals": (lambda s: s.totals.update(delivered=7), "'delivered': 7"),
    "log": (lambda s: s.logs["acme"].pop(), "the log of acme differs from the feed"),
    "stuck": (lambda s: setattr(s, "unfinished", True), "deliveries were left although"),
    "check": (lambda s: s.findings.append("chat c: is damaged"), "check: chat c: is damaged"),
    "slow start": (lambda s: s.starts_s.append(5.1), "a start took 5.1 s"),
}


def test_a_correct_history_has_no_faults() -> None:
    assert faults(correct()) == []


@pytest.mark.parametrize(("alter_history", "fault"), ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_history_has_its_fault(alter_history: Alteration, fault: str) -> None:
    seen = correct()

    alter_history(seen)

    assert any(fault in found for found in faults(seen)), faults(seen)


def test_a_deleted_message_may_be_gone_but_not_one_that_came_later() -> None:
    seen = correct()
    lose(seen, "one")
    seen.deleted.append(Deleted("acme", "one", seen.tick()))
    gone = faults(seen)
    lose(seen, "one")
    lose(seen, "two")

    assert gone == []
    assert len(faults(seen)) == 2


def test_an_unknown_outcome_may_be_sent_again_and_an_unanswered_message_be_gone() -> None:
    seen = correct()
    lose(seen)
    seen.asked[-1].outcome = "unknown"
    mail(seen, "<1>", 2)

    assert faults(seen) == []

"""A small model of the daemon in dicts, written from the documentation and not from the code.

The model gets each command before the daemon does, and everything observable (events, requests,
answers, mails) after it has happened. It raises a `Violation` named after the broken invariant:

    I1 durable   I2 no invention   I3 partition   I4 frozen   I5 stable id   I6 liveness   I7 order
    I8 single flight   I9 deadline   I10 counter   I11 idempotent   I12 feed   I13 isolation
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.reliability.harness.seen import is_of_disabling, told_by
from hookbundle.tests.reliability.simulation.judging import SEEN, judge
from hookbundle.tests.reliability.simulation.peers import Answered, Began, MailTaken, Request
from hookbundle.tests.reliability.simulation.repeating import HEARD
from hookbundle.tests.reliability.simulation.tenants import Collected, Flight, Parcel, Tenant
from hookbundle.tests.reliability.simulation.world import Committed, Happening

BUNDLE_MAX = 1_000
LATE_MS = 300  # how late a seal or an attempt may be while nothing is wrong


class Violation(AssertionError):
    """The daemon did what it must not do, or did not do what it must."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise Violation(what)


class Model:
    """What the daemon should hold. `excused_ms`: until then a fault allows lateness."""

    def __init__(self) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.deleted: list[Tenant] = []
        self.excused_ms = 0
        self.last_number = 0
        self.last_fact_ms = 0
        self.texts: dict[str, str] = {}
        self.owner_of: dict[str, str] = {}
        self.delivered: set[str] = set()
        self.unknown: set[str] = set()
        self.mails: dict[str, tuple[str, bool]] = {}
        self.told: dict[str, int] = {}
        self.testing = False
        self.seen: list[str] = []

    # ---- what happened

    def hear(self, happenings: Iterable[Happening]) -> None:
        for happening in happenings:
            match happening:
                case Committed(facts):
                    self._hear_facts(facts)
                case Began(request):
                    self._began(request)
                case Answered(request):
                    self._answered(request)
                case MailTaken():
                    self._mail_taken(happening)

    def _hear_facts(self, facts: tuple[FeedEvent, ...]) -> None:
        # The feed has a message.received after the seals that the message caused, so it goes first.
        for fact in facts:
            if fact.type == "message.received":
                self._accepted(self.tenants[fact.workspace], fact)
        self.last_fact_ms = max(parse_ms(fact.time) for fact in facts)
        for fact in facts:
            tenant = self.tenants.get(fact.workspace)
            if fact.type == "actor.quarantined":
                self.seen.append("quarantine")
            elif fact.type in HEARD and tenant:
                HEARD[fact.type](tenant, fact)
            elif fact.type.startswith("delivery.") and tenant:
                self._of_delivery(tenant, fact)
            elif fact.type == "webhook.disabled" and tenant and fact.data["reason"] == "errors":
                demand(not tenant.enabled, f"I10: {tenant.name} disabled too early: {fact.data}")
                demand(tenant.errors == fact.data["errors"], f"I10: miscounted: {fact.data}")
                tenant.mails_owed += 1
                self.seen.append("disabled by errors")

    def _accepted(self, tenant: Tenant, fact: FeedEvent) -> None:
        offered = tenant.offered.pop(fact.chat, None)
        demand(
            offered is not None,
            f"I2: {fact.chat} of {tenant.name} accepted unsent messages",
        )
        at_ms, fresh = parse_ms(fact.time), self._fresh(tenant, fact.chat, offered or [])
        taken, wanted = fact.data["accepted"], [id_ for _, id_ in fresh]
        demand(taken == wanted, f"I11: {taken} were taken as new, not {wanted}")
        for sent, id_ in fresh:
            tenant.seen[fact.chat, id_] = at_ms
            self.owner_of[id_] = tenant.name
            if tenant.length_ms:
                self._collect(tenant, fact.chat, sent, id_, at_ms)
                continue
            if fact.chat in tenant.windows:
                tenant.close(fact.chat)
            tenant.singles.setdefault(fact.chat, deque()).append(id_)
        window = tenant.windows.get(fact.chat)
        due, count = (window.due_ms, len(window.messages)) if window else (0, 0)
        told = fact.data["due"]
        reported = parse_ms(told) if told else 0, fact.data["buffered"]
        demand(reported == (due, count), f"I9: the window is {reported}, not {(due, count)}")

    def _fresh(
        self, tenant: Tenant, chat: str, offered: list[tuple[int, str]]
    ) -> list[tuple[int, str]]:
        first = {id_: (sent, id_) for sent, id_ in reversed(offered)}
        unseen = [first[id_] for _, id_ in offered if (chat, id_) not in tenant.seen]
        return list(dict.fromkeys(unseen))

    def _collect(self, tenant: Tenant, chat: str, sent: int, id_: str, at_ms: int) -> None:
        if chat in tenant.windows and tenant.windows[chat].due_ms <= at_ms:
            tenant.close(chat)
        window = tenant.windows.setdefault(chat, Collected(at_ms, at_ms + tenant.length_ms))
        window.messages.append((sent, id_))
        if len(window.messages) == BUNDLE_MAX:
            tenant.close(chat)
            self.seen.append("sealed by size")

    # ---- deliveries

    def _of_delivery(self, tenant: Tenant, fact: FeedEvent) -> None:
        match fact.type:
            case "delivery.sealed":
                self._sealed(tenant, fact)
            case "delivery.attempted":
                self._attempted(tenant, fact)
            case "delivery.dead_lettered" | "delivery.resend_failed" if (
                fact.data["reason"] == "receiver_fails"
            ):
                self._set_aside(tenant, fact)
            case "delivery.delivered" | "delivery.failed" | "delivery.dead_lettered":
                self._finished(tenant, fact)
            case "delivery.resent" | "delivery.resend_failed":
                self._finished(tenant, fact)
            case "delivery.unknown" if "own_faults" in fact.data:
                self._finished(tenant, fact)
                demand(fact.data["own_faults"] == tenant.own_faults, f"I10: {fact.data}")
            case "delivery.unknown":
                demand(fact.data["delivery"] in self.unknown, f"I10: not unknown: {fact.data}")
                self.seen.append("unknown outcome")

    def _sealed(self, tenant: Tenant, fact: FeedEvent) -> None:
        data, chat, at_ms = fact.data, fact.chat, parse_ms(fact.time)
        number = int(data["delivery"][-12:], 16)
        demand(number > self.last_number, f"I5: number {number} after {self.last_number}")
        self.last_number = number
        if not data["bundle"]:
            demand(tenant.singles.get(chat), f"I2: sealed without a message: {data}")
            ids: tuple[str, ...] = (tenant.singles[chat].popleft(),)
        elif tenant.closed.get(chat):
            ids = tenant.closed[chat].popleft()
        else:
            demand(chat in tenant.windows, f"I3: {chat} of {tenant.name} has no window to seal")
            due_ms, ids = tenant.windows[chat].due_ms, tenant.windows.pop(chat).ids()
            late_ms = at_ms - max(due_ms, self.excused_ms)
            early = at_ms < due_ms and chat not in tenant.flushing
            demand(not early, f"I9: {chat} of {tenant.name} sealed {due_ms - at_ms} ms early")
            demand(late_ms <= LATE_MS, f"I9: {chat} of {tenant.name} sealed {late_ms} ms late")
        demand(data["messages"] == len(ids), f"I3: {data} should hold {len(ids)} messages")
        tenant.queued[number] = Parcel(data["delivery"], number, chat, ids, data["bundle"], at_ms)

    def _attempted(self, tenant: Tenant, fact: FeedEvent) -> None:
        id_, at_ms = fact.data["delivery"], parse_ms(fact.time)
        demand(tenant.flight is None, f"I8: {id_} while {tenant.flight} is under way")
        demand(tenant.may_send(), f"I10: {tenant.name} may send nothing, but sends {id_}")
        head, instead_of = tenant.next()
        demand(head.id == id_, f"I7: {id_} was sent, but {head.id} is first")
        limit = tenant.next_to_put()
        demand(limit is None or head.number < limit, f"I7: {id_} overtakes {limit} of a replay")
        early_ms = tenant.not_before_ms - at_ms
        demand(early_ms <= 0, f"I10: {id_} was sent {early_ms} ms before its time")
        latest_ms = max(tenant.not_after_ms, tenant.put_ms, head.sealed_ms)
        late_ms = at_ms - max(latest_ms, self.excused_ms)
        demand(not tenant.not_after_ms or late_ms <= LATE_MS, f"I6: {id_} {late_ms} ms late")
        tenant.not_before_ms = tenant.not_after_ms = 0
        attempt = fact.data["attempt"]
        tenant.flight = Flight(head, attempt, tenant.url, instead_of=instead_of)
        if id_ in self.unknown:
            self.seen.append("unknown sent again")

    def _began(self, request: Request) -> None:
        if request.delivery_id.startswith("test_"):
            demand(self.testing, "I2: a test request without a command")
            return
        tenant = next((t for t in self.tenants.values() if t.url == request.url), None)
        demand(tenant is not None, f"I2: {request.delivery_id} went to {request.url}")
        assert tenant is not None
        flight = tenant.flight
        demand(flight and flight.request is None, f"I8: {request} while {flight} is under way")
        assert flight is not None
        demand(flight.parcel.id == request.delivery_id, f"I5: {request.delivery_id}: {flight}")
        flight.request = request
        self.check_body(tenant, flight.parcel, request.body)

    def check_body(self, tenant: Tenant, parcel: Parcel, body: bytes) -> None:
        if parcel.body:
            demand(parcel.body == body, f"I4: {parcel.id} has another body than before")
            return
        parcel.body = body
        content: dict[str, Any] = msgspec.json.decode(body)
        messages = content["messages"] if parcel.bundle else [content["message"]]
        found = tuple(message["message_id"] for message in messages)
        demand(found == parcel.ids, f"I3: {parcel.id} has {found}, not {parcel.ids}")
        demand(content["chat"]["chat_id"] == parcel.chat, f"I2: {parcel.id} is of another chat")
        for message in messages:
            text = self.texts.get(message["message_id"])
            demand(message["text"] == text, f"I2: {message} has another text than was sent")
            demand(self.owner_of[message["message_id"]] == tenant.name, f"I13: {message}")

    def _answered(self, request: Request) -> None:
        for tenant in (*self.tenants.values(), *self.deleted):
            flight = tenant.flight
            if flight and flight.request is request and flight.erased:
                tenant.flight = None  # a deleted delivery gets no outcome

    def _finished(self, tenant: Tenant, fact: FeedEvent) -> None:
        flight, data, at_ms = tenant.flight, fact.data, parse_ms(fact.time)
        demand(flight and flight.request, f"I2: an outcome without an attempt: {data}")
        assert flight is not None
        assert flight.request is not None
        parcel = flight.parcel
        demand(flight.request.answered, f"I2: an outcome without an answer: {data}")
        demand((parcel.id, flight.attempt) == (data["delivery"], data["attempt"]), f"I8: {data}")
        tenant.flight = None
        if any(t.flight for t in self.tenants.values() if t.flight):
            self.seen.append("isolated")
        wanted = judge(tenant, flight, flight.request, at_ms)
        if wanted == "delivered":
            demand(parcel.id not in self.delivered, f"I5: {parcel.id} was delivered twice")
            self.delivered.add(parcel.id)
        self.seen += SEEN.get(wanted, ())
        demand(fact.type == f"delivery.{wanted}", f"I10: {fact.type} should be {wanted}: {data}")
        demand(data["errors"] == tenant.errors, f"I10: {tenant.errors} errors in a row: {data}")

    def _set_aside(self, tenant: Tenant, fact: FeedEvent) -> None:
        head, data = tenant.to_set_aside, fact.data
        demand(head and head.id == data["delivery"], f"I7: {data}, but {head} was in question")
        assert head is not None
        tenant.to_set_aside = None
        if fact.type == "delivery.resend_failed":
            del tenant.resends[head.number]
            return
        head.fails = True
        tenant.dead_letters[head.number] = tenant.queued.pop(head.number)
        self.seen.append("receiver fails")

    def _mail_taken(self, mail: MailTaken) -> None:
        if mail.message_id in self.mails:
            owner, confirmed = self.mails[mail.message_id]
            demand(not confirmed, f"I10: {owner} got mail {mail.message_id} twice")
            self.seen.append("mail twice")
        else:
            tenants = [*self.tenants.values(), *self.deleted]
            owed = [t for t in tenants if t.name == mail.workspace_id and t.mails_owed]
            number, told = told_by(mail.message_id)
            owes = told - self.told.get(number, 0) if is_of_disabling(mail.message_id) else 0
            for _ in range(owes):
                demand(owed, f"I10: {mail.workspace_id} was told of what did not happen")
                owed[0].mails_owed -= 1
                owed = [tenant for tenant in owed if tenant.mails_owed]
            self.told[number] = told
            self.seen.append("mail")
        self.mails[mail.message_id] = (mail.workspace_id, mail.confirmed)

    def power_cut(self) -> None:
        """Attempts under way have an unknown outcome; open requests get no answer."""
        for tenant in (*self.tenants.values(), *self.deleted):
            if tenant.flight:
                self.unknown.add(tenant.flight.parcel.id)
                self.seen.append("crash in flight")
            tenant.flight = None
            tenant.offered.clear()
            tenant.flushing.clear()
        self.mails = {id_: (owner, False) for id_, (owner, _) in self.mails.items()}

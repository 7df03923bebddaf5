"""A small model of the daemon in dicts, written from the documentation and not from the code.

The model gets each command before the daemon does, and everything observable (events, requests,
answers, mails) after it has happened. It raises a `Violation` named after the broken invariant:

    I1 durable   I2 no invention   I3 partition   I4 frozen   I5 stable id   I6 liveness   I7 order
    I8 single flight   I9 deadline   I10 counter   I11 idempotent   I12 feed   I13 isolation
"""

from collections.abc import Iterable

from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.reliability.harness.seen import is_of_disabling, told_by
from hookbundle.tests.reliability.simulation.judging import SEEN, judge, rare
from hookbundle.tests.reliability.simulation.peers import Answered, Began, MailTaken, Request
from hookbundle.tests.reliability.simulation.repeating import HEARD
from hookbundle.tests.reliability.simulation.rules import taking
from hookbundle.tests.reliability.simulation.rules.accepting import accepted, name_of
from hookbundle.tests.reliability.simulation.rules.bodies import (
    HEARD_OF_FORMATS,
    BodyTexts,
    check_sent,
    first_sent,
)
from hookbundle.tests.reliability.simulation.rules.merging import HEARD_OF_MERGES
from hookbundle.tests.reliability.simulation.tenants import (
    RENDERED_MS,
    SEED,
    Flight,
    Home,
    Parcel,
    Tenant,
)
from hookbundle.tests.reliability.simulation.world import Committed, Happening

LATE_MS = 300  # how late a seal or an attempt may be while nothing is wrong


class Violation(AssertionError):
    """The daemon did what it must not do, or did not do what it must."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise Violation(what)


class Model:
    """What the daemon should hold. `excused_ms`: until then a fault allows lateness.

    `tenants`: all webhooks, `acme` and `acme.crm`; those of a workspace share its `Home`.
    """

    def __init__(self) -> None:
        self.homes: dict[str, Home] = {}
        self.tenants: dict[str, Tenant] = {}
        self.deleted: list[Tenant] = []
        self.excused_ms = 0
        self.last_number = 0
        self.last_fact_ms = 0
        self.texts = BodyTexts()
        self.changed: set[str] = set()
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
                self._accepted(self.homes[fact.workspace], fact, facts)
        self.last_fact_ms = max(parse_ms(fact.time) for fact in facts)
        self.changed.update(fact.workspace for fact in facts)
        for fact in facts:
            tenant = self.tenants.get(name_of(fact))
            if fact.type == "actor.quarantined":
                self.seen.append("quarantine")
            elif tenant:
                self._hear_of(tenant, fact)

    def _hear_of(self, tenant: Tenant, fact: FeedEvent) -> None:
        if heard := HEARD.get(fact.type) or HEARD_OF_MERGES.get(fact.type):
            heard(tenant, fact)
            self.seen += ["merged"] * (fact.type == "delivery.merged")
        elif heard_of := HEARD_OF_FORMATS.get(fact.type):
            self.seen += heard_of(tenant, fact)
        elif fact.type.startswith("delivery."):
            self._of_delivery(tenant, fact)
        elif fact.type == "window.ended":
            self._ended(tenant, fact)
        elif fact.type == "webhook.full":
            demand(tenant.overflowed, f"I13: {tenant.name} is not full: {fact.data}")
        elif fact.type == "webhook.disabled" and fact.data["reason"] == "errors":
            demand(not tenant.enabled, f"I10: {tenant.name} disabled too early: {fact.data}")
            demand(tenant.errors == fact.data["errors"], f"I10: miscounted: {fact.data}")
            tenant.mails_owed += 1
            self.seen.append("disabled by errors")

    def _accepted(self, home: Home, fact: FeedEvent, facts: tuple[FeedEvent, ...]) -> None:
        fresh, seen = accepted(home, fact, facts)
        self.seen += seen
        self.texts.owner_of.update(dict.fromkeys(fresh, home.name))

    def _ended(self, tenant: Tenant, fact: FeedEvent) -> None:
        """A window without a message ends, and nothing is sent."""
        window, at_ms = tenant.windows.get(fact.chat), parse_ms(fact.time)
        if window is None:
            return  # it was closed with the settings, or by the message that came at its end
        demand(not window.messages, f"I1: {fact.chat} of {tenant.name} lost {window.messages}")
        reasons = taking.reasons_of(window, at_ms, flushing=fact.chat in tenant.flushing)
        demand(fact.data["reason"] in reasons, f"I9: ended by {fact.data}, not by {reasons}")
        del tenant.windows[fact.chat]
        self.seen.append("ended without a message")

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
        if tenant.expected.get(chat):
            members, bundle, reasons = tenant.expected[chat].popleft()
        else:
            demand(chat in tenant.windows, f"I3: {chat} of {tenant.name} has no window to seal")
            window, flushing = tenant.windows.pop(chat), chat in tenant.flushing
            members, bundle = window.members(), True
            reasons = taking.reasons_of(window, at_ms, flushing=flushing)
            late_ms = at_ms - max(window.due_ms, self.excused_ms)
            early_ms = 0 if flushing or "settings" in reasons else window.due_ms - at_ms
            demand(early_ms <= 0, f"I9: {chat} of {tenant.name} sealed {early_ms} ms early")
            demand(late_ms <= LATE_MS, f"I9: {chat} of {tenant.name} sealed {late_ms} ms late")
        demand(data["reason"] in reasons, f"I9: {data} should be for {reasons}")
        demand(data["bundle"] == bundle, f"I3: {data} should {'' if bundle else 'not '}be a bundle")
        demand(data["messages"] == len(members), f"I3: {data} should hold {members}")
        demand(len(members) <= tenant.most, f"I3: {data} has more than {tenant.most} messages")
        tenant.queued[number] = Parcel(data["delivery"], number, chat, members, bundle, at_ms)
        self.seen.append(data["reason"])

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
        free_ms = tenant.free_ms()
        demand(tenant.day.free_ms(tenant.home.zone, at_ms) <= at_ms, f"I6: {id_} is over budget")
        latest_ms = max(tenant.not_after_ms, free_ms, tenant.put_ms, head.sealed_ms)
        late_ms = at_ms - max(latest_ms, self.excused_ms)
        most_ms = LATE_MS if tenant.form is SEED else LATE_MS + RENDERED_MS
        demand(not tenant.not_after_ms or late_ms <= most_ms, f"I6: {id_} {late_ms} ms late")
        tenant.day.count(tenant.home.zone, at_ms)
        self.seen += ["budget used up"] * (0 < tenant.day.budget <= tenant.day.used)
        first_sent(tenant, head)
        tenant.not_before_ms = tenant.not_after_ms = 0
        attempt = fact.data["attempt"]
        tenant.flight = Flight(head, attempt, tenant.url, tenant.takes, instead_of=instead_of)
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
        check_sent(self.texts, tenant, flight.parcel, request.body)

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
        self.seen += rare(flight, flight.request)
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
            owed = [t for t in tenants if t.home.name == mail.workspace_id and t.mails_owed]
            number, told = told_by(mail.message_id)
            owes = told - self.told.get(number, 0) if is_of_disabling(mail.message_id) else 0
            for _ in range(owes):
                demand(owed, f"I10: {mail.workspace_id} was told of what did not happen")
                owed[0].mails_owed -= 1
                owed = [tenant for tenant in owed if tenant.mails_owed]
            self.told[number] = told
            self.seen.append("mail")
        self.mails[mail.message_id] = (mail.workspace_id, mail.confirmed)

    def forget(self, tenant: Tenant) -> None:
        """The webhook was deleted; an attempt under way has no outcome."""
        del self.tenants[tenant.name]
        tenant.home.tenants.remove(tenant)
        self.deleted.append(tenant)
        if tenant.flight:
            tenant.flight.erased = True

    def power_cut(self) -> None:
        """Attempts under way have an unknown outcome; open requests get no answer."""
        for tenant in (*self.tenants.values(), *self.deleted):
            if tenant.flight:
                self.unknown.add(tenant.flight.parcel.id)
                self.seen.append("crash in flight")
            tenant.flight = None
            tenant.home.offered.clear()
            tenant.flushing.clear()
        self.mails = {id_: (owner, False) for id_, (owner, _) in self.mails.items()}

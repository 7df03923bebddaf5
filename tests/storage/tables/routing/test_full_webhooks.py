"""A webhook that is full refuses nothing for the others, and is never passed over in silence."""

import random

import pytest

from hookbundle.engine.delivery.outcomes import Delivered
from hookbundle.engine.errors import QuotaReached
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.tables import outbox
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.mails import MailAccepted
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase
from hookbundle.tests.storage.tables.routing.webhooks import (
    disable,
    enable,
    holds,
    is_sound,
    webhook,
)

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def two(db: ScratchDatabase) -> ScratchDatabase:
    """Workspace `acme` with `outbound`, and with `crm`, which is disabled and holds two of two."""
    db.workspace()
    webhook(db, "crm")
    disable(db, "crm")
    db.accept("m1", "m2")
    db.quota = Quota(messages_max=2)
    return db


def mails(db: ScratchDatabase) -> list[Mail]:
    return [mail for number in range(1, 9) if (mail := db.reads.mail(number)) is not None]


# ---- who gets what


def test_a_full_webhook_does_not_get_a_message_that_another_one_takes(two: ScratchDatabase) -> None:
    accepted = two.accept("m3", "m4")

    assert (accepted.accepted, accepted.overflowed) == (2, 2)
    assert (holds(two, "outbound"), holds(two, "crm")) == (4, 2)
    assert two.view().named("crm").state.overflowed == 2
    assert two.view().named("outbound").state.overflowed == 0
    assert two.reads.meta().totals.overflowed == 2
    assert is_sound(two)


def test_a_message_is_refused_when_every_webhook_is_full_and_nothing_of_it_is_stored(
    two: ScratchDatabase,
) -> None:
    disable(two, "outbound")
    before = two.dump()

    with pytest.raises(QuotaReached, match="holds 2 messages of at most 2"):
        two.accept("m3")

    assert {key for key, value in two.dump().items() if value != before.get(key)} <= {keyspace.META}
    assert two.reads.meta().totals.overflowed == 0
    enable(two, "outbound")
    assert two.accept("m3").accepted == 1


def test_what_a_full_webhook_did_not_get_stays_a_duplicate(two: ScratchDatabase) -> None:
    two.accept("m3")
    enable(two, "crm")

    again = two.accept("m3")

    assert (again.accepted, again.duplicate, again.overflowed) == (0, 1, 0)
    assert holds(two, "crm") == 2


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_of_n_webhooks_may_hold_an_nth(db: ScratchDatabase, count: int) -> None:
    db.workspace()
    for number in range(count - 1):
        webhook(db, f"w{number}")
    db.quota = Quota(waiting_messages_max=12)
    most = 12 // count

    db.accept(*(f"m{number}" for number in range(most)))

    with pytest.raises(QuotaReached, match=f"of at most {most} messages"):
        db.accept("one more")


def test_who_gets_what_is_as_a_naive_count_says(db: ScratchDatabase) -> None:
    """Random traffic to four webhooks, against counts that know nothing of records."""
    rng = random.Random(7)
    db.workspace(aggregation_ms=0)
    names = ("outbound", "a", "b", "c")
    numbers = {"outbound": 1} | {name: webhook(db, name, aggregation_ms=0) for name in names[1:]}
    db.quota = Quota(messages_max=5, waiting_messages_max=4 * 9)
    has = dict.fromkeys(names, 0)
    lost = dict.fromkeys(names, 0)
    off: set[str] = set()
    seen = set[str]()
    for turn in range(300):
        name = rng.choice(names)
        if rng.random() < 0.2:
            (enable if name in off else disable)(db, name)
            off ^= {name}
        elif rng.random() < 0.35 and name not in off and has[name]:
            db.attempt(Delivered(200), ws=numbers[name])
            has[name] -= 1
        else:
            ids = [f"m{turn}-{n}" for n in range(rng.randint(1, 3))]
            gets = {n for n in names if has[n] + len(ids) <= (5 if n in off else 9)}
            if gets:
                assert db.accept(*ids).overflowed == (len(ids) if len(gets) < 4 else 0)
            else:
                seen.add("refused")
                with pytest.raises(QuotaReached):
                    db.accept(*ids)
                continue
            for each in names:
                (has if each in gets else lost)[each] += len(ids)
            seen.add("overflowed" if len(gets) < 4 else "all")
        assert {each: holds(db, each) for each in names} == has
    assert {each: db.view().named(each).state.overflowed for each in names} == lost
    assert db.reads.meta().totals.overflowed == sum(lost.values())
    assert seen == {"all", "overflowed", "refused"}
    assert is_sound(db)


# ---- who is told


def test_a_stretch_is_told_at_its_beginning_and_at_its_end(two: ScratchDatabase) -> None:
    began_ms = two.now_ms
    for number in range(3, 6):
        two.accept(f"m{number}")
    enable(two, "crm")

    full, room = two.events("webhook.full", "webhook.has_room")
    assert (full["webhook"], full["data"]) == ("crm", {"reason": "held_full", "held_messages": 2})
    assert (room["webhook"], room["data"]["overflowed"]) == ("crm", 3)
    assert two.view().named("crm").state.full_ms == 0
    assert full["time"] == room["data"]["since"] == began_ms


def test_the_fact_of_the_messages_says_which_webhook_did_not_get_which(
    two: ScratchDatabase,
) -> None:
    two.accept("m3", "m4")

    received = two.events("message.received")
    assert received[-1]["data"]["overflowed"] == {"crm": ["m3", "m4"]}
    assert "overflowed" not in received[0]["data"]


def test_a_line_of_activity_counts_and_stands_with_the_full_webhook(two: ScratchDatabase) -> None:
    for number in range(3, 6):
        two.accept(f"m{number}")
    two.accept("m6", chat="d")

    newest, before = [each.action for each in two.reads.activity_joined("acme", ("crm",))][:2]
    assert (newest.action, newest.messages, newest.chat_id) == ("overflowed", 4, "")
    assert newest.detail == "it can't send, and holds as many messages as it may"
    assert before.action != "overflowed"


def test_the_owner_has_one_mail_for_a_stretch_and_one_an_hour(two: ScratchDatabase) -> None:
    two.accept("m3")
    two.accept("m4")
    (mail,) = mails(two)
    assert (mail.kind, mail.total, mail.next_ms) == (outbox.FULL, 1, two.now_ms)
    (entry,) = mail.disablings
    assert (entry.webhook, entry.error, entry.held_messages) == ("crm", "held_full", 2)
    two.done(MailAccepted(mail.number, 1, two.now_ms))

    taken_ms = two.now_ms
    enable(two, "crm", discard=True)
    two.accept("n1", "n2")
    disable(two, "crm")
    two.accept("n3", "n4")

    (mail,) = mails(two)
    assert (mail.kind, mail.total, mail.next_ms) == (outbox.FULL, 1, taken_ms + HOUR_MS)
    assert is_sound(two)


def test_a_mail_about_a_full_webhook_waits_for_none_about_a_disabled_one(
    two: ScratchDatabase,
) -> None:
    with two.unit() as unit:
        settings = unit.workspace("acme")
        outbox.add_disabling(unit, settings.workspace, settings.outbound, two.now_ms)

    two.accept("m3")

    assert {(mail.kind, mail.next_ms) for mail in mails(two)} == {
        (outbox.DISABLED, two.now_ms),
        (outbox.FULL, two.now_ms),
    }
    assert is_sound(two)
    two.change("acme", owner_email="")
    assert mails(two) == []
    assert is_sound(two)


def test_one_that_sends_as_much_as_it_gets_is_full_in_one_stretch(db: ScratchDatabase) -> None:
    """Else each message would end a stretch and the next one begin another, with all its words."""
    db.workspace(aggregation_ms=0)
    crm = webhook(db, "crm", aggregation_ms=0)
    db.quota = Quota(waiting_messages_max=2 * 20)
    for number in range(25):
        db.accept(f"m{number}")
        db.attempt(Delivered(200))
    for number in range(10):
        db.attempt(Delivered(200), ws=crm) if number % 2 else None
        db.accept(f"n{number}")
        db.attempt(Delivered(200))
    assert [fact["type"] for fact in db.events("webhook.full", "webhook.has_room")] == [
        "webhook.full"
    ]

    for _ in range(3):
        db.attempt(Delivered(200), ws=crm)
    db.accept("o")

    assert len(db.events("webhook.has_room")) == 1


def test_a_webhook_disabled_for_too_long_is_full_until_it_is_enabled(db: ScratchDatabase) -> None:
    db.workspace()
    webhook(db, "crm")
    disable(db, "crm")
    db.now_ms += 7 * DAY_MS + 1

    assert db.accept("m1").overflowed == 1

    (full,) = db.events("webhook.full")
    assert full["data"]["reason"] == "held_too_long"
    enable(db, "crm")
    assert db.accept("m2").overflowed == 0

"""Who gets a message: each webhook's filter decides, at the moment when it is accepted."""

import random
from typing import Any

import pytest

from hookbundle.engine.errors import QuotaReached
from hookbundle.engine.filters.parsing import parse, written
from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.tables.routing.webhooks import disable, holds, is_sound, webhook

RECEIVED = {"direction": "received"}
INVOICE = {"text_contains": "invoice"}


@pytest.fixture
def two(db: ScratchDatabase) -> ScratchDatabase:
    """`outbound` takes all; `crm` what has the word invoice in it."""
    db.change("acme", url="https://receiver.example/a", aggregation_ms=HOUR_MS)
    webhook(db, "crm", filter=written(INVOICE))
    return db


def test_a_message_goes_to_the_webhooks_that_want_it(two: ScratchDatabase) -> None:
    accepted = two.accept(incoming("m1", text="an INVOICE"), incoming("m2", text="hello"))

    assert (accepted.accepted, accepted.unrouted, accepted.overflowed) == (2, 0, 0)
    assert (holds(two, "outbound"), holds(two, "crm")) == (2, 1)


def test_what_no_webhook_wants_is_accepted_counted_and_known(two: ScratchDatabase) -> None:
    webhook(two, "outbound", filter=written({"chat_ids": "other"}))

    first = two.accept(incoming("m1", text="hello"))
    again = two.accept(incoming("m1", text="hello"))

    assert (first.accepted, first.unrouted, first.due_ms) == (1, 1, 0)
    assert (again.accepted, again.duplicate, again.unrouted) == (0, 1, 0)
    assert two.reads.meta().totals.unrouted == 1
    told = [event["data"] for event in two.events("message.received")]
    assert [data.get("unrouted") for data in told] == [["m1"], None]
    assert is_sound(two)


def test_a_filter_is_judged_at_acceptance_and_leaves_open_windows_alone(
    two: ScratchDatabase,
) -> None:
    two.accept(incoming("m1", text="an invoice"))

    webhook(two, "crm", filter=written({"text_contains": "offer"}))
    two.accept(incoming("m2", text="an offer, no more"), incoming("m3", text="an invoice again"))
    collected = holds(two, "crm")
    two.seal()

    assert collected == 2
    assert two.view().named("crm").state.queued_messages == 2


def test_a_full_webhook_that_does_not_want_a_message_refuses_nothing(
    two: ScratchDatabase,
) -> None:
    two.quota = Quota(messages_max=1)
    two.accept(incoming("m1", text="an invoice"))
    disable(two, "crm")

    taken = two.accept(incoming("m2", text="hello"))
    over = two.accept(incoming("m3", text="another invoice"))
    webhook(two, "outbound", filter=written({"chat_ids": "other"}))
    with pytest.raises(QuotaReached):
        two.accept(incoming("m4", text="a third invoice"))

    assert (taken.overflowed, over.overflowed) == (0, 1)
    assert (holds(two, "outbound"), holds(two, "crm")) == (3, 1)


def test_each_webhook_gets_exactly_what_its_filter_keeps(db: ScratchDatabase) -> None:
    rng = random.Random(15)
    filters: list[dict[str, Any]] = [
        {},
        RECEIVED,
        INVOICE,
        {"text_lacks": ["invoice", "offer"]},
        {"any": [{"chat_ids": "c"}, {"text_contains": "offer"}], "kind": "direct"},
        {"labels": {"any": ["vip"], "none": ["spam"]}},
    ]
    db.change("acme", url="https://receiver.example/a", aggregation_ms=HOUR_MS)
    for index, wanted in enumerate(filters):
        webhook(db, f"w{index}", filter=written(wanted))
    messages = [_random_message(rng, f"m{number}") for number in range(200)]

    unrouted, holds_now = 0, dict[int, int]()
    while messages:
        count = rng.randrange(1, 9)
        some, messages = messages[:count], messages[count:]
        unrouted += db.accept(*some).unrouted
        for index, wanted in enumerate(filters):
            kept = sum(parse(wanted).keeps(_subject(message)) for message in some)
            holds_now[index] = holds_now.get(index, 0) + kept
            assert holds(db, f"w{index}") == holds_now[index]
    assert unrouted == 0  # `outbound` takes all
    assert is_sound(db)


def _subject(message: Incoming) -> Subject:
    return Subject(
        account=message.account, chat=message.chat, message=message.message, extra=message.extra
    )


def _random_message(rng: random.Random, message_id: str) -> Incoming:
    labels = rng.choice((b"", b'{"labels":["VIP"]}', b'{"labels":["vip","spam"]}'))
    chat = rng.choice((b'{"chat_id":"c"}', b'{"chat_id":"c","is_group":true}'))
    text = " ".join(rng.sample(["an invoice", "the Offer", "hello", "thanks"], 2))
    return incoming(message_id, START_MS, text=text, chat=chat, extra=labels)

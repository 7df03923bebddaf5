"""Which webhook gets which message: judged when it is accepted, and never again."""

import json
from typing import Any

from hookbundle.engine.filters.parsing import written
from hookbundle.storage.tables.routing.offers import CHARS_PER_WEIGHT
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import table
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming
from hookbundle.tests.storage.tables.routing.webhooks import disable, holds, is_sound, webhook

VIP: dict[str, Any] = {"extra": b'{"labels":["vip"]}'}


def only(**conditions: Any) -> bytes:
    return written(conditions)


def has(db: ScratchDatabase, number: int) -> list[str]:
    """The ids of the messages in the webhook's open window of the chat."""
    record = db.chat()
    window = record.window_of(number) if record else None
    members = window.tail if window else []
    return [json.loads(member.message)["message_id"] for member in members]


def test_each_webhook_collects_what_its_filter_keeps(db: ScratchDatabase) -> None:
    db.workspace()
    vip = webhook(db, "vip", filter=only(labels="vip"))
    price = webhook(db, "price", filter=only(text_contains="price"))

    accepted = db.accept(
        incoming("m1", **VIP),
        "m2",
        incoming("m3", text="The PRICE?"),
        incoming("m4", text="price", **VIP),
    )

    assert (accepted.accepted, accepted.unrouted) == (4, 0)
    assert has(db, 1) == ["m1", "m2", "m3", "m4"]
    assert has(db, vip) == ["m1", "m4"]
    assert has(db, price) == ["m3", "m4"]
    assert is_sound(db)


def test_a_message_is_judged_by_the_filter_of_its_moment_and_never_again(
    db: ScratchDatabase,
) -> None:
    db.workspace(filter=only(text_contains="one"))
    db.accept(incoming("m1", text="one"), incoming("m2", text="two"))
    db.change("acme", filter=only(text_contains="two"))
    db.accept(incoming("m3", text="one"), incoming("m4", text="two"))

    assert has(db, 1) == ["m1", "m4"]
    db.seal()

    (held,) = db.queued()
    assert [each["message_id"] for each in json.loads(held.body)["messages"]] == ["m1", "m4"]


def test_a_chat_of_which_nothing_is_wanted_is_forgotten_after_its_time(
    db: ScratchDatabase,
) -> None:
    db.workspace(filter=only(labels="vip"))
    accepted = db.accept("m1")

    record = db.chat()
    assert record is not None
    assert (accepted.unrouted, accepted.due_ms) == (1, 0)
    assert not record.is_collecting()
    assert record.forget_ms > db.now_ms
    assert is_sound(db)


def test_a_full_webhook_that_wants_a_message_has_it_counted_as_overflowed(
    db: ScratchDatabase,
) -> None:
    db.workspace(filter=only(labels="vip"))
    disable(db, "outbound")
    db.quota = Quota(messages_max=0)
    webhook(db, "crm")

    accepted = db.accept(incoming("m1", **VIP), "m2")

    assert (accepted.accepted, accepted.unrouted, accepted.overflowed) == (2, 0, 1)
    assert (holds(db, "outbound"), holds(db, "crm")) == (0, 2)


def test_without_a_filter_no_message_is_decoded_for_it(db: ScratchDatabase) -> None:
    db.workspace()
    broken = incoming("m1", account=b"not JSON")

    assert db.accept(broken).accepted == 1


def test_filters_that_look_through_long_texts_weigh_what_they_cost(db: ScratchDatabase) -> None:
    db.workspace()
    weights = []
    for count in (1, 20):
        db.change("acme", filter=only(text_contains=[f"word{n}" for n in range(count)]))
        long = incoming(f"m{count}", text="x" * 60_000)
        with db.unit() as unit:
            table.apply(unit, db.accepting(long, chat=f"c{count}"))
            weights.append(unit.weight)

    assert weights[1] - weights[0] >= 19 * 60_000 // CHARS_PER_WEIGHT - 10

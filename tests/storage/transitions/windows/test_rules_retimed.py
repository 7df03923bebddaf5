"""Open windows when the rule, or the zone that it uses, is changed: judged as if opened now."""

from typing import Any

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import bodies, history
from hookbundle.storage.transitions.sealing import DueSealed, SealDue
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import OK, PRODUCT, ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.changing.changes import change as alter
from hookbundle.tests.storage.transitions.changing.changes import delete
from hookbundle.tests.storage.transitions.windows.ruled import (
    FIRST,
    HOUR_MS,
    at_time,
    due,
    goes,
    retime_all,
    ruled,
    says,
    sent,
    window,
)

AT = {"at": ["18:00"]}
VIP = b'{"labels":["vip"]}'
OF_VIPS = {"rules": [{"match": {"labels": "vip"}, "window": {"quiet": "5m"}}], "else": AT}
URGENT = {
    "rules": [{"match": {"text_contains": "urgent"}, "window": {"every": "2h"}}],
    "else": {"every": "6h"},
}


def change(db: ScratchDatabase, value: Any) -> None:
    """The rule is another one, and all windows follow it."""
    db.change("acme", window=window(value))
    retime_all(db)


@pytest.mark.parametrize(
    ("value", "end"),
    [
        ({"quiet": "45m"}, "09:55"),  # of the last message
        ({"quiet": "50m", "max": "55m"}, "09:55"),  # of the first one
        (AT, "18:00"),
        ({"every": "3h", "first": "now"}, "12:00"),
        ({"every": "3h", "hours": {"from": "13:00", "to": "14:00"}}, "13:00"),
    ],
)
def test_a_window_of_one_length_follows_each_kind_of_rule(
    db: ScratchDatabase, value: Any, end: str
) -> None:
    db.now_ms = at_time("09:00")
    db.workspace()
    says(db, "09:00", "a")
    says(db, "09:10", "b")

    goes(db, "09:20")
    change(db, value)

    assert due(db) == at_time(end)
    assert [each["chat"] for each in db.events("window.retimed")] == ["c"]
    assert findings(db) == []


def test_what_is_over_by_the_new_rule_is_sealed_at_once(db: ScratchDatabase) -> None:
    ruled(db, AT)
    says(db, "09:00", "a")
    says(db, "09:10", "b", chat="d")

    goes(db, "09:15")
    change(db, {"quiet": "10m"})

    assert sent(db) == [("settings", ["a"])]
    assert due(db, "d") == at_time("09:20")


def test_none_seals_all_and_an_empty_window_calls_nobody(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    says(db, "09:00", "a", "b")
    says(db, "09:00", "e", chat="empty")

    db.change("acme", aggregation_ms=0)
    retime_all(db)

    assert sent(db)[2:] == [("settings", ["b"])]
    assert [each["chat"] for each in db.events("window.ended")] == ["empty"]
    assert db.dues(DueKind.WINDOW) == []


def test_a_window_whose_messages_would_leave_alone_by_now_is_sealed(db: ScratchDatabase) -> None:
    ruled(db, AT)
    db.accept(incoming("a", text="urgent"), incoming("b"))
    db.accept("c", chat="d")

    rules = [{"match": {"text_contains": "urgent"}, "window": "none"}]
    change(db, {"rules": rules, "else": AT})

    assert sent(db) == [("settings", ["a", "b"])]
    assert due(db, "d") == at_time("18:00")


def test_a_window_by_rule_follows_a_plain_length(db: ScratchDatabase) -> None:
    ruled(db, OF_VIPS)
    db.accept(incoming("a", extra=VIP))

    db.change("acme", aggregation_ms=2 * HOUR_MS)
    retime_all(db)
    found = db.window()

    assert due(db) == at_time("11:00")
    assert found is not None
    assert found.choice == 255


def test_the_opening_message_chooses_again_by_new_rules(db: ScratchDatabase) -> None:
    ruled(db, AT)
    db.accept(incoming("a", extra=VIP), chat="vip")
    db.accept("b", chat="plain")

    change(db, OF_VIPS)

    assert due(db, "vip") == at_time("09:05")
    assert due(db, "plain") == at_time("18:00")


def test_it_is_the_message_that_came_first_and_not_the_earliest_one(db: ScratchDatabase) -> None:
    ruled(db, AT)
    db.accept(incoming("a", at_time("09:00"), text="urgent"))
    for number in range(30):  # of which the first ones are in a part of their own
        db.accept(incoming(f"m{number}", at_time("08:00"), text="x" * 300))

    change(db, URGENT)

    assert due(db) == at_time("11:00")


def test_it_chooses_by_the_labels_that_its_own_chat_had(db: ScratchDatabase) -> None:
    ruled(db, AT)
    db.accept(incoming("a", at_time("09:00")))
    db.accept(incoming("b", at_time("09:01"), extra=VIP))
    db.accept(incoming("c", at_time("09:00"), extra=VIP), chat="vip")
    db.accept(incoming("d", at_time("09:01")), chat="vip")

    change(db, OF_VIPS)

    assert due(db) == at_time("18:00")
    assert due(db, "vip") == at_time("09:05")


def test_if_it_was_deleted_the_next_one_chooses_by_its_own_labels(db: ScratchDatabase) -> None:
    ruled(db, AT)
    db.accept(incoming("a", at_time("09:00"), extra=VIP))
    db.accept(incoming("b", at_time("09:01")))
    db.accept(incoming("c", at_time("09:02"), extra=VIP))
    alter(db, delete("a"))

    change(db, OF_VIPS)

    assert due(db) == at_time("18:00")


def test_a_message_that_left_at_once_chooses_again_too(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.accept(incoming("a", text="urgent"))
    db.accept("b")

    change(db, URGENT)

    assert due(db) == at_time("11:00")


def test_of_one_that_was_trimmed_the_text_is_not_known(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.accept(incoming("a", text="urgent", extra=VIP))
    db.attempt(OK)
    with db.unit() as unit:
        unit.delete(history.key_of(1, 1))
        bodies.delete(unit, 1, 1, 1)

    change(db, URGENT)
    by_text = due(db)
    change(db, OF_VIPS)

    assert by_text == at_time("15:00")
    assert due(db) == at_time("09:05")


def test_a_window_that_re_timing_has_not_reached_has_its_new_rule_when_it_is_over(
    db: ScratchDatabase,
) -> None:
    """The number of a rule means another one in new settings."""
    ruled(db, OF_VIPS)
    db.accept(incoming("a", extra=VIP))
    other = {"match": {"labels": "else"}, "window": {"every": "1s"}}
    rules = [other, {"match": {"labels": "vip"}, "window": {"quiet": "1h"}}]
    db.change("acme", window=window({"rules": rules, "else": AT}))

    db.now_ms = at_time("09:05")
    row = db.dues(DueKind.WINDOW)[0]
    db.do(SealDue((row,), db.now_ms, PRODUCT), DueSealed)

    assert sent(db) == []
    assert due(db) == at_time("10:00")


def test_a_message_for_a_window_that_re_timing_has_not_reached(db: ScratchDatabase) -> None:
    ruled(db, AT)
    db.accept(incoming("a", extra=VIP))
    db.change("acme", window=window(OF_VIPS))

    db.now_ms = at_time("09:04")
    db.accept("b")
    assert due(db) == at_time("09:09")
    db.change("acme", window=window({"every": "1s", "first": "now"}))
    db.accept("c")

    assert sent(db) == [("settings", ["a", "b"])]
    assert due(db) == at_time("09:04") + 1_000


def test_re_timing_goes_on_after_a_restart(db: ScratchDatabase) -> None:
    ruled(db, AT)
    for number in range(5):
        db.accept(f"m{number}", chat=f"c{number}")
    db.change("acme", window=window({"quiet": "10m"}))
    db.do(RetimeWindows(1, 2, db.now_ms, PRODUCT), Retimed)

    db.reopen()
    retime_all(db, most=2)

    assert {due(db, f"c{number}") for number in range(5)} == {at_time("09:10")}
    assert findings(db) == []


def test_a_damaged_first_delivery_keeps_no_window_from_its_rule(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.accept(incoming("a", text="urgent"))
    with db.env.write() as txn:
        key = next(key for key in db.dump() if key.startswith(keyspace.BODIES))
        txn.put(key, codec.HEAD.pack(1, 0) + b"damage")

    change(db, URGENT)

    assert due(db) == at_time("15:00")

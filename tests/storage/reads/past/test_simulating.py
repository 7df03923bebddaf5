"""A simulation is of all chats of a webhook, of the days that were asked, and of nothing else."""

import random
from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import NotFound
from hookbundle.engine.fairness.loop_share import with_rests
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.simulation import Outcome, Tally, room_of, simulate_chat
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.past import arrivals as past
from hookbundle.storage.reads.past.simulating import Simulated, simulated
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.arriving import DAY_MS, MIDNIGHT_MS, trim_if_due
from hookbundle.tests.storage.deleting import delete_chat
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.webhooks import add_webhook

MINUTE_MS = 60_000
LENGTH = {"every": "1h"}


def simulate(
    db: ScratchDatabase, window: Any = None, days: int = 7, webhook: str = "outbound"
) -> Simulated:
    wanted = None if window is None else parse(window)
    return with_rests(simulated(db.env, "acme", webhook, wanted, days, db.now_ms))


def then(db: ScratchDatabase, window: Any, days: int = 7) -> Outcome:
    found = simulate(db, window, days).then
    assert found is not None
    return found


def at_minutes(db: ScratchDatabase, *minutes: float, chat: str = "c") -> None:
    """The chat gets a message at each of these minutes after the start."""
    for minute in minutes:
        db.now_ms = START_MS + round(minute * MINUTE_MS)
        db.accept(f"{chat} {minute}", chat=chat)


def test_it_says_calls_delays_and_the_biggest_bundle(db: ScratchDatabase) -> None:
    db.workspace()
    at_minutes(db, 0, 10, 20, 90)
    at_minutes(db, 100, chat="other")

    found = simulate(db, {"quiet": "15m"})

    assert (found.chats, found.is_cut) == (2, False)
    assert (found.since_ms, found.until_ms) == (START_MS, db.now_ms)
    assert found.now == Outcome(5, 3, 3, 60 * MINUTE_MS, 60 * MINUTE_MS, rules_left_out=False)
    assert found.then == Outcome(5, 3, 3, 15 * MINUTE_MS, 35 * MINUTE_MS, rules_left_out=False)


def test_without_a_window_to_try_only_its_own_is_looked_at(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    at_minutes(db, 0, 1)

    found = simulate(db)

    assert (found.then, found.now.calls) == (None, 2)


def test_what_a_webhook_was_not_offered_is_not_in_it(db: ScratchDatabase) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm", filter=b'{"chat_ids":["vip"]}')
    at_minutes(db, 0, 1)
    db.accept(incoming("m", chat=b'{"chat_id":"vip"}'), chat="vip")

    assert simulate(db, webhook="crm").now.messages == 1
    assert simulate(db).now.messages == 3
    with pytest.raises(NotFound):
        simulate(db, webhook="nobody")


def test_a_chat_is_one_whatever_days_and_places_its_arrivals_are_in(db: ScratchDatabase) -> None:
    """Some are in rows of two days, the last one in the chat's record."""
    db.workspace(aggregation_ms=0)
    db.now_ms = MIDNIGHT_MS - 20 * MINUTE_MS
    for number in range(40):
        db.accept(f"m{number}")
        db.now_ms += MINUTE_MS

    found = simulate(db, {"quiet": "5m", "max": "6h"})

    assert found.chats == 1
    assert found.then == Outcome(40, 1, 40, 24 * MINUTE_MS, 42 * MINUTE_MS, rules_left_out=False)


@pytest.mark.parametrize(("days", "messages"), [(1, 2), (3, 4), (10, 11)])
def test_no_message_of_an_earlier_day_is_counted(
    db: ScratchDatabase, days: int, messages: int
) -> None:
    """A message a day, at the same time: of ten days, the one of ten days ago to the second."""
    db.workspace(aggregation_ms=0)
    for day in range(14):
        db.now_ms = START_MS + day * DAY_MS
        trim_if_due(db)
        db.accept(f"m{day}")

    assert then(db, "none", days).messages == messages


def test_messages_of_an_open_window_are_in_it(db: ScratchDatabase) -> None:
    """Most of them are in parts, which hold what has no room in the chat's record."""
    db.workspace(aggregation_ms=24 * HOUR_MS)
    for number in range(30):
        db.accept(incoming(f"m{number}", text="x" * 500))
        db.now_ms += MINUTE_MS
    window = db.window()
    assert window is not None
    assert window.parts > 3

    found = simulate(db, {"quiet": "5m", "max": "1h"})

    assert found.then == Outcome(30, 1, 30, 19 * MINUTE_MS, 33 * MINUTE_MS, rules_left_out=False)


def test_a_chat_that_is_forgotten_is_still_in_it(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    at_minutes(db, 0, 1)
    db.now_ms += limits.REMEMBERED_MS
    db.done(Forget(tuple(db.dues(DueKind.FORGET)), db.now_ms))
    assert db.chat() is None

    assert then(db, LENGTH).messages == 2


def test_a_deleted_chat_is_in_none_also_while_its_rows_are_erased(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(100)))
    delete_chat(db)
    assert then(db, LENGTH).messages == 0

    db.now_ms += MINUTE_MS
    db.accept("new")

    assert db.dues(DueKind.ERASE)
    assert then(db, LENGTH).messages == 1


def test_it_says_since_when_it_knows(db: ScratchDatabase) -> None:
    """A webhook that was made later, and days that went for want of room."""
    db.workspace()
    db.now_ms += DAY_MS
    add_webhook(db, "acme", "crm")
    made_ms = db.now_ms
    db.accept("m1")
    db.now_ms += 3 * DAY_MS
    assert simulate(db).since_ms == START_MS
    assert simulate(db, days=2).since_ms == db.now_ms - 2 * DAY_MS
    assert simulate(db, webhook="crm").since_ms == made_ms

    with db.unit() as unit:
        unit.usage(1).arrivals_since_ms = db.now_ms - DAY_MS

    assert simulate(db).since_ms == db.now_ms - DAY_MS
    assert simulate(db).now.messages == 0


def test_a_database_of_an_earlier_version_knows_since_its_first_arrival(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    with db.unit() as unit:
        unit.usage(1).arrivals_since_ms = 0
    db.now_ms += DAY_MS
    assert simulate(db).since_ms == db.now_ms

    db.accept("m1")
    first_ms = db.now_ms
    db.now_ms += HOUR_MS

    assert simulate(db).since_ms == first_ms
    db.accept(*(f"n{number}" for number in range(30)))
    assert db.view().usage.arrivals_since_ms == first_ms


def test_a_setting_with_rules_is_judged_by_its_else_and_says_so(db: ScratchDatabase) -> None:
    db.workspace()
    at_minutes(db, 0, 1, 2)
    rules = [{"match": {"labels": "vip"}, "window": "none"}]

    found = simulate(db, {"rules": rules, "else": LENGTH})

    assert found.then is not None
    assert (found.then.calls, found.then.rules_left_out) == (1, True)
    assert not found.now.rules_left_out


def test_limits_and_zone_are_those_of_the_webhook(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0, time_zone="Asia/Tokyo")
    add_webhook(db, "acme", "crm", aggregation_ms=0, messages_max=4)
    db.now_ms = MIDNIGHT_MS  # 9:00 in Tokyo
    db.accept(*(f"m{number}" for number in range(10)))

    limited = simulate(db, {"at": ["10:00"]}, webhook="crm").then

    assert limited == Outcome(10, 3, 4, 0, 60 * MINUTE_MS, rules_left_out=False)
    assert then(db, {"at": ["10:00"]}).calls == 1


@pytest.mark.parametrize("aggregation_ms", [0, HOUR_MS])
@pytest.mark.parametrize("seed", range(3))
def test_slices_and_places_change_nothing(
    db: ScratchDatabase, seed: int, aggregation_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random messages of many chats over days, read three rows at a time."""
    monkeypatch.setattr(past, "ROWS_A_SLICE", 3)
    rng, db.now_ms = random.Random(seed), START_MS
    db.workspace(aggregation_ms=aggregation_ms)
    came: dict[str, list[tuple[int, int]]] = {}
    for number in range(600):
        db.now_ms += rng.choice((0, 1_000, 5_000, MINUTE_MS, HOUR_MS))
        chat = rng.choice(("c", "ca", "c\x00", "d" * 200, "\x00", "e", "f"))
        db.accept(incoming(f"m{number}", text="x" * rng.choice((9, 900))), chat=chat)
        came.setdefault(chat, []).append((db.now_ms // 1_000 * 1_000, 500))
        if rng.random() < 0.01:
            db.now_ms += limits.REMEMBERED_MS
            due = [row for row in db.dues(DueKind.FORGET) if row.at_ms <= db.now_ms]
            db.done(Forget(tuple(due), db.now_ms))
    setting, tally = parse({"quiet": "2m", "max": "1h"}), Tally()
    from_ms = (db.now_ms - 7 * DAY_MS) // 1_000 * 1_000
    for of_chat in came.values():
        young = [each for each in of_chat if each[0] >= from_ms]
        list(simulate_chat(setting, "UTC", room_of(0, 0), young, into=tally))

    found = simulate(db, {"quiet": "2m", "max": "1h"})

    assert found.then == tally.outcome(setting)
    assert found.chats == sum(of_chat[-1][0] >= from_ms for of_chat in came.values())


def test_it_looks_at_a_bounded_number_of_rows_and_arrivals(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(10):
        db.accept(*(f"m{each}" for each in range(30)), chat=f"c{number}")
        db.accept("one", chat=f"d{number}")
    assert not simulate(db).is_cut

    monkeypatch.setattr(past, "ROWS_MOST", 22)
    by_rows = simulate(db)
    monkeypatch.setattr(past, "ROWS_MOST", 200)
    monkeypatch.setattr(past, "ARRIVALS_MOST", 100)
    by_arrivals = simulate(db)

    assert (by_rows.is_cut, by_rows.chats) == (True, 12)
    assert (by_arrivals.is_cut, by_arrivals.chats) == (True, 4)


def test_of_a_chat_with_too_many_rows_the_newest_are_looked_at(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "CHAT_ROWS_MOST", 3)
    db.workspace(aggregation_ms=0)
    for number in range(5):
        db.accept(*(f"{number}-{each}" for each in range(30)))
        db.now_ms += HOUR_MS
    db.accept("last", chat="d")

    found = simulate(db, {"every": "1h"})

    assert found.then is not None
    assert (found.is_cut, found.then.messages, found.then.calls) == (True, 91, 4)

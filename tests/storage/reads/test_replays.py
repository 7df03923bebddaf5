"""What a replay would send, counted before it begins: as its steps put it."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.reads import replays
from hookbundle.tests.storage.deleting import delete_chat
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, START_MS, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import discard
from hookbundle.tests.storage.transitions.repeating.again import (
    BOTH,
    delivered,
    found,
    put_all,
    replay,
    resend,
)


def counted(db: ScratchDatabase, wanted: ReplayFilter, looked_at: int = 500) -> tuple[int, int]:
    count = replays.Count(db.env, "acme", wanted)
    while count.read_on():
        pass
    return count.found, count.messages


def hours(db: ScratchDatabase, *outcomes: object) -> None:
    """A delivery an hour, the chats in turns; NO: rejected until it is a dead letter."""
    db.workspace(aggregation_ms=0)
    for number, outcome in enumerate(outcomes, 1):
        db.now_ms = START_MS + number * 100 * HOUR_MS
        db.accept(f"m{number}", chat=f"chat {number % 3}")
        for _ in range(3 if outcome is NO else 1):
            db.attempt(NO if outcome is NO else OK)


FILTERS = [
    ReplayFilter(states=("dead_letter",)),
    ReplayFilter(states=("delivered",)),
    ReplayFilter(states=BOTH),
    ReplayFilter(states=BOTH, chat="chat 1"),
    ReplayFilter(states=BOTH, http_status=404),
    ReplayFilter(states=BOTH, since_ms=START_MS + 400 * HOUR_MS),
    ReplayFilter(states=BOTH, until_ms=START_MS + 400 * HOUR_MS),
    ReplayFilter(states=BOTH, since_ms=START_MS + 200 * HOUR_MS, until_ms=START_MS + 600 * HOUR_MS),
    ReplayFilter(states=BOTH, since_ms=1, until_ms=2),
    ReplayFilter(states=BOTH, since_ms=START_MS + 10**6 * HOUR_MS),
]


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("looked_at", [1, 500])
def test_the_count_is_what_the_replay_puts(
    db: ScratchDatabase, wanted: ReplayFilter, looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "LOOKED_AT", looked_at)
    hours(db, OK, NO, OK, OK, NO, OK, NO, OK, OK, NO)
    resend(db, 3)
    discard(db, 5)
    delete_chat(db, "chat 2")

    count = counted(db, wanted)

    states = wanted.states
    others = {
        "chat": wanted.chat,
        "http_status": wanted.http_status,
        "since_ms": wanted.since_ms,
        "until_ms": wanted.until_ms,
    }
    replay(db, *states, **others)
    put_all(db)
    assert count == (found(db).queued, found(db).queued_messages)
    whole = wanted in FILTERS[:8]
    assert bool(count[0]) == whole


def test_replays_are_listed_newest_first(db: ScratchDatabase) -> None:
    delivered(db, "a")
    for _ in range(3):
        replay(db)
        put_all(db)

    assert [each.replay.number for each in replays.all_of(db.env, "acme")] == [3, 2, 1]
    assert replays.one(db.env, "acme", 2).replay.number == 2
    with pytest.raises(NotFound):
        replays.one(db.env, "acme", 4)
    with pytest.raises(NotFound):
        replays.all_of(db.env, "nobody")

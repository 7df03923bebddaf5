"""Attempts whose outcome nobody knows, and what the logs keep of all of them."""

import pytest

from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage.transitions.attempting import Begun
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import CUT, NO, OK, START_MS, URL, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import discard


@pytest.fixture
def queued(db: ScratchDatabase) -> ScratchDatabase:
    """A workspace with the messages m1 to m5 in its queue, one a delivery."""
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(1, 6)))
    return db


def numbers(db: ScratchDatabase) -> list[int]:
    return [delivery.number for delivery in db.queued()]


def test_an_attempt_lost_in_a_crash_is_found_and_made_again_with_the_same_bytes(
    queued: ScratchDatabase,
) -> None:
    lost = queued.begun()
    queued.reopen()

    again = queued.begun()

    (entry,) = log_of(queued.reads, "acme")
    assert (again.delivery_id, again.body) == (lost.delivery_id, lost.body)
    assert again.attempt == 2
    assert queued.view().state.consecutive_errors == 0
    assert (entry.result.outcome, entry.attempt, entry.result.at_ms) == ("unknown", 1, START_MS)
    assert len(queued.events("delivery.unknown")) == 1


def test_a_lost_attempt_is_logged_with_the_url_it_went_to(queued: ScratchDatabase) -> None:
    queued.begun()
    queued.change("acme", url="https://elsewhere.example/")

    queued.begun()

    assert log_of(queued.reads, "acme")[0].result.url == URL


def test_a_late_answer_to_a_lost_attempt_is_refused(queued: ScratchDatabase) -> None:
    lost = queued.begun()
    again = queued.begun()

    with pytest.raises(Conflict, match="attempt 1 of 1 is not under way"):
        queued.finish(lost, OK)

    queued.finish(again, OK)
    assert numbers(queued) == [2, 3, 4, 5]


@pytest.mark.parametrize("result", [OK, failed(), NO, CUT])
def test_an_attempt_is_finished_once(queued: ScratchDatabase, result: Outcome) -> None:
    begun = queued.begun()
    queued.finish(begun, result)
    before = queued.dump()

    with pytest.raises(Conflict, match="not under way"):
        queued.finish(begun, result)

    assert queued.dump() == before


def test_of_a_workspace_that_is_gone_nothing_is_begun(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        db.begin(9)


# ---- logs


def test_the_detailed_log_keeps_the_newest_hundred(queued: ScratchDatabase) -> None:
    for number in range(130):
        queued.finish(queued.begun(), Failed(f"error {number}"))
        queued.enable()

    log = log_of(queued.reads, "acme")
    errors = [entry.result.error for entry in log]

    assert errors == [f"error {number}" for number in range(129, 29, -1)]
    assert log[0].request_body == queued.queued()[0].body


def test_the_activity_log_keeps_the_newest_ten(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(15):
        db.accept(f"m{number}", chat=f"c{number}")
        db.attempt(Delivered(200))

    lines = db.reads.activity("acme")

    assert [line.chat_id for line in lines] == [f"c{number}" for number in range(14, 4, -1)]
    assert {(line.action, line.outcome, line.detail) for line in lines} == {
        ("message", "delivered", "status 200")
    }


def test_a_lost_attempt_of_what_was_discarded_meanwhile_is_forgotten(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    db.begun()
    discard(db, 1, alive_since_ms=db.now_ms + 1)

    begun = db.begun()

    assert begun.delivery.number == 2
    assert log_of(db.reads, "acme") == []
    assert_sound(db)


def test_an_outcome_of_what_was_discarded_for_lost_changes_nothing_of_it(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    begun = db.begun()
    discard(db, 1, alive_since_ms=db.now_ms + 1)

    following = db.finish(begun, OK, go_on=True)

    discarded = db.delivery(1)
    assert discarded is not None
    assert (discarded.state, discarded.attempts) == ("discarded", 0)
    assert isinstance(following, Begun)
    assert_sound(db)

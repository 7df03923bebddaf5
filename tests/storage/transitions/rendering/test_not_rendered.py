"""What comes of rendering but a body: a dead letter, a discarded delivery, a rest."""

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.formats.jobs import NoRecord
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle, Render
from hookbundle.storage.transitions.rendering.storing import Rests
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import retry
from hookbundle.tests.storage.transitions.rendering.rendered import (
    BROKEN,
    OTHER,
    asked,
    begun,
    bundles,
    step,
    store,
    told,
)


def test_what_cannot_be_rendered_is_a_dead_letter_and_no_error_of_the_receiver(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1", "m2")

    following = store(db, asked(db), BROKEN)

    assert isinstance(following, Render)
    assert following.delivery == 2
    state, totals, (dead,) = db.view().state, db.reads.meta().totals, db.dead_letters()
    assert (dead.dead_reason, dead.attempts, dead.rejections) == ("format", 0, 0)
    assert (state.consecutive_errors, state.last_error, state.next_attempt_ms) == (0, "", 0)
    assert (state.dead_letters, state.unrendered, state.fails) == (1, 1, 0)
    assert (totals.dead_letters, totals.not_rendered, totals.failed) == (1, 1, 0)
    assert_sound(db)


def test_it_is_told_with_its_place_in_the_template(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    store(db, asked(db), BROKEN)

    (fact,) = told(db, "delivery.not_rendered")
    line = db.reads.activity("acme")[0]
    assert (fact["pointer"], fact["code"]) == ("/properties/hs_timestamp", "value_not_taken")
    assert (line.outcome, line.delivery) == ("dead_letter", 1)
    error = "format: value_not_taken: /properties/hs_timestamp: is no time"
    assert line.detail == error == db.dead_letters()[0].last_error
    assert not told(db, "delivery.dead_lettered")


def test_many_of_them_never_disable_the_webhook(db: ScratchDatabase) -> None:
    ids = [f"m{n}" for n in range(15)]
    bundles(db, *ids)
    found = step(db)
    while isinstance(found, Render):
        found = store(db, found, BROKEN)

    state = db.view().state
    assert (state.enabled, state.dead_letters, state.consecutive_errors) == (True, 15, 0)


def test_a_dead_letter_without_a_body_is_rendered_anew_when_it_is_retried(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1", "m2")
    store(db, asked(db), BROKEN)

    retry(db, 1)

    assert asked(db).delivery == 1
    assert begun(db).attempt == 1
    assert_sound(db)


def test_a_dead_letter_that_fails_again_while_all_are_put_back_stays_one(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1", "m2", "m3")
    for _ in range(2):
        store(db, asked(db), BROKEN)
    db.disable()
    db.enable()  # both are queued for every caller, and their rows still among the dead letters

    again = store(db, asked(db), BROKEN)

    assert isinstance(again, Render)
    assert again.delivery == 2
    assert [each.number for each in db.dead_letters()] == [1]
    while not db.do(MoveDeliveries(1, 1, db.now_ms), Moved).finished:
        assert_sound(db)
    assert [each.number for each in db.dead_letters()] == [1]
    assert_sound(db)


# ---- what its format skips


def test_what_has_no_record_is_discarded_and_counted(db: ScratchDatabase) -> None:
    bundles(db, "m1", "m2")

    following = store(db, asked(db), NoRecord())

    assert isinstance(following, Render)
    assert following.delivery == 2
    gone, totals = db.delivery(1), db.reads.meta().totals
    assert gone is not None
    assert gone.state == DeliveryState.DISCARDED
    assert (gone.discard_reason, gone.discarded_by) == ("no_record", "hookbundle")
    assert (totals.discarded, totals.no_record) == (1, 1)
    (fact,) = told(db, "delivery.discarded")
    assert (fact["reason"], fact["was"]) == ("no_record", "queued")
    assert_sound(db)


# ---- a rendering that rests


def test_a_webhook_whose_rendering_rests_waits_and_no_error_counts(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    until_ms = db.now_ms + 600_000

    assert store(db, asked(db), Rests(until_ms, "limits")) == Idle()

    state = db.view().state
    assert (state.rests_until_ms, state.next_attempt_ms) == (until_ms, until_ms)
    assert (state.consecutive_errors, state.last_error) == (0, "")
    assert [row.at_ms for row in db.dues(DueKind.RETRY)] == [until_ms]
    assert told(db, "webhook.rendering_rests")[0]["cause"] == "limits"
    assert step(db) == Idle()
    db.now_ms = until_ms
    assert isinstance(step(db), Render)
    assert_sound(db)


def test_another_format_ends_the_rest(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    store(db, asked(db), Rests(db.now_ms + 600_000, "limits"))

    db.change("acme", format=OTHER)

    assert db.view().state.rests_until_ms == 0
    assert asked(db).job.format == OTHER


def test_a_wait_after_an_error_is_not_ended_by_another_format(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    db.finish(begun(db), failed())
    waits_ms = db.view().state.next_attempt_ms

    db.change("acme", format=OTHER)

    state = db.view().state
    assert (state.next_attempt_ms, state.consecutive_errors) == (waits_ms, 1)

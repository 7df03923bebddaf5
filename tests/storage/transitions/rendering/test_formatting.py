"""Another format: what waits for it is queued again, and the feed has names alone."""

import msgspec

from hookbundle.storage.transitions.deliveries import Retried, RetryDeadLetters
from hookbundle.storage.transitions.rendering import formatting
from hookbundle.storage.transitions.timed.moving import Moved, MoveDeliveries
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import discard
from hookbundle.tests.storage.transitions.rendering.rendered import (
    BROKEN,
    NOTE,
    OTHER,
    asked,
    begun,
    store,
    told,
)
from hookbundle.tests.storage.transitions.repeating.again import (
    cancel,
    put_all,
    replay,
)


def broken(db: ScratchDatabase, *ids: str) -> None:
    """Bundles that could not be rendered."""
    db.workspace(format=NOTE)
    for each in ids:
        db.accept(each, chat=each)
        db.seal(each)
        store(db, asked(db), BROKEN)
    assert len(db.dead_letters()) == len(ids)


def moved(db: ScratchDatabase) -> None:
    while not db.do(MoveDeliveries(1, 1, db.now_ms), Moved).finished:
        assert_sound(db)


def test_another_format_puts_them_back_in_their_old_order(db: ScratchDatabase) -> None:
    broken(db, "m1", "m2")
    db.accept("m3", chat="m3")
    db.seal("m3")

    db.change("acme", format=OTHER)

    assert [each.number for each in db.queued()] == [1, 2, 3]
    assert db.dead_letters() == []
    (fact,) = told(db, "delivery.returned")
    assert (fact["deliveries"], fact["messages"], fact["caller"]) == (2, 2, "test")
    assert_sound(db)
    for number in (1, 2, 3):
        render = asked(db)
        assert (render.delivery, render.job.format) == (number, OTHER)
        db.finish(begun(db), OK)
    moved(db)
    assert_sound(db)


def test_other_variables_put_them_back_too(db: ScratchDatabase) -> None:
    broken(db, "m1")

    db.change("acme", format_options=b'{"owner":"7"}')

    assert asked(db).job.options == b'{"owner":"7"}'


def test_the_seed_s_body_needs_no_rendering_any_more(db: ScratchDatabase) -> None:
    broken(db, "m1")

    db.change("acme", format=b"")

    assert b"text of m1" in db.begun().body


def test_the_same_format_again_puts_nothing_back(db: ScratchDatabase) -> None:
    broken(db, "m1")

    db.change("acme", format=NOTE, name="Acme")

    assert [each.number for each in db.dead_letters()] == [1]
    assert not told(db, "delivery.returned")


def test_enabling_and_another_url_put_them_back(db: ScratchDatabase) -> None:
    broken(db, "m1")
    db.disable()
    db.enable()
    assert asked(db).delivery == 1
    store(db, asked(db), BROKEN)

    db.change("acme", url="https://other.example/hook")

    assert asked(db).delivery == 1
    moved(db)
    assert_sound(db)


def test_so_does_a_retry_of_all(db: ScratchDatabase) -> None:
    broken(db, "m1", "m2")
    transition = RetryDeadLetters(workspace_id="acme", now_ms=db.now_ms, caller="ann")

    assert db.do(transition, Retried).returned == 2

    moved(db)
    assert [each.number for each in db.queued()] == [1, 2]
    assert_sound(db)


def test_one_may_be_discarded(db: ScratchDatabase) -> None:
    broken(db, "m1", "m2")

    assert discard(db, 1).was == "dead_letter"

    state = db.view().state
    assert (state.dead_letters, state.unrendered, state.unrendered_messages) == (1, 1, 1)
    assert_sound(db)


def test_discarding_all_takes_them_too(db: ScratchDatabase) -> None:
    broken(db, "m1", "m2")
    db.disable()

    assert db.enable(discard=True).discarded_deliveries == 2

    moved(db)
    assert db.view().state.unrendered == 0
    assert_sound(db)


def test_a_replay_renders_them_anew_and_its_cancellation_takes_back_what_was_not(
    db: ScratchDatabase,
) -> None:
    broken(db, "m1", "m2", "m3")
    replay(db)
    put_all(db)
    store(db, asked(db), BROKEN)
    db.finish(begun(db), failed())

    cancel(db)
    put_all(db)

    assert [(each.number, each.dead_reason) for each in db.dead_letters()] == [
        (1, "format"),
        (2, ""),  # it has a body, and was sent
        (3, "format"),
    ]
    assert db.view().state.unrendered == 2
    assert_sound(db)


def test_one_that_was_sent_without_a_format_is_taken_back_as_one_that_was_sent(
    db: ScratchDatabase,
) -> None:
    broken(db, "m1", "m2")
    replay(db)
    put_all(db)
    db.change("acme", format=b"")
    db.finish(db.begun(), failed())

    cancel(db)
    put_all(db)

    assert [(each.number, each.dead_reason) for each in db.dead_letters()] == [
        (1, ""),
        (2, "format"),
    ]
    state = db.view().state
    assert (state.dead_letters, state.unrendered) == (2, 1)
    assert_sound(db)


def test_errors_count_as_before_another_format(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    db.accept("m1")
    db.seal()
    db.finish(begun(db), failed())
    before = db.view().state

    db.change("acme", format=OTHER)

    state = db.view().state
    assert (state.epoch, state.consecutive_errors) == (before.epoch, 1)
    assert state.next_attempt_ms == before.next_attempt_ms


# ---- what is told of a format


def test_the_feed_names_variables_and_has_none_of_their_values(db: ScratchDatabase) -> None:
    options = msgspec.json.encode({"owner": "7", "api_key": "very secret"})
    db.workspace(format=NOTE, format_options=options)

    (created,) = told(db, "workspace.created")
    line = db.reads.activity("acme")[0]
    assert created["changes"]["format"] == "hubspot-note"
    assert created["changes"]["format_options"] == "api_key, owner"
    assert "secret" not in repr(db.feed()) + line.detail


def test_of_a_template_nothing_is_told() -> None:
    assert formatting.told({"format": OTHER}) == {"format": "template"}
    assert formatting.told({"format": b"", "format_options": b""}) == {
        "format": "seed",
        "format_options": "none",
    }
    assert formatting.told({"url": "x"}) == {}

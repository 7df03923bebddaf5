"""A body of a format: stored with the begin of its first attempt, and the same on every one."""

import pytest

from hookbundle.engine.formats.jobs import NoRecord, Rendered
from hookbundle.storage.database import keyspace
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, Idle, Render
from hookbundle.storage.transitions.rendering.storing import Made, Rests
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent
from hookbundle.storage.transitions.table import grows
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import CUT, NO, OK, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import discard, retry
from hookbundle.tests.storage.transitions.rendering.rendered import (
    BROKEN,
    NOTE,
    OTHER,
    asked,
    begun,
    bundles,
    rendered_plainly,
    store,
    storing,
)


def test_a_begin_asks_for_a_body_and_changes_nothing(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    before = db.dump()

    render = asked(db)

    assert (render.webhook, render.workspace, render.delivery) == (1, 1, 1)
    assert render.job.format == NOTE
    assert b"text of m1" in render.job.body
    assert asked(db) == render  # who did not come back has changed nothing
    assert db.dump() == before


def test_the_rendered_body_is_on_disk_when_its_attempt_has_begun(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    render = asked(db)
    made = rendered_plainly(render.job)
    assert isinstance(made, Rendered)

    sent = store(db, render)

    assert isinstance(sent, Begun)
    assert (sent.body, sent.attempt) == (made.body, 1)
    db.reopen()  # nothing of it is in memory
    assert DeliveryReads(db.env).delivery(sent.delivery_id, in_full=True).body == made.body
    assert_sound(db)


def test_every_attempt_sends_the_same_bytes_whatever_the_format_is_by_then(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1")
    first = begun(db)
    db.finish(first, failed())

    db.change("acme", format=OTHER)
    db.wait()
    second = begun(db)
    db.finish(second, CUT)
    db.change("acme", format=b"")
    db.wait()
    third = begun(db)

    assert [each.attempt for each in (first, second, third)] == [1, 2, 3]
    assert first.body == second.body == third.body
    assert_sound(db)


def test_what_was_sent_as_the_seed_s_body_stays_that(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    db.change("acme", format=b"")
    first = begun(db)
    db.finish(first, failed())

    db.change("acme", format=NOTE)
    db.wait()

    assert begun(db).body == first.body


def test_an_attempt_lost_in_a_crash_is_repeated_with_the_same_bytes(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    first = begun(db)
    db.change("acme", format=OTHER)
    db.reopen()

    again = begun(db)

    assert (again.attempt, again.body) == (2, first.body)


def test_what_a_crash_cut_short_before_it_was_stored_is_rendered_by_the_format_of_then(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1")
    asked(db)  # it is rendered, and the daemon dies
    db.reopen()
    db.change("acme", format=OTHER)

    assert asked(db).job.format == OTHER


def test_a_body_of_a_former_format_is_not_stored(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    render = asked(db)
    db.change("acme", format_options=b'{"owner":"7"}')

    again = store(db, render)

    assert isinstance(again, Render)
    assert again.job.options == b'{"owner":"7"}'
    assert isinstance(store(db, again), Begun)
    assert_sound(db)


@pytest.mark.parametrize("made", [None, BROKEN, NoRecord(), Rests(10**15, "limits")])
def test_of_two_bodies_the_first_one_wins(db: ScratchDatabase, made: Made | None) -> None:
    bundles(db, "m1")
    render = asked(db)
    first = store(db, render)
    db.change("acme", name="Acme")

    second = store(db, render, made)

    assert isinstance(first, Begun)
    assert isinstance(second, Begun)  # the first attempt has no end, and nobody waits for it
    assert (second.attempt, second.body) == (2, first.body)
    assert_sound(db)


def test_a_body_for_another_delivery_than_the_one_whose_turn_it_is_changes_nothing(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1", "m2")
    render = asked(db)
    discard(db, 1)

    following = store(db, render, BROKEN)

    assert isinstance(following, Render)
    assert following.delivery == 2
    assert db.view().state.dead_letters == 0


def test_a_webhook_disabled_meanwhile_stores_nothing(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    render = asked(db)
    db.disable()

    assert store(db, render) == Idle()

    assert not any(key.startswith(keyspace.RENDERED) for key in db.dump())
    db.enable()
    assert asked(db) == render


def test_a_large_body_is_kept_in_chunks(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    body = b'"' + b"x" * 150_000 + b'"'
    sent = store(db, asked(db), Rendered(body))

    assert isinstance(sent, Begun)
    assert sent.body == body
    assert sum(key.startswith(keyspace.RENDERED) for key in db.dump()) == 3
    db.finish(sent, OK)
    assert_sound(db)


def test_a_rendered_body_counts_for_what_waits_and_then_for_history(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    waiting = db.view().state.waiting_bytes
    sent = begun(db)

    assert db.view().state.waiting_bytes == waiting + len(sent.body)
    db.finish(sent, OK)
    assert db.view().state.waiting_bytes == 0
    assert db.view().usage.history_bytes > waiting + len(sent.body)
    assert_sound(db)


def test_the_log_shows_the_body_that_left(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    sent = begun(db)
    db.finish(sent, failed())

    (entry,) = log_of(db.reads, "acme")
    assert entry.request_body == sent.body


def test_a_resend_sends_the_rendered_bytes(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    sent = begun(db)
    db.finish(sent, OK)
    db.change("acme", format=OTHER)
    resend = ResendDelivery(
        workspace_id="acme", delivery_id=sent.delivery_id, now_ms=db.now_ms, caller="ann"
    )
    db.do(resend, Resent)

    assert begun(db).body == sent.body


def test_a_webhook_without_a_format_is_asked_for_no_body(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")
    db.seal()

    assert b"text of m1" in db.begun().body
    assert not any(key.startswith(keyspace.RENDERED) for key in db.dump())


def test_only_a_body_to_be_stored_makes_the_database_larger(db: ScratchDatabase) -> None:
    bundles(db, "m1")
    render = asked(db)
    with db.unit() as unit:
        assert grows(unit, storing(db, render))
        assert not grows(unit, storing(db, render, BROKEN))
        assert not grows(unit, BeginAttempt(1, db.now_ms))


def test_a_rejected_one_keeps_its_bytes_and_its_place_when_the_format_changes(
    db: ScratchDatabase,
) -> None:
    bundles(db, "m1", "m2")
    for _ in range(3):
        db.wait()
        sent = begun(db)
        db.finish(sent, NO)
    assert [each.number for each in db.dead_letters()] == [1]

    db.change("acme", format=OTHER)

    assert [each.number for each in db.dead_letters()] == [1]
    retry(db, 1)
    db.wait()
    assert begun(db).body == sent.body

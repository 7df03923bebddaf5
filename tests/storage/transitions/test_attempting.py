"""Attempts: one at a time and in order, each with everything its outcome changes."""

import pytest

from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.attempting import BeginAttempt, Idle
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded
from hookbundle.tests.storage.scratch import CUT, NO, OK, START_MS, URL, ScratchDatabase, failed

SECOND_MS = 1_000


@pytest.fixture
def queued(db: ScratchDatabase) -> ScratchDatabase:
    """A workspace with the messages m1 to m5 in its queue, one a delivery."""
    db.workspace(aggregation_ms=0, warnings=False)
    db.accept(*(f"m{number}" for number in range(1, 6)))
    return db


def numbers(db: ScratchDatabase) -> list[int]:
    return [delivery.number for delivery in db.queued()]


# ---- delivered


def test_deliveries_are_sent_in_order_one_answering_with_the_next(queued: ScratchDatabase) -> None:
    begun = queued.begun()
    sent = []
    for _ in range(5):
        sent.append(begun.delivery.number)
        following = queued.finish(begun, OK, go_on=True)
        begun = following if not isinstance(following, Idle) else begun

    assert sent == [1, 2, 3, 4, 5]
    assert following == Idle()
    assert queued.reads.ready(0, 10) == []


def test_an_attempt_has_all_that_is_needed_to_send_it(queued: ScratchDatabase) -> None:
    begun = queued.begun()

    assert begun.delivery_id == f"dlv_{queued.env.identity.epoch}{1:08x}{1:012x}"
    assert (begun.attempt, begun.url, begun.success.text, begun.secrets) == (
        *(1, URL, "200"),
        ("whsec_first",),
    )


def test_a_delivered_delivery_is_gone_and_counted(queued: ScratchDatabase) -> None:
    queued.attempt(OK)

    state, meta = queued.view().state, queued.reads.meta()
    assert (state.queued, state.queued_messages, meta.queued) == (4, 4, 4)
    assert meta.totals.delivered == 1
    assert numbers(queued) == [2, 3, 4, 5]


# ---- errors


def test_ten_errors_then_success_keep_the_webhook_and_reset_the_count(
    queued: ScratchDatabase,
) -> None:
    for _ in range(10):
        queued.attempt(failed())
    counted = queued.view().state.consecutive_errors

    begun = queued.attempt(OK)

    state = queued.view().state
    assert (counted, begun.attempt, begun.delivery.number) == (10, 11, 1)
    assert (state.enabled, state.consecutive_errors, state.last_error) == (True, 0, "")


def test_the_eleventh_error_disables_and_writes_one_mail_in_the_same_commit(
    queued: ScratchDatabase,
) -> None:
    for _ in range(10):
        queued.attempt(failed())
    mails_before = queued.reads.meta().mails

    queued.attempt(failed("connect: refused"))

    state, meta = queued.view().state, queued.reads.meta()
    mail = queued.reads.mail(1)
    assert (state.enabled, state.disabled_reason, mails_before, meta.mails) == (
        *(False, "errors"),
        *(0, 1),
    )
    assert mail is not None
    (disabling,) = mail.disablings
    assert (mail.to, disabling.error, disabling.held_messages) == (
        *("o@acme.example", "connect: refused"),
        5,
    )
    assert queued.dues(DueKind.MAIL) == [Due(queued.now_ms, DueKind.MAIL, 1)]
    assert [fact["type"] for _, fact in queued.feed()[-2:]] == [
        "delivery.failed",
        "webhook.disabled",
    ]


def test_a_disabled_webhook_attempts_nothing_and_a_second_disabling_is_told_too(
    queued: ScratchDatabase,
) -> None:
    for _ in range(11):
        queued.attempt(failed())
    while_disabled = queued.begin()
    queued.enable()
    for _ in range(11):
        queued.attempt(failed())

    assert while_disabled == Idle()
    mail = queued.reads.mail(1)
    assert mail is not None
    assert (queued.reads.meta().mails, mail.total, len(mail.disablings)) == (1, 2, 2)
    assert len(queued.events("webhook.disabled")) == 2


def test_without_an_address_no_mail_is_written(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0, owner_email="")
    db.accept("m1")
    for _ in range(11):
        db.attempt(failed())

    assert db.view().state.enabled is False
    assert db.reads.meta().mails == 0


@pytest.mark.parametrize(("spread", "wait_ms"), [(-1.0, 4_500), (0.0, 5_000), (1.0, 5_500)])
def test_the_next_attempt_waits_by_its_step_and_the_jitter_drawn(
    queued: ScratchDatabase, spread: float, wait_ms: int
) -> None:
    queued.finish(queued.begun(), failed(), spread=spread)

    assert queued.view().state.next_attempt_ms == START_MS + wait_ms
    assert queued.dues(DueKind.RETRY) == [Due(START_MS + wait_ms, DueKind.RETRY, 1)]
    assert queued.reads.ready(0, 10) == []


def test_what_the_receiver_asked_for_is_honoured(queued: ScratchDatabase) -> None:
    queued.finish(queued.begun(), failed("status 429", retry_after_ms=60_000))

    assert queued.view().state.next_attempt_ms == START_MS + 60_000


def test_the_time_of_the_next_attempt_survives_a_restart(queued: ScratchDatabase) -> None:
    queued.finish(queued.begun(), failed())
    queued.reopen()
    queued.now_ms += 5 * SECOND_MS - 1
    too_early = queued.begin()
    queued.now_ms += 1

    assert too_early == Idle()
    assert queued.begun().attempt == 2
    assert queued.dues(DueKind.RETRY) == []


def test_a_wait_that_is_over_makes_the_webhook_ready(queued: ScratchDatabase) -> None:
    queued.finish(queued.begun(), failed())
    (row,) = queued.dues(DueKind.RETRY)
    stale = [Due(row.at_ms - 1, DueKind.RETRY, 1), Due(row.at_ms, DueKind.RETRY, 77)]
    with queued.unit() as unit:
        for extra in stale:
            unit.put_due(extra)

    ended = queued.do(EndWaits((*stale, row), START_MS), WaitsEnded)

    assert ended == WaitsEnded((1,))
    assert queued.dues(DueKind.RETRY) == []
    assert queued.reads.ready(0, 10) == [1]


def test_a_wait_that_has_ended_is_a_time_that_was_seen(queued: ScratchDatabase) -> None:
    queued.finish(queued.begun(), failed())
    (row,) = queued.dues(DueKind.RETRY)

    queued.group(EndWaits((row,), START_MS))

    # Else a start with its clock behind would count from before, and attempt before the time.
    assert queued.reads.meta().last_ms == row.at_ms


# ---- rejections


def test_the_third_rejection_makes_a_dead_letter_and_the_next_delivery_gets_its_turn(
    queued: ScratchDatabase,
) -> None:
    for _ in range(3):
        queued.attempt(NO)

    following = queued.attempt(OK)

    assert [delivery.number for delivery in queued.dead_letters()] == [1]
    assert following.delivery.number == 2
    assert (queued.view().state.dead_letters, queued.reads.meta().dead_letters) == (1, 1)
    assert len(queued.events("delivery.dead_lettered")) == 1


def test_rejections_count_as_errors_too(queued: ScratchDatabase) -> None:
    for _ in range(11):
        queued.attempt(NO)

    assert queued.view().state.enabled is False
    assert [delivery.number for delivery in queued.dead_letters()] == [1, 2, 3]


def test_other_errors_between_do_not_undo_rejections(queued: ScratchDatabase) -> None:
    for result in (NO, failed(), NO, CUT, NO):
        queued.attempt(result)

    assert [delivery.number for delivery in queued.dead_letters()] == [1]


# ---- a webhook that is not to be attempted


def test_nothing_is_begun_without_a_url_or_without_a_delivery(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0, url="")
    without_delivery = db.begin()
    db.accept("m1")
    without_url = db.begin()
    ready = db.reads.ready(0, 10)
    woken = db.change("acme", url=URL).wake

    assert (without_delivery, without_url, ready) == (Idle(), Idle(), [])
    assert woken
    assert db.begun().url == URL


def test_two_workspaces_do_not_wait_for_each_other(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.workspace("other", aggregation_ms=0)
    db.accept("m1")
    db.accept("m1", ws=2)
    db.attempt(failed())

    outcomes = db.group(BeginAttempt(1, START_MS), BeginAttempt(2, START_MS))

    assert outcomes[0] == Idle()
    assert outcomes[1] != Idle()

"""A webhook switched off and on: nothing sent between, and then everything, in order."""

import pytest

from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.errors import Changed, Conflict, NotFound
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import Idle
from hookbundle.storage.transitions.switching import EnableWebhook, Switched
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import CUT, NO, OK, URL, ScratchDatabase, failed

ELSEWHERE = "https://elsewhere.example/"


@pytest.fixture
def queued(db: ScratchDatabase) -> ScratchDatabase:
    """A workspace with the messages m1 to m5 in its queue, one a delivery."""
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(1, 6)))
    return db


def make_dead_letters(db: ScratchDatabase, count: int) -> None:
    for _ in range(count * 3):
        db.attempt(NO)
        db.change("acme", name=db.view().settings.name + ".")  # does not reset anything
    assert len(db.dead_letters()) == count


# ---- off and on


def test_while_disabled_nothing_is_sent_and_messages_are_held_in_order(
    queued: ScratchDatabase,
) -> None:
    queued.disable()
    queued.accept("m6")
    held = queued.events("delivery.sealed")[-1]["data"]["held"]

    idle = queued.begin()
    switched = queued.enable()

    assert (held, idle, switched.changed, switched.wake) == (True, Idle(), True, (1,))
    assert [ids_in(delivery) for delivery in queued.queued()] == [
        [f"m{number}"] for number in range(1, 7)
    ]


def test_enabling_resumes_with_the_same_id_and_the_same_bytes(queued: ScratchDatabase) -> None:
    first = queued.attempt(failed())
    queued.disable()
    queued.reopen()
    queued.enable()

    again = queued.begun()

    assert (again.delivery_id, again.body) == (first.delivery_id, first.body)


def test_switching_twice_tells_once(queued: ScratchDatabase) -> None:
    changed = [queued.disable().changed, queued.disable().changed]
    changed += [queued.enable().changed, queued.enable().changed]

    assert changed == [True, False, True, False]
    assert len(queued.events("webhook.disabled", "webhook.enabled")) == 2


def test_by_hand_no_mail_is_written(queued: ScratchDatabase) -> None:
    queued.disable()

    assert queued.reads.meta().mails == 0
    assert queued.reads.disabled(10) == ["acme"]


def test_without_a_url_it_can_not_be_enabled(db: ScratchDatabase) -> None:
    db.workspace(url="")
    db.disable()
    before = db.dump()

    with pytest.raises(Conflict, match="no webhook URL"):
        db.enable()

    assert db.dump() == before


def test_an_unknown_workspace_can_not_be_switched(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        db.enable("nobody")
    with pytest.raises(NotFound):
        db.disable("nobody")


def test_a_waiting_webhook_does_not_wait_while_disabled(queued: ScratchDatabase) -> None:
    queued.attempt(failed())
    queued.disable()
    while_disabled = queued.dues(DueKind.RETRY)

    queued.enable()

    assert while_disabled == queued.dues(DueKind.RETRY) == []
    assert queued.begun().attempt == 2


# ---- starting over


@pytest.mark.parametrize("how", ["enable", "url"])
def test_errors_waiting_and_dead_letters_are_undone(queued: ScratchDatabase, how: str) -> None:
    make_dead_letters(queued, 2)

    if how == "enable":
        queued.enable()
    else:
        queued.change("acme", url=ELSEWHERE)

    state = queued.view().state
    assert (state.consecutive_errors, state.next_attempt_ms, state.dead_letters) == (0, 0, 0)
    assert [delivery.number for delivery in queued.queued()] == [1, 2, 3, 4, 5]
    assert [delivery.rejections for delivery in queued.queued()] == [0] * 5
    assert queued.begun().delivery.number == 1


@pytest.mark.parametrize("how", ["enable", "url"])
def test_a_queued_delivery_s_rejections_are_forgotten_as_those_of_dead_letters(
    queued: ScratchDatabase, how: str
) -> None:
    make_dead_letters(queued, 1)
    queued.attempt(NO)
    queued.attempt(NO)

    if how == "enable":
        queued.enable()
    else:
        queued.change("acme", url=ELSEWHERE)

    assert [delivery.rejections for delivery in queued.queued()] == [0] * 5
    queued.attempt(NO)
    assert queued.dead_letters() == []


def test_another_name_undoes_nothing(queued: ScratchDatabase) -> None:
    queued.attempt(NO)

    queued.change("acme", name="Acme")

    assert queued.view().state.consecutive_errors == 1
    assert queued.queued()[0].rejections == 1


@pytest.mark.parametrize("result", [failed(), NO])
def test_an_error_from_before_the_url_changed_does_not_count(
    queued: ScratchDatabase, result: Outcome
) -> None:
    begun = queued.begun()
    queued.change("acme", url=ELSEWHERE)

    queued.finish(begun, result)

    state, delivery = queued.view().state, queued.queued()[0]
    assert (state.consecutive_errors, state.next_attempt_ms, delivery.rejections) == (0, 0, 0)
    assert queued.begun().url == ELSEWHERE


def test_a_success_from_before_the_url_changed_is_delivered_but_resets_nothing(
    queued: ScratchDatabase,
) -> None:
    begun = queued.begun()
    queued.change("acme", url=ELSEWHERE)
    queued.wait()
    queued.finish(begun, OK)
    queued.attempt(failed())

    assert queued.view().state.consecutive_errors == 1
    assert queued.queued()[0].number == 2


def test_an_attempt_under_way_ends_while_disabled(queued: ScratchDatabase) -> None:
    begun = queued.begun()
    queued.disable()

    following = queued.finish(begun, OK, go_on=True)

    assert following == Idle()
    assert [delivery.number for delivery in queued.queued()] == [2, 3, 4, 5]


# ---- discarding


def test_enabling_with_discard_drops_what_is_held_and_says_how_much(
    queued: ScratchDatabase,
) -> None:
    make_dead_letters(queued, 1)
    queued.disable()

    switched = queued.enable(discard=True)

    state, meta = queued.view().state, queued.reads.meta()
    assert (switched.discarded_deliveries, switched.discarded_messages) == (5, 5)
    assert (state.queued, state.queued_messages, state.dead_letters) == (0, 0, 0)
    assert (meta.queued, meta.dead_letters, meta.totals.discarded) == (0, 0, 5)
    assert queued.events("delivery.discarded")[0]["data"]["messages"] == 5
    assert (queued.queued(), queued.dead_letters(), queued.begin()) == ([], [], Idle())


def test_what_is_being_sent_is_not_discarded(queued: ScratchDatabase) -> None:
    begun = queued.begun()

    switched = queued.enable(discard=True)
    queued.finish(begun, CUT)

    assert switched.discarded_deliveries == 4
    assert queued.begun().delivery.number == begun.delivery.number


def test_discarding_nothing_says_nothing(db: ScratchDatabase) -> None:
    db.workspace()

    db.enable(discard=True)

    assert db.events("delivery.discarded") == []


def test_a_url_taken_away_leaves_deliveries_lying_until_there_is_one(
    queued: ScratchDatabase,
) -> None:
    queued.change("acme", url="")
    without = (queued.begin(), queued.reads.ready(0, 10))

    changed = queued.change("acme", url=URL)

    assert without == (Idle(), [])
    assert changed.wake


def test_no_more_messages_are_discarded_than_somebody_agreed_to(queued: ScratchDatabase) -> None:
    queued.disable()
    before = queued.view().state

    with pytest.raises(Changed, match="5 messages would be discarded by now, not 4"):
        queued.do(discarding(queued, 4), Switched)
    after = queued.view().state
    switched = queued.do(discarding(queued, 5), Switched)

    assert after == before
    assert (switched.discarded_messages, switched.changed) == (5, True)


def discarding(db: ScratchDatabase, most: int) -> EnableWebhook:
    return EnableWebhook(
        workspace_id="acme", discard=True, discard_most=most, now_ms=db.now_ms, caller="test"
    )

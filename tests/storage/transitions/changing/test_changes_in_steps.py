"""Edits and deletions that look into more windows than one transition may: they go in steps."""

from hookbundle.engine import limits
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.storage.transitions.erasing import ChatDeleted, DeleteChat
from hookbundle.storage.transitions.unfinished import Unfinished
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.changing.changes import (
    changing,
    delete,
    edit,
    texts,
    told,
)
from hookbundle.tests.storage.transitions.windows.stepping import steps, weighed
from hookbundle.tests.storage.webhooks import add_webhook

NAMES = ("outbound", *(f"w{number}" for number in range(9)))
FULL = 15  # such messages, and no more, are in a bundle
TEXT = "x" * 30_000


def filled(db: ScratchDatabase) -> None:
    """Each of the webhooks has an open window that is full by its bytes."""
    db.workspace()
    for name in NAMES[1:]:
        add_webhook(db, "acme", name)
    for number in range(FULL):
        db.accept(incoming(f"m{number}", db.now_ms, text=TEXT))


def test_each_window_is_changed_once_and_the_last_step_answers(db: ScratchDatabase) -> None:
    filled(db)

    *unfinished, made = steps(db, changing(db, edit("m3"), delete("m4"), edit("new")), ChangesMade)

    assert unfinished
    assert (made.edited, made.deleted, made.late, made.waiting) == (1, 1, 0, 1)
    for name in NAMES:
        assert (len(texts(db, name)), texts(db, name)[3]) == (FULL - 1, "new")
    assert findings(db) == []


def test_each_step_tells_what_it_changed_and_a_message_counts_once(db: ScratchDatabase) -> None:
    filled(db)

    *unfinished, _ = steps(db, changing(db, edit("m3"), edit("new")), ChangesMade)

    facts = told(db, "message.edited")
    assert len(facts) == len(unfinished) + 1
    assert sorted(name for each in facts for name in each.get("applied", ())) == sorted(NAMES)
    assert [each.get("waiting") for each in facts] == [None] * len(unfinished) + [["new"]]
    with db.unit() as unit:
        assert unit.meta.totals.edited == 1


def test_no_step_weighs_more_than_a_step_and_one_window(db: ScratchDatabase) -> None:
    filled(db)
    too_large = [edit(f"m{number}", "y" * 60_000) for number in range(4)]

    weights, made = weighed(db, changing(db, *too_large))

    assert max(weights) < 2 * limits.STEP_WEIGHT
    assert isinstance(made, ChangesMade)
    assert (made.edited, made.late) == (0, 4)
    assert sorted(made.wake) == sorted(db.view().named(name).webhook.number for name in NAMES)
    assert [len(ids_in(each)) for name in NAMES for each in db.queued(webhook_id=name)] == [
        FULL
    ] * len(NAMES)


def test_after_a_crash_between_two_steps_the_same_edit_makes_the_rest(db: ScratchDatabase) -> None:
    filled(db)
    asked = changing(db, edit("m3", edited_ms=db.now_ms))
    db.do(asked, Unfinished)
    db.reopen()

    *_, made = steps(db, asked, ChangesMade)

    assert (made.edited, made.late) == (1, 0)
    assert [texts(db, name)[3] for name in NAMES] == ["new"] * len(NAMES)
    assert findings(db) == []


def test_a_chat_that_is_deleted_between_two_steps_has_nothing_left(db: ScratchDatabase) -> None:
    filled(db)
    rest = db.do(changing(db, delete("m3")), Unfinished).rest

    db.do(DeleteChat(workspace_id="acme", chat_id="c", now_ms=db.now_ms, caller="ann"), ChatDeleted)
    made = db.do(rest, ChangesMade)

    assert (made.deleted, made.late, made.waiting) == (1, 0, 0)
    assert findings(db) == []

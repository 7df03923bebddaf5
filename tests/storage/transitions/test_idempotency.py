"""Idempotency keys in the database: claimed once, answered once, forgotten after 48 hours."""

import pytest

from hookbundle.engine.errors import InvalidInput, NotFound
from hookbundle.engine.limits import REMEMBERED_MS
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.transitions.idempotency import AnswerRequest, Claimed, ClaimRequest
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.tests.storage.scratch import ScratchDatabase


def claim(
    db: ScratchDatabase, key: bytes = b"key", digest: bytes = b"body", ws: int = 1
) -> Claimed:
    transition = ClaimRequest(workspace_number=ws, key=key, digest=digest, now_ms=db.now_ms)
    return db.do(transition, Claimed)


def answer(db: ScratchDatabase, words: bytes, key: bytes = b"key") -> None:
    db.done(AnswerRequest(workspace_number=1, key=key, answer=words))


def assert_sound(db: ScratchDatabase) -> None:
    with db.env.read() as txn:
        assert not list(check(txn))


def test_a_repeat_gets_the_answer_that_was_given(db: ScratchDatabase) -> None:
    db.workspace()
    first = claim(db)
    answer(db, b"accepted 1")

    again = claim(db)

    assert (first.answer, again.answer) == (b"", b"accepted 1")
    assert_sound(db)


def test_a_request_that_was_never_answered_is_to_be_carried_out(db: ScratchDatabase) -> None:
    db.workspace()
    claim(db)

    db.reopen()

    assert claim(db) == Claimed(b"")


def test_another_body_is_refused_and_nothing_is_written(db: ScratchDatabase) -> None:
    db.workspace()
    claim(db)
    answer(db, b"accepted 1")
    before = db.dump()

    with pytest.raises(InvalidInput, match="another body"):
        claim(db, digest=b"other")

    assert {k: v for k, v in db.dump().items() if k != b"M"} == {
        k: v for k, v in before.items() if k != b"M"
    }


def test_another_body_is_refused_also_before_there_is_an_answer(db: ScratchDatabase) -> None:
    db.workspace()
    claim(db)
    db.reopen()

    with pytest.raises(InvalidInput, match="another body"):
        claim(db, digest=b"other")


def test_workspaces_have_their_keys_for_themselves(db: ScratchDatabase) -> None:
    db.workspace()
    other = db.workspace("other")
    claim(db)
    answer(db, b"accepted 1")

    assert claim(db, digest=b"other", ws=other) == Claimed(b"")


def test_a_key_is_remembered_for_48_hours_and_then_forgotten(db: ScratchDatabase) -> None:
    db.workspace()
    claim(db)
    answer(db, b"accepted 1")
    (row,) = db.dues(DueKind.REQUEST)

    db.now_ms += REMEMBERED_MS - 1
    remembered = claim(db)
    due_before = row.at_ms <= db.now_ms
    db.now_ms += 1
    db.group(Forget((row,), db.now_ms))

    assert remembered.answer == b"accepted 1"
    assert (due_before, row.at_ms) == (False, db.now_ms)
    assert claim(db, digest=b"other") == Claimed(b"")
    assert_sound(db)


def test_an_answer_to_a_forgotten_key_changes_nothing(db: ScratchDatabase) -> None:
    db.workspace()

    answer(db, b"accepted 1")

    assert claim(db) == Claimed(b"")


def test_in_a_workspace_that_is_gone_no_key_is_claimed(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        claim(db)

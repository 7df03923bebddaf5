"""Idempotency keys in the database: claimed once, answered once, forgotten after 48 hours."""

import pytest

from hookbundle.engine.errors import InvalidInput, NotFound
from hookbundle.engine.limits import REMEMBERED_MS
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.transitions.housekeeping import Forget
from hookbundle.storage.transitions.idempotency import AnswerRequest, Claimed, ClaimRequest
from hookbundle.tests.storage.scratch import House


def claim(house: House, key: bytes = b"key", digest: bytes = b"body", ws: int = 1) -> Claimed:
    transition = ClaimRequest(workspace_number=ws, key=key, digest=digest, now_ms=house.now_ms)
    return house.do(transition, Claimed)


def answer(house: House, words: bytes, key: bytes = b"key") -> None:
    house.done(AnswerRequest(workspace_number=1, key=key, answer=words))


def assert_sound(house: House) -> None:
    with house.env.read() as txn:
        assert not list(check(txn))


def test_a_repeat_gets_the_answer_that_was_given(house: House) -> None:
    house.workspace()
    first = claim(house)
    answer(house, b"accepted 1")

    again = claim(house)

    assert (first.answer, again.answer) == (b"", b"accepted 1")
    assert_sound(house)


def test_a_request_that_was_never_answered_is_to_be_carried_out(house: House) -> None:
    house.workspace()
    claim(house)

    house.reopen()

    assert claim(house) == Claimed(b"")


def test_another_body_is_refused_and_nothing_is_written(house: House) -> None:
    house.workspace()
    claim(house)
    answer(house, b"accepted 1")
    before = house.dump()

    with pytest.raises(InvalidInput, match="another body"):
        claim(house, digest=b"other")

    assert {k: v for k, v in house.dump().items() if k != b"M"} == {
        k: v for k, v in before.items() if k != b"M"
    }


def test_another_body_is_refused_also_before_there_is_an_answer(house: House) -> None:
    house.workspace()
    claim(house)
    house.reopen()

    with pytest.raises(InvalidInput, match="another body"):
        claim(house, digest=b"other")


def test_workspaces_have_their_keys_for_themselves(house: House) -> None:
    house.workspace()
    other = house.workspace("other")
    claim(house)
    answer(house, b"accepted 1")

    assert claim(house, digest=b"other", ws=other) == Claimed(b"")


def test_a_key_is_remembered_for_48_hours_and_then_forgotten(house: House) -> None:
    house.workspace()
    claim(house)
    answer(house, b"accepted 1")
    (row,) = house.dues(DueKind.REQUEST)

    house.now_ms += REMEMBERED_MS - 1
    remembered = claim(house)
    due_before = row.at_ms <= house.now_ms
    house.now_ms += 1
    house.group(Forget((row,), house.now_ms))

    assert remembered.answer == b"accepted 1"
    assert (due_before, row.at_ms) == (False, house.now_ms)
    assert claim(house, digest=b"other") == Claimed(b"")
    assert_sound(house)


def test_an_answer_to_a_forgotten_key_changes_nothing(house: House) -> None:
    house.workspace()

    answer(house, b"accepted 1")

    assert claim(house) == Claimed(b"")


def test_in_a_workspace_that_is_gone_no_key_is_claimed(house: House) -> None:
    with pytest.raises(NotFound):
        claim(house)

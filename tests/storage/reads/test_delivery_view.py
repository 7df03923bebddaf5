"""One delivery, whatever became of it: with its attempts, or as one that is no longer kept."""

import pytest

from hookbundle.engine.errors import Gone, NotFound
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.reads.delivery_view import DeliveryReads, DeliveryView
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.storage.deleting import delete_chat
from hookbundle.tests.storage.held import ids_of
from hookbundle.tests.storage.scratch import NEVER_MS, NO, OK, ScratchDatabase, failed


def id_of(db: ScratchDatabase, number: int, webhook: int = 1) -> str:
    return f"dlv_{db.env.identity.epoch}{webhook:08x}{number:012x}"


def shown(db: ScratchDatabase, number: int) -> DeliveryView:
    return DeliveryReads(db.env).delivery(id_of(db, number), in_full=True)


def trim(db: ScratchDatabase) -> None:
    """The history is trimmed of all that the logs do not show."""
    step = TrimHistory(
        workspace_number=1, before_ms=NEVER_MS, bytes_max=0, most=1_000, now_ms=db.now_ms
    )
    db.do(step, Trimmed)


def sent(db: ScratchDatabase, *message_ids: str, chat: str = "c") -> None:
    for message_id in message_ids:
        db.accept(message_id, chat=chat)
        db.attempt(OK)


def test_a_delivery_is_found_by_its_id_but_not_in_another_workspace(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.workspace("other")

    found = shown(db, 1)

    assert (found.workspace_id, found.webhook_id, ids_of(found.body)) == (
        "acme",
        "outbound",
        ["m1"],
    )
    with pytest.raises(NotFound) as refused:
        DeliveryReads(db.env).delivery(found.id, "other")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "wrong",
    ["", "dlv_", "test_0123", "{}", "dlv_{epoch}-0000001000000000001", "dlv_{epoch}0_00001"],
)
def test_a_malformed_delivery_id_is_not_found(db: ScratchDatabase, wrong: str) -> None:
    with pytest.raises(NotFound) as refused:
        DeliveryReads(db.env).delivery(wrong.replace("{epoch}", db.env.identity.epoch))
    assert not isinstance(refused.value, Gone)


def test_every_state_is_shown_with_its_attempts_oldest_first(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    db.attempt(failed())
    db.attempt(OK)
    for _ in range(3):
        db.attempt(NO)
    db.accept("m3")

    states = [shown(db, number).delivery.state for number in (1, 2, 3)]
    outcomes = [
        [attempt.result.outcome for attempt in shown(db, number).attempts if attempt.result]
        for number in (1, 2, 3)
    ]

    assert states == ["delivered", "dead_letter", "queued"]
    assert outcomes == [["failed", "delivered"], ["rejected"] * 3, []]
    assert [attempt.number for attempt in shown(db, 2).attempts] == [1, 2, 3]


def test_of_more_than_a_hundred_attempts_the_newest_are_shown(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    for attempt in range(103):
        if attempt % 10 == 9:
            db.enable()
        db.attempt(failed(f"error {attempt + 1}"))

    kept = shown(db, 1).attempts

    assert [each.number for each in kept] == list(range(4, 104))
    assert [each.result.error for each in kept if each.result][::99] == ["error 4", "error 103"]


def test_a_damaged_attempt_keeps_its_place(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    for _ in range(2):
        db.attempt(failed())
    key = keyspace.of_delivery(keyspace.ATTEMPTS, 1, 1, 1)
    with db.env.write() as txn:
        txn.put(key, b"\x00damaged")

    first, second = shown(db, 1).attempts

    assert (first.number, first.result) == (1, None)
    assert second.number == 2
    assert isinstance(second.result, Attempt)
    assert codec.readable(key, db.dump()[key], Attempt) is None


def test_a_trimmed_delivery_is_gone_and_one_to_come_is_not_known(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    sent(db, *(f"m{number}" for number in range(120)))
    db.retention = Retention(history_bytes=0)
    trim(db)
    db.retention = KEEP_ALL

    with pytest.raises(Gone) as gone:
        shown(db, 1)
    with pytest.raises(NotFound) as unknown:
        shown(db, 121)

    assert (gone.value.status, gone.value.code) == (410, "delivery_trimmed")
    assert unknown.value.status == 404
    assert shown(db, 120).delivery.state == "delivered"
    of_another_epoch = id_of(db, 1).replace(db.env.identity.epoch, "0" * 10)
    with pytest.raises(NotFound) as foreign:
        DeliveryReads(db.env).delivery(of_another_epoch)
    assert foreign.value.status == 404


def test_a_deleted_chats_delivery_is_gone_before_it_is_erased(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    sent(db, "m1")
    delete_chat(db, "c")
    sent(db, "m2")

    assert db.delivery(1) is not None
    with pytest.raises(Gone):
        shown(db, 1)
    assert shown(db, 2).delivery.state == "delivered"

"""What became of a message: every answer."""

import msgspec

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.messages.became import (
    Became,
    BecameCode,
)
from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.erasing import DeleteChat
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.tests.storage.populated import named
from hookbundle.tests.storage.reads.paths.asked import code, path, whole
from hookbundle.tests.storage.scratch import (
    HOUR_MS,
    NO,
    OK,
    START_MS,
    ScratchDatabase,
    failed,
    incoming,
)
from hookbundle.tests.storage.transitions.acting import discard
from hookbundle.tests.storage.transitions.repeating.again import delivered, resend

SECOND_MS = 1_000


def trim(db: ScratchDatabase) -> None:
    everything = {"before_ms": db.now_ms, "bytes_max": 0, "most": 1_000, "now_ms": db.now_ms}
    # What the detailed log shows would stay.
    for number in range(120):
        db.accept(f"later{number}", chat="other")
        db.attempt(OK)
    db.group(TrimHistory(workspace_number=1, **everything))


# ---- answers


def test_a_message_is_collected_then_queued_then_sent_then_delivered(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")
    seen = [code(db, "m1")]
    db.seal()
    seen.append(code(db, "m1"))
    begun = db.begun()
    seen.append(code(db, "m1"))
    db.finish(begun, OK)
    seen.append(code(db, "m1"))

    assert seen == ["collecting", "queued", "sending", "delivered"]


def test_a_resend_is_told_and_one_that_failed_takes_no_delivery_back(db: ScratchDatabase) -> None:
    delivered(db, "m1")
    seen = [code(db, "m1")]
    resend(db, 1)
    seen.append(code(db, "m1"))
    for _ in range(3):
        begun = db.begun()
        seen.append(code(db, "m1"))
        db.finish(begun, NO)
        db.wait()

    assert seen == ["delivered", *["delivered.resending"] * 4]
    failed_again = path(db, "m1").became
    assert failed_again is not None
    assert failed_again.code is BecameCode.RESEND_FAILED
    assert (failed_again.at_ms, failed_again.error) == (START_MS, "status 404")
    resend(db, 1)
    db.attempt(OK)
    assert code(db, "m1") == "delivered"


def test_an_attempt_whose_daemon_has_died_is_not_being_made(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.begun()

    after = Moment(db.now_ms + SECOND_MS, alive_since_ms=db.now_ms + 1)
    found = whole(MessagePaths(db.env).path("acme", "c", "m1", after))

    assert found.became == Became(code=BecameCode.QUEUED, at_ms=START_MS)


def test_all_behind_a_failing_head_are_held_with_the_last_error(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    db.attempt(failed("dns: no such host"))

    for message in ("m1", "m2"):
        became = path(db, message).became
        assert became is not None
        assert (became.code, became.error) == (BecameCode.BACKING_OFF, "dns: no such host")
        assert became.next_ms > db.now_ms


def test_what_a_command_for_all_discards_says_by_whom_before_and_after_it_is_moved(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    db.disable()
    db.now_ms += SECOND_MS
    db.enable(discard=True)

    before = path(db, "m1").became
    db.now_ms += SECOND_MS
    db.group(MoveDeliveries(webhook=1, most=100, now_ms=db.now_ms))
    after = path(db, "m2").became

    told = Became(
        code=BecameCode.DISCARDED,
        at_ms=START_MS + SECOND_MS,
        by="test",
        reason="enabled with discard",
    )
    assert before == told
    assert after == msgspec.structs.replace(told, at_ms=START_MS + 2 * SECOND_MS)


def test_a_person_s_reason_stays_with_what_was_discarded(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    discard(db, 1)

    became = path(db, "m1").became

    assert became is not None
    assert (became.by, became.reason) == ("ann", "the customer has left")


def test_what_an_earlier_version_discarded_says_that_nobody_knows(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    with db.unit() as unit:
        webhook = unit.workspace("acme").outbound
        delivery = queue.find(unit, 1, 1)
        assert delivery is not None
        queue.end(unit, webhook, delivery, DeliveryState.DISCARDED, db.now_ms)

    assert code(db, "m1") == "discarded.by_somebody"


def test_a_message_that_was_skipped_is_none_that_never_came(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1", skipped=("s1",))

    found = path(db, "s1")

    assert code(db, "s1") == "skipped.attachment"
    assert [each.code.value for each in found.came] == ["skipped.attachment"]
    assert code(db, "s2") == "never_came"


def test_a_message_that_came_again_is_what_became_of_the_first(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.attempt(OK)
    db.now_ms += SECOND_MS
    db.accept("m1")
    db.now_ms += SECOND_MS
    db.accept(incoming("m1", text="another"))

    found = path(db, "m1")

    assert found.became is not None
    assert found.became.code is BecameCode.DELIVERED
    assert [(each.code.value, each.at_ms - START_MS) for each in found.came] == [
        ("duplicate.differs", 2 * SECOND_MS),
        ("duplicate", SECOND_MS),
    ]


def test_a_message_whose_delivery_was_trimmed_did_come(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.attempt(OK)
    db.now_ms += HOUR_MS
    trim(db)

    found = path(db, "m1")

    assert code(db, "m1") == "trimmed"
    assert found.group is None
    assert found.known.history_ms is not None
    assert found.known.history_ms > START_MS


def test_a_chat_that_was_deleted_shows_that_alone(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", skipped=("s1",))
    db.accept("m1")
    db.now_ms += SECOND_MS
    db.group(DeleteChat(**named(db), chat_id="c"))  # its records are still to be erased

    for message in ("m1", "s1", "m9"):
        found = path(db, message)
        assert found.became == Became(code=BecameCode.DELETED, at_ms=db.now_ms, by="t")
        assert (found.group, found.came) == (None, ())


def test_a_chat_that_began_anew_shows_what_came_after_its_deletion(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.group(DeleteChat(**named(db), chat_id="c"))
    db.now_ms += SECOND_MS
    db.accept("m1", skipped=("s1",))

    assert (code(db, "m1"), code(db, "s1")) == ("queued", "skipped.attachment")
    assert code(db, "m0") == "deleted"


def test_the_newest_of_two_with_one_id_is_shown(db: ScratchDatabase) -> None:
    """An id that is forgotten may come as another message."""
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.attempt(OK)
    with db.unit() as unit:
        record = unit.chat(1, b"c")
        assert record is not None
        record.seen = record.texts = b""
    db.accept("m1")

    assert code(db, "m1") == "queued"


def test_the_attempts_are_there_with_their_answers(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1", "m2")
    db.seal()
    for _ in range(3):
        db.attempt(NO)

    found = path(db, "m2")

    assert [each.number for each in found.attempts] == [1, 2, 3]
    assert [each.result.status for each in found.attempts if each.result] == [404] * 3
    assert found.group is not None
    assert [each.message_id for each in found.group.messages] == ["m2"]
    assert found.group.count == 2

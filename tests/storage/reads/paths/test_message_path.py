"""What became of a message: every answer, and how far it was looked for."""

import msgspec
import pytest

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.messages.became import (
    ADVICE,
    GAPS_OF_TIME,
    SENTENCES,
    Became,
    BecameCode,
    sentence,
    values_of,
    what_of,
)
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Chunk
from hookbundle.storage.database.records import Meta, Usage
from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.message_path import MessagePath, MessagePaths
from hookbundle.storage.tables import queue
from hookbundle.storage.transitions.erasing import DeleteChat
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.tests.storage.populated import change, named, put
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

SECOND_MS = 1_000


def path(db: ScratchDatabase, message: str, chat: str = "c", **bounds: int) -> MessagePath:
    return MessagePaths(db.env, **bounds).path("acme", chat, message, Moment(db.now_ms))


def code(db: ScratchDatabase, message: str, chat: str = "c") -> str:
    became = path(db, message, chat).became
    assert became is not None
    return became.code.value


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


def test_an_attempt_whose_daemon_has_died_is_not_being_made(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    db.begun()

    after = Moment(db.now_ms + SECOND_MS, alive_since_ms=db.now_ms + 1)
    found = MessagePaths(db.env).path("acme", "c", "m1", after)

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


# ---- how far it looks


def test_a_search_that_is_not_over_says_so_and_goes_on(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(9)))
    paths = MessagePaths(db.env, rows_most=4)
    answers, position = [], b""

    while True:
        found = paths.path("acme", "c", "m0", Moment(db.now_ms), position)
        answers.append(found.became and found.became.code.value)
        if found.position is None:
            break
        assert found.searched_to_ms == START_MS
        position = found.position

    assert answers == [None, None, "queued"]


def test_only_a_search_that_is_over_says_that_a_message_never_came(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(9)))
    for number in range(9):
        db.accept(skipped=(f"s{number}",))

    paths = MessagePaths(db.env, rows_most=4)
    first = paths.path("acme", "c", "s0", Moment(db.now_ms))
    assert first.became is None
    position = first.position
    steps = 0
    while position is not None:
        found = paths.path("acme", "c", "s0", Moment(db.now_ms), position)
        position, steps = found.position, steps + 1

    assert steps > 2
    assert found.became is not None
    assert found.became.code is BecameCode.ATTACHMENT


def test_what_was_found_ends_a_search_before_all_was_looked_at(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for number in range(9):
        db.accept(skipped=(f"s{number}",))

    found = path(db, "s8", rows_most=4)

    assert found.became is not None
    assert (found.became.code, found.position) == (BecameCode.ATTACHMENT, None)


def test_a_message_that_comes_while_it_is_looked_for_was_not_trimmed(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(9)))
    paths = MessagePaths(db.env, rows_most=5)
    first = paths.path("acme", "c", "late", Moment(db.now_ms))
    assert first.position is not None

    db.accept("late")
    second = paths.path("acme", "c", "late", Moment(db.now_ms), first.position)

    assert second.became is not None
    assert second.became.code is BecameCode.QUEUED


def test_a_body_that_is_damaged_hides_no_other(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    key = keyspace.of_delivery(keyspace.BODIES, 1, 2, 0)
    put(db, key, b"\x01garbage")

    assert code(db, "m1") == "queued"
    put(db, key, Chunk(body=b"not json"))
    assert code(db, "m1") == "queued"


@pytest.mark.parametrize("message", ['"', "\\", '","message_id":"m2', "ä", "m"])
def test_an_id_is_found_as_a_whole_and_only_where_it_is_one(
    db: ScratchDatabase, message: str
) -> None:
    db.workspace(aggregation_ms=0)
    quoting = incoming("m2", text=f'it was "message_id":"{message}"')
    db.accept(quoting, chat="quoting")
    db.accept(message, chat="having")

    assert code(db, message, "having") == "queued"
    assert code(db, message, "quoting") == "never_came"


def test_a_database_of_an_earlier_version_does_not_say_since_when_it_knows(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept("m1")
    assert path(db, "m9").known.history_ms == path(db, "m9").known.feed_ms == START_MS
    change(db, keyspace.META, Meta, feed_found_from=0)
    change(db, keyspace.owned(keyspace.USAGES, 1), Usage, trimmed_ms=-1)

    found = path(db, "m9")

    assert (found.known.history_ms, found.known.feed_ms) == (None, None)
    db.now_ms += SECOND_MS
    db.accept("m2")
    assert path(db, "m9").known.feed_ms == db.now_ms


# ---- the words


def test_every_answer_has_one_sentence_and_all_that_it_tells() -> None:
    assert set(SENTENCES) == set(BecameCode)
    assert set(ADVICE) < set(BecameCode)
    for each in BecameCode:
        told = sentence(Became(code=each, by="ann", reason="why", error="e"), str)
        assert "{" not in told
        assert what_of(each) == each.value.partition(".")[0]
    gaps = set(values_of(Became(code=BecameCode.QUEUED), str))
    assert gaps >= {*GAPS_OF_TIME, "status", "error", "by", "reason"}

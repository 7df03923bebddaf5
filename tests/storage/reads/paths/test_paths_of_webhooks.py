"""A message that several webhooks got: what became of it at each of them."""

import msgspec
import pytest

from hookbundle.engine.messages.became import BecameCode
from hookbundle.storage.database.codec import StoredFact
from hookbundle.storage.reads.paths import chat_facts
from hookbundle.storage.reads.paths.asking import Moment, Span
from hookbundle.storage.reads.paths.chat_history import ChatHistory
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.tests.storage.reads.paths.asked import path, told, whole
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, seal_only


@pytest.fixture
def three(db: ScratchDatabase) -> ScratchDatabase:
    """`m1` is in crm's window, delivered to outbound, and a dead letter of phone."""
    db.workspace()
    add_webhook(db, "acme", "crm", aggregation_ms=9 * HOUR_MS)
    phone = add_webhook(db, "acme", "phone", aggregation_ms=0)
    db.accept("m1")
    for _ in range(3):
        db.attempt(NO, phone)
    db.accept("m2")
    seal_only(db, "outbound")
    db.attempt(OK)
    return db


def test_each_webhook_has_its_line_and_outbound_is_the_first(three: ScratchDatabase) -> None:
    found = path(three, "m1")

    assert told(found) == [
        ("outbound", "delivered"),
        ("crm", "collecting"),
        ("phone", "dead_letter.rejected"),
    ]
    assert found.group is not None
    assert (found.group.webhook, found.became) == ("outbound", found.group.became)
    assert [len(each.attempts) for each in found.webhooks] == [1, 0, 3]
    assert found.position is None


def test_a_workspace_with_one_webhook_has_no_lines(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")

    assert path(db, "m1").webhooks == ()


def test_a_webhook_that_did_not_get_it_has_no_line(three: ScratchDatabase) -> None:
    add_webhook(three, "acme", "late")

    assert [name for name, _ in told(path(three, "m1"))] == ["outbound", "crm", "phone"]


def test_where_only_another_webhook_has_it_that_is_the_answer(three: ScratchDatabase) -> None:
    three.accept("m3", chat="other")
    seal_only(three, "outbound", chat="other")
    add_webhook(three, "acme", "late")

    found = path(three, "m3", chat="other")

    assert [name for name, _ in told(found)] == ["outbound", "crm", "phone"]


def test_the_search_for_the_others_ends_at_the_time_when_it_came(db: ScratchDatabase) -> None:
    """A webhook that never got it does not make each answer read all of the chat's past."""
    db.workspace(aggregation_ms=0)
    for number in range(30):
        db.accept(f"old{number}")
        db.now_ms += 100 * HOUR_MS
    add_webhook(db, "acme", "crm", aggregation_ms=0)
    with db.unit() as unit:  # what crm gets is not kept, as if a filter had dropped it
        before = unit.workspace("acme")
        crm = before.named("crm")
        unit.keep_settings(before.with_leaving(msgspec.structs.replace(crm, deleted_ms=1)))
    db.accept("m1")
    with db.unit() as unit:
        unit.keep_settings(before)

    found = path(db, "m1", rows_most=6)

    assert told(found) == [("outbound", "queued")]
    assert found.position is None


def test_a_search_in_many_answers_finds_each_webhook_once(three: ScratchDatabase) -> None:
    """In answers of one record each."""
    for number in range(12):
        three.accept(f"n{number}")
    paths = MessagePaths(three.env, rows_most=1)
    found, position = dict[str, str](), b""
    first = None
    for _ in range(100):
        answer = whole(paths.path("acme", "c", "m1", Moment(three.now_ms), position))
        first = first or answer.became
        for name, code in told(answer):
            assert name not in found
            found[name] = code
        assert answer.became is None or answer.became.code is not BecameCode.NEVER_CAME
        if answer.position is None:
            break
        position = answer.position

    assert first is not None
    assert set(found) == {"outbound", "crm", "phone"}


def test_a_history_names_the_webhook_of_each_group(three: ScratchDatabase) -> None:
    page = whole(ChatHistory(three.env).page("acme", "c", Span(), Moment(three.now_ms), 100))

    groups = [(group.webhook, [each.message_id for each in group.messages]) for group in page.found]
    assert sorted(groups) == [
        ("crm", ["m1", "m2"]),
        ("outbound", ["m1", "m2"]),
        ("phone", ["m1"]),
        ("phone", ["m2"]),
    ]


def test_what_full_webhooks_and_filters_kept_out_is_told() -> None:
    data = {
        "accepted": ["m1", "m2", "m3"],
        "duplicates": [],
        "skipped": [],
        "unrouted": ["m3"],
        "overflowed": {"crm": ["m1", "m2"], "phone": ["m2"]},
    }
    fact = StoredFact("message.received", 7, "acme", "c", data)

    found = [(each.code, each.webhook, ids) for each, ids in chat_facts.told_by(fact)]

    assert found == [
        (BecameCode.UNROUTED, "", ("m3",)),
        (BecameCode.OVERFLOWED, "crm", ("m1", "m2")),
        (BecameCode.OVERFLOWED, "phone", ("m2",)),
    ]

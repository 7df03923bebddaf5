"""Webhooks that did not get a message: each has a line that says why."""

from typing import Any

import msgspec

from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.storage.reads.paths.asked import commits, path, told, whole
from hookbundle.tests.storage.reads.paths.conftest import ONLY_VIP
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.webhooks import add_webhook, leave, seal_only

VIP: dict[str, Any] = {"extra": b'{"labels":["vip"]}'}
SECOND_MS = 1_000


def test_a_webhook_whose_filter_did_not_keep_it_has_a_line_that_says_so(
    acme: ScratchDatabase,
) -> None:
    at_ms = acme.now_ms
    acme.accept(incoming("m1", **VIP))
    commits(acme, 3)

    found = path(acme, "m1")

    assert told(found) == [("outbound", "collecting"), ("price", "filtered"), ("vip", "collecting")]
    line = found.webhooks[1]
    assert line.group.became == Became(code=BecameCode.FILTERED, at_ms=at_ms, webhook="price")
    assert (line.group.delivery_id, line.group.count, line.attempts) == ("", 1, ())
    assert [each.message_id for each in line.group.messages] == ["m1"]


def test_each_message_of_a_request_has_its_own_answer(acme: ScratchDatabase) -> None:
    acme.accept(incoming("m1", **VIP), "m2", incoming("m3", text="price"))

    lines = {each: dict(told(path(acme, each))) for each in ("m1", "m2", "m3")}

    dropped = {each: [n for n, code in lines[each].items() if code == "filtered"] for each in lines}
    assert dropped == {"m1": ["price"], "m2": ["price", "vip"], "m3": ["vip"]}


def test_the_filter_of_that_moment_is_told_and_not_the_present_one(acme: ScratchDatabase) -> None:
    acme.accept("m1")
    acme.now_ms += SECOND_MS
    add_webhook(acme, "acme", "price", filter=b"")

    assert ("price", "filtered") in told(path(acme, "m1"))


def test_it_is_told_of_what_was_sealed_too_and_outbound_may_be_the_one(db: ScratchDatabase) -> None:
    db.workspace(filter=ONLY_VIP)
    add_webhook(db, "acme", "crm")
    db.accept("m1")
    commits(db, 5)
    seal_only(db, "crm")

    found = path(db, "m1")

    assert told(found) == [("outbound", "filtered"), ("crm", "queued")]
    assert found.became is not None
    assert (found.became.code, found.group and found.group.webhook) == (BecameCode.QUEUED, "crm")


def test_a_full_webhook_has_a_line_as_well(acme: ScratchDatabase) -> None:
    acme.disable("acme")
    acme.quota = Quota(messages_max=0)
    acme.accept(incoming("m1", **VIP))

    by_a_person = ("outbound", "overflowed.disabled_by_a_person")
    assert told(path(acme, "m1")) == [by_a_person, ("price", "filtered"), ("vip", "collecting")]


def test_a_webhook_that_was_made_later_has_no_line(acme: ScratchDatabase) -> None:
    """Not even if one with its id dropped the message before."""
    acme.accept("m1")
    acme.now_ms += SECOND_MS
    leave(acme, "acme", "vip")
    add_webhook(acme, "acme", "vip")
    add_webhook(acme, "acme", "late", filter=ONLY_VIP)

    assert told(path(acme, "m1")) == [("outbound", "collecting"), ("price", "filtered")]


def test_what_the_feed_keeps_no_more_is_not_told(acme: ScratchDatabase) -> None:
    at_ms = acme.now_ms
    acme.accept("m1")
    acme.retention = Retention(feed_ms=HOUR_MS)
    acme.now_ms += 2 * HOUR_MS
    commits(acme, 5)

    found = path(acme, "m1")

    assert told(found) == [("outbound", "collecting")]
    assert found.known.feed_ms is not None
    assert found.known.feed_ms > at_ms


def test_a_fact_of_an_earlier_version_says_nothing_of_filters(acme: ScratchDatabase) -> None:
    acme.accept("m1")
    with acme.unit() as unit:
        for key, value in list(unit.rows(keyspace.FEED)):
            row = codec.unpack(key, value, FeedRow)
            facts = codec.unpack_events(row.events)
            for fact in facts:
                fact["data"].pop("filtered", None)
            packed = [msgspec.msgpack.encode(fact) for fact in facts]
            unit.put(key, FeedRow(row.at_ms, row.count, codec.pack_array(packed), row.owners))

    assert told(path(acme, "m1")) == [("outbound", "collecting")]


def test_a_search_in_many_answers_has_the_lines_in_the_first_that_finds_it(
    acme: ScratchDatabase,
) -> None:
    acme.accept(incoming("m1", **VIP))
    for name in ("outbound", "vip"):
        acme.now_ms += SECOND_MS
        seal_only(acme, name)
    paths, position = MessagePaths(acme.env, rows_most=1), b""
    lines = []
    for _ in range(20):
        answer = whole(paths.path("acme", "c", "m1", Moment(acme.now_ms), position))
        lines += told(answer)
        if answer.position is None:
            break
        position = answer.position

    assert sorted(lines) == [("outbound", "queued"), ("price", "filtered"), ("vip", "queued")]

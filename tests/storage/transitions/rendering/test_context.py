"""What stands beside a sealed body for its format: id, sequence, previous one, part, link, zone."""

import pytest

from hookbundle.engine.delivery.outcomes import Delivered
from hookbundle.engine.formats.jobs import BundleFacts, Job
from hookbundle.storage.transitions.timed.merge_steps import Merged, MergeStep
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.tests.storage.deleting import delete_chat, erase
from hookbundle.tests.storage.scratch import HOUR_MS, OK, PRODUCT, ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.rendering.rendered import NOTE, asked, begun
from hookbundle.tests.storage.webhooks import add_webhook


def facts_of_all(db: ScratchDatabase) -> list[BundleFacts]:
    """Of all that waits, in the order in which it is sent."""
    found = []
    while db.view().state.queued:
        found.append(asked(db).job.bundle)
        db.finish(begun(db), Delivered(200))
    return found


def seal(db: ScratchDatabase, *chats: str) -> None:
    for chat in chats:
        db.accept(f"m{db.now_ms}", chat=chat)
        db.seal(chat)
        db.now_ms += 1_000


def test_it_has_the_settings_of_its_webhook_and_the_zone_of_its_workspace(
    db: ScratchDatabase,
) -> None:
    options = b'{"owner":"7"}'
    db.workspace(format=NOTE, format_options=options, bytes_max=50_000, time_zone="Asia/Jerusalem")
    extra = b'{"labels":["vip"]}'
    db.accept(incoming("m1", extra=extra))
    db.seal()

    job = asked(db).job

    assert isinstance(job, Job)
    assert (job.format, job.options, job.bytes_max) == (NOTE, options, 50_000)
    assert (job.extra, job.zone) == (extra, "Asia/Jerusalem")
    assert job.bundle.is_bundle
    assert job.bundle.reason == "flush"


def test_the_sequence_rises_and_the_previous_one_is_that_of_the_same_chat(
    db: ScratchDatabase,
) -> None:
    db.workspace(format=NOTE)
    seal(db, "a", "b", "a", "a", "b")

    first, other, second, third, other_second = facts_of_all(db)

    every = [first, other, second, third, other_second]
    assert [each.sequence for each in every] == sorted({each.sequence for each in every})
    assert (first.previous_id, other.previous_id) == ("", "")
    assert (second.previous_id, third.previous_id) == (first.id, second.id)
    assert other_second.previous_id == other.id


def test_the_previous_one_is_of_the_same_webhook(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    add_webhook(db, "acme", "crm", format=NOTE)
    seal(db, "a", "a")

    before, now = facts_of_all(db)

    assert now.previous_id == before.id


def test_of_a_merged_one_it_is_the_id_that_has_its_messages_now(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    seal(db, "a", "a")
    ask = MergeWebhook(workspace_id="acme", now_ms=db.now_ms, caller="ann")
    db.do(ask, MergeBegun)
    while not db.do(MergeStep(1, 500, db.now_ms, PRODUCT), Merged).finished:
        pass
    seal(db, "a")

    merged, after = facts_of_all(db)

    assert (merged.reason, merged.previous_id) == ("merge", "")
    assert after.previous_id == merged.id
    assert after.sequence > merged.sequence


def test_after_the_chat_was_deleted_there_is_none_before(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE)
    seal(db, "a")
    delete_chat(db, "a")
    erase(db)
    seal(db, "a")

    assert facts_of_all(db)[0].previous_id == ""


def test_parts_are_counted_within_one_window(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE, messages_max=2)
    db.accept(*(f"m{n}" for n in range(5)))
    db.seal()
    db.accept("later")
    db.seal()

    found = [(each.reason, each.part) for each in facts_of_all(db)]

    assert found == [("size", 1), ("size", 2), ("flush", 3), ("flush", 1)]


def test_what_opens_after_the_end_of_the_window_begins_at_one(db: ScratchDatabase) -> None:
    db.workspace(format=NOTE, messages_max=2)
    db.accept("m1", "m2")
    db.now_ms += HOUR_MS
    db.accept("m3", "m4")

    assert [each.part for each in facts_of_all(db)] == [1, 1]


@pytest.mark.parametrize("permalink", ["", "https://app.example/m/1"])
def test_a_single_message_keeps_its_link(db: ScratchDatabase, permalink: str) -> None:
    db.workspace(format=NOTE, aggregation_ms=0)
    db.accept(incoming("m1", permalink=permalink))

    job = asked(db).job

    assert job.permalink == permalink
    assert (job.bundle.is_bundle, job.bundle.reason, job.bundle.part) == (False, "single", 1)
    db.finish(begun(db), OK)

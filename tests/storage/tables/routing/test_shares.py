"""What a webhook may hold of each kind, and how its share follows the number of webhooks."""

import pytest

from hookbundle.engine.delivery.outcomes import Delivered
from hookbundle.engine.errors import QuotaReached
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.webhooks.lifetime import DeleteWebhook, WebhookDeleted
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.tables.routing.webhooks import disable, enable, holds, webhook


@pytest.mark.parametrize("quota", [Quota(waiting_messages_max=9), Quota(waiting_bytes_max=2)])
def test_what_waits_of_an_enabled_webhook_is_bounded_for_each(
    db: ScratchDatabase, quota: Quota
) -> None:
    """`crm` holds four; the other one has delivered all it had."""
    db.workspace(aggregation_ms=0)
    webhook(db, "crm")
    for number in range(4):
        db.accept(f"m{number}")
        db.attempt(Delivered(200))
    db.quota = quota

    assert db.accept("m4").overflowed == 1
    assert (holds(db, "outbound"), holds(db, "crm")) == (1, 4)


def test_the_chats_with_an_open_window_are_bounded_for_each(db: ScratchDatabase) -> None:
    db.workspace()
    webhook(db, "crm", aggregation_ms=0)
    db.quota = Quota(waiting_chats_max=4)
    db.accept("m1", chat="a")
    db.accept("m2", chat="b")

    assert db.accept("m3", chat="c").overflowed == 1
    assert db.accept("m4", chat="a").overflowed == 0  # its window is open already
    assert holds(db, "outbound") == 3
    (full,) = db.events("webhook.full")
    assert (full["webhook"], full["data"]["reason"]) == ("outbound", "chats_full")
    webhook(db, "crm", aggregation_ms=HOUR_MS)
    db.accept("m5", chat="a")
    assert db.accept("m6", chat="d").overflowed == 1
    with pytest.raises(QuotaReached, match="the messages of 2 chats, of at most 2"):
        db.accept("m7", chat="e")


def test_a_share_shrinks_when_a_webhook_is_made_and_grows_when_one_is_deleted(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.quota = Quota(waiting_messages_max=6)
    db.accept("m1", "m2", "m3", "m4")

    webhook(db, "crm")
    accepted = db.accept("m5")

    assert (accepted.overflowed, holds(db, "outbound"), holds(db, "crm")) == (1, 4, 1)
    db.do(
        DeleteWebhook(
            workspace_id="acme",
            webhook_id="crm",
            precondition=None,
            now_ms=db.now_ms,
            caller="test",
        ),
        WebhookDeleted,
    )
    assert db.accept("m6").overflowed == 0  # the one being erased has no share
    assert holds(db, "outbound") == 5


@pytest.mark.parametrize("kept", ["all", "one"])
def test_a_message_that_only_a_full_webhook_wants_is_refused_with_all_of_its_request(
    db: ScratchDatabase, kept: str
) -> None:
    """The other webhook has room, and wants one of the two messages, or both."""
    db.workspace()
    text = b'{"text_contains":["wanted"]}' if kept == "one" else b""
    webhook(db, "crm", filter=text)
    disable(db, "outbound")
    db.quota = Quota(messages_max=0)
    messages = (incoming("m1", text="wanted"), incoming("m2", text="else"))

    if kept == "all":
        assert db.accept(*messages).overflowed == 2
        assert holds(db, "crm") == 2
        return
    before = holds(db, "crm")
    with pytest.raises(QuotaReached, match="webhook 'outbound'"):
        db.accept(*messages)
    assert (holds(db, "crm"), db.reads.meta().totals.overflowed) == (before, 0)
    assert db.accept(messages[0]).overflowed == 1
    enable(db, "outbound")
    assert db.accept(messages[1]).overflowed == 0


def test_a_full_webhook_that_does_not_want_a_message_does_not_miss_it(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    webhook(db, "crm", filter=b'{"text_contains":["wanted"]}')
    disable(db, "crm")
    db.quota = Quota(messages_max=0)

    accepted = db.accept(incoming("m1", text="else"))

    assert (accepted.accepted, accepted.overflowed, accepted.unrouted) == (1, 0, 0)
    assert db.view().named("crm").state.full_ms == 0

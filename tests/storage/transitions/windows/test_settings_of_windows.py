"""Windows as a setting: a length or a rule, never both, and what is told of a change."""

from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, QuotaReached
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.windows.ruled import FIRST, HOUR_MS, ruled, window
from hookbundle.tests.storage.webhooks import add_webhook, leave

QUIET = window({"quiet": "10m"})


def webhook(db: ScratchDatabase) -> Webhook:
    return db.view().webhook


def changes(db: ScratchDatabase) -> dict[str, Any]:
    """What the newest change of settings was told as."""
    told: dict[str, Any] = db.events("workspace.changed")[-1]["data"]["changes"]
    return told


def test_a_rule_takes_the_place_of_a_length_and_a_length_that_of_a_rule(
    db: ScratchDatabase,
) -> None:
    db.workspace()

    db.change("acme", window=QUIET)
    by_rule = (webhook(db).aggregation_ms, webhook(db).window, webhook(db).collects)
    told_rule = changes(db)
    db.change("acme", aggregation_ms=2 * HOUR_MS)
    by_length = (webhook(db).aggregation_ms, webhook(db).window)
    told_length = changes(db)
    db.change("acme", window=QUIET)
    db.change("acme", aggregation_ms=0)

    assert by_rule == (0, QUIET, True)
    assert told_rule == {"window": '{"quiet":"10m"}'}
    assert by_length == (2 * HOUR_MS, b"")
    assert told_length == {"aggregation_ms": 2 * HOUR_MS}
    assert (webhook(db).window, webhook(db).collects) == (b"", False)
    assert changes(db) == {"aggregation_ms": 0}


def test_the_same_rule_again_changes_nothing(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.accept("a", "b")
    version = db.view().settings.version

    db.change("acme", window=window(FIRST))
    db.change("acme", name="Acme")

    assert db.view().settings.version == version + 1
    assert [row.kind.name for row in db.dues()] == ["WINDOW"]


def test_the_activity_says_what_the_rule_is(db: ScratchDatabase) -> None:
    db.workspace()

    db.change("acme", window=QUIET)

    (line, *_) = db.reads.activity("acme")
    assert line.detail == 'window {"quiet":"10m"}, by test'


def test_words_of_rules_count_among_those_of_all_filters(db: ScratchDatabase) -> None:
    db.workspace()
    words = [f"word {number}" for number in range(limits.FILTER_WORDS_OF_ALL_MAX)]
    match = [{"text_contains": words[at : at + 20]} for at in range(0, len(words), 20)]
    rules = [{"match": each, "window": "none"} for each in match]
    full = window({"rules": rules, "else": {"every": "1h"}})

    db.change("acme", window=full)
    with pytest.raises(Conflict) as refused:
        add_webhook(db, "acme", "crm", filter=b'{"text_contains":"one more"}')
    db.change("acme", window=QUIET)
    add_webhook(db, "acme", "crm", filter=b'{"text_contains":"one more"}')
    with pytest.raises(Conflict):
        db.change("acme", window=full)

    assert refused.value.code is Code.TOO_MANY_WORDS


def test_what_waits_of_a_webhook_by_rule_can_be_merged(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.disable()
    for message_id in ("a", "b"):
        db.accept(message_id)
        db.seal()
    merge = MergeWebhook(workspace_id="acme", now_ms=db.now_ms, caller="test")

    assert db.do(merge, MergeBegun).deliveries == 2

    db.change("other", url="https://r.example", aggregation_ms=0)
    with pytest.raises(Conflict):
        db.do(MergeWebhook(workspace_id="other", now_ms=db.now_ms, caller="test"), MergeBegun)


def test_an_empty_window_is_one_of_those_that_a_workspace_may_have(db: ScratchDatabase) -> None:
    ruled(db, FIRST)
    db.quota = Quota(waiting_chats_max=1)
    db.accept("a")

    with pytest.raises(QuotaReached):
        db.accept("b", chat="d")
    db.accept("c")

    assert db.view().state.windows == 1


def test_nothing_of_its_rules_is_left_of_a_deleted_webhook(db: ScratchDatabase) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm", window=window({"quiet": "10m", "first": "now"}))
    db.accept("a")

    leave(db, "acme", "crm")

    with db.unit() as unit:
        (gone,) = unit.workspace("acme").leaving
    assert (gone.id, gone.window) == ("crm", b"")

"""The events of the feed are a contract: their types, their fields and their documentation."""

import runpy
from pathlib import Path

import msgspec
import pytest

from hookbundle.storage import facts
from hookbundle.storage.daemon_facts import Fact, type_of
from hookbundle.storage.database import codec, feed_rows
from hookbundle.storage.facts import all_facts

DOCS = Path(__file__).resolve().parents[2] / "docs"

NESTED = {"SkippedMessage"}  # what stands in a fact, and is none

# Clients read these names. A change here breaks the contract with them.
DATA = {
    "message.received": [
        *("accepted", "duplicates", "skipped", "due", "buffered", "held", "differs", "overflowed"),
        *("unrouted", "filtered", "window_of"),
    ],
    **{
        f"message.{what}": [
            *("applied", "late", "early", "waiting", "not_kept", "unchanged", "nowhere"),
        ]
        for what in ("edited", "deleted")
    },
    "message.unmatched": ["edits", "deletions"],
    "source.created": ["caller", "changes", "source", "kind"],
    "source.changed": ["caller", "changes", "source"],
    "source.token_rotated": ["source", "caller", "keep_until"],
    "source.deleted": ["source", "caller"],
    "source.refused": ["source", "requests", "reason"],
    "chat.closed": ["reason", "windows", "messages"],
    "window.retimed": ["due"],
    "window.ended": ["reason"],
    "delivery.sealed": ["delivery", "messages", "reason", "bundle", "held"],
    "delivery.attempted": ["delivery", "attempt"],
    **{
        f"delivery.{outcome}": [
            "delivery",
            "attempt",
            "messages",
            "status",
            "error",
            "errors",
            "next_attempt",
            *more,
        ]
        for outcome, more in (
            ("delivered", ()),
            ("failed", ()),
            ("dead_lettered", ("reason",)),
            ("unknown", ("own_faults",)),
            ("resent", ()),
            ("resend_failed", ("reason",)),
        )
    },
    "delivery.not_rendered": ["delivery", "messages", "pointer", "code", "why"],
    "delivery.returned": ["deliveries", "messages", "caller"],
    "webhook.rendering_rests": ["until", "cause"],
    "delivery.resend_asked": ["delivery", "messages", "caller"],
    "delivery.resend_ended": ["delivery", "deliveries", "messages", "reason", "caller", "kept"],
    "replay.started": ["replay", "deliveries", "messages", "caller"],
    "replay.queued": ["replay", "dead_letters", "resends"],
    "replay.taken_back": ["replay", "dead_letters", "resends"],
    "replay.ended": ["replay", "outcome", "queued", "delivered", "failed", "dropped"],
    "delivery.retried": ["delivery", "was", "deliveries", "messages", "caller"],
    "delivery.discarded": [
        "delivery",
        "was",
        "deliveries",
        "messages",
        "reason",
        "caller",
        "kept",
    ],
    "webhook.enabled": ["caller"],
    "webhook.full": ["reason", "held_messages"],
    "webhook.has_room": ["since", "overflowed"],
    "webhook.disabled": ["reason", "caller", "errors", "error", "held", "held_messages"],
    "webhook.warned": ["errors", "of", "error", "held", "held_messages", "mailed"],
    "webhook.merging": ["caller", "deliveries", "messages"],
    "webhook.merged": ["outcome", "merged", "into", "messages", "damaged", "caller"],
    "delivery.merged": ["delivery", "merged", "messages"],
    "webhook.reset": ["caller", "errors", "returned", "left"],
    "webhook.tested": ["outcome", "status", "error"],
    "webhook.budget_warned": ["used", "budget", "resets"],
    "webhook.budget_used_up": ["used", "budget", "resets"],
    "workspace.created": ["caller", "changes"],
    "workspace.changed": ["caller", "changes"],
    "webhook.created": ["caller", "changes"],
    "webhook.changed": ["caller", "changes"],
    "webhook.deleted": ["caller", "windows", "deliveries", "messages"],
    "webhook.erased": [],
    "workspace.secret_rotated": ["caller", "keep_until"],
    "workspace.deleted": ["caller", "windows", "deliveries", "messages"],
    "chat.deleted": ["caller", "messages"],
    "workspace.erased": [],
    "chat.erased": [],
    "token.created": ["token", "scope", "caller", "name", "expires"],
    "token.revoked": ["token", "caller"],
    "mail.sent": ["tries", "disablings"],
    "mail.failed": ["tries", "error", "next"],
    "mail.dropped": ["tries", "disablings"],
    "daemon.started": ["detail"],
    "daemon.upgraded": ["detail"],
    "daemon.stopped": ["detail"],
    "daemon.restored": ["detail"],
    "clock.held": ["detail"],
    "clock.released": ["detail"],
    "clock.stepped": ["detail"],
    "actor.quarantined": ["detail"],
    "partition.moved": ["node", "caller", "partition", "before"],
    "node.drained": ["node", "caller", "owns"],
    "node.undrained": ["node", "caller"],
    "node.forgotten": ["node", "caller"],
    "partition.repaired": ["node", "caller", "partition", "differs"],
    "cluster.upgraded": ["node", "caller", "schema", "before"],
    "cluster.recovered": [
        "node",
        "caller",
        "partitions",
        "owned",
        "left_out",
        "force",
        "empty",
        "record_made",
    ],
    "compaction.begun": ["node", "caller", "partitions"],
    "compaction.ended": ["node", "caller", "partitions", "left_out"],
    "compaction.stopped": ["node", "caller", "partitions", "done"],
}


def test_every_event_type_has_the_name_and_the_fields_of_the_contract() -> None:
    assert {type_of(kind): list(kind.__struct_fields__) for kind in all_facts()} == DATA


@pytest.mark.parametrize(
    ("fact", "stored"),
    [
        (
            facts.DeliveryUnknown(delivery="d1", attempt=2, error="stopped"),
            {"delivery": "d1", "attempt": 2, "error": "stopped"},
        ),
        (
            facts.DeliveryDiscarded(deliveries=3, messages=4, reason="asked", kept=""),
            {"deliveries": 3, "messages": 4, "reason": "asked", "kept": ""},
        ),
        (facts.ChatErased(), {}),
    ],
)
def test_a_field_that_is_unset_is_not_in_the_feed(fact: Fact, stored: dict[str, object]) -> None:
    packed = codec.pack_array([feed_rows.packed(fact, 0, "acme")])

    (event,) = codec.unpack_events(packed)
    assert list(event["data"].items()) == list(stored.items())


def test_every_event_type_has_a_docstring() -> None:
    assert not [type_of(kind) for kind in all_facts() if not (kind.__doc__ or "").strip()]


def test_docs_feed_md_is_generated_from_the_types() -> None:
    generator = runpy.run_path(str(DOCS / "make_feed_table.py"))
    document = (DOCS / "feed.md").read_text(encoding="utf-8")

    assert "| `message.received` |" in document
    assert generator["renewed"](document) == document, "run `make docs`"


def test_msgspec_can_describe_every_fact() -> None:
    schemas, components = msgspec.json.schema_components(all_facts())

    assert len(schemas) == len(components) - len(NESTED) == len(DATA)

"""Edits and deletions of messages that are in open windows, or were sealed."""

import json

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import CorruptRecord, NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.tables.routing.webhooks import is_sound, webhook
from hookbundle.tests.storage.transitions.changing.changes import (
    bundle,
    change,
    delete,
    edit,
    texts,
    told,
)

# ---- in an open window


def test_an_edit_changes_the_message_in_the_open_window(acme: ScratchDatabase) -> None:
    changed = change(acme, edit("m1", "now <b>"))

    assert (changed.edited, changed.late, changed.waiting) == (1, 0, 0)
    assert texts(acme) == ["now <b>", "text of m2"]
    assert "now &lt;b&gt;" in bundle(acme)["aggregation"]
    assert told(acme, "message.edited") == [{"applied": {"outbound": ["m1"]}}]
    assert is_sound(acme)


def test_a_deletion_takes_the_message_out_and_its_id_stays_known(acme: ScratchDatabase) -> None:
    assert change(acme, delete("m1")).deleted == 1

    assert texts(acme) == ["text of m2"]
    assert acme.accept("m1").duplicate == 1
    assert texts(acme) == ["text of m2"]
    assert told(acme, "message.deleted") == [{"applied": {"outbound": ["m1"]}}]
    assert is_sound(acme)


def test_a_window_that_a_deletion_empties_ends_without_a_call(acme: ScratchDatabase) -> None:
    assert change(acme, delete("m1"), delete("m2")).deleted == 2

    assert acme.window() is None
    assert acme.queued() == []
    assert told(acme, "window.ended") == [{"reason": "deleted"}]
    assert [row.kind for row in acme.dues()] == [DueKind.FORGET]
    assert acme.accept("m1", "m3").duplicate == 1
    assert texts(acme) == ["text of m3"]
    assert is_sound(acme)


def test_the_latest_edit_wins_whenever_it_comes(acme: ScratchDatabase) -> None:
    second, first = START_MS - 1_000, START_MS - 2_000

    counts = [change(acme, edit("m1", "second", second)).edited]
    counts += [change(acme, edit("m1", "first", first)).edited]

    assert texts(acme)[0] == "second"
    assert counts == [1, 0]
    assert told(acme, "message.edited")[-1] == {"unchanged": ["m1"]}


def test_an_edit_from_the_future_counts_as_of_its_arrival(acme: ScratchDatabase) -> None:
    change(acme, edit("m1", "by a wrong clock", START_MS + 10 * HOUR_MS))
    acme.now_ms += 1_000

    change(acme, edit("m1", "corrected"))

    assert texts(acme)[0] == "corrected"


def test_the_same_edit_again_writes_no_chat(acme: ScratchDatabase) -> None:
    change(acme, edit("m1", "new", START_MS))
    key = keyspace.owned(keyspace.CHATS, 1, b"c")
    before = acme.dump()[key]

    again = change(acme, edit("m1", "new", START_MS))

    assert again.edited == 0
    assert acme.dump()[key] == before


def test_changes_do_not_move_the_end_of_a_window(db: ScratchDatabase) -> None:
    db.workspace(window=b'{"max":"1h","quiet":"10m"}')
    due_ms = db.accept("m1", "m2").due_ms
    db.now_ms += 60_000

    change(db, edit("m1"), delete("m2"))

    window = db.window()
    assert window is not None
    assert window.due_ms == due_ms


def test_only_the_parts_that_change_are_written(acme: ScratchDatabase) -> None:
    acme.accept(*(incoming(f"p{n}", text="x" * 1_000) for n in range(9)))
    before = acme.dump()

    change(acme, delete("p3"))

    after = acme.dump()
    parts = [key for key in before if key.startswith(keyspace.PARTS)]
    assert len(parts) > 3
    assert sum(before[key] != after[key] for key in parts) == 1
    assert is_sound(acme)


# ---- limits


def test_an_edit_past_the_size_limit_seals_first_and_is_late(acme: ScratchDatabase) -> None:
    big = "x" * 60_000
    acme.accept(*(incoming(f"b{n}", text=big) for n in range(7)))

    changed = change(acme, edit("m1", "y" * 60_000), delete("m2"))

    assert (changed.edited, changed.deleted, changed.late) == (0, 0, 2)
    assert changed.wake == (1,)
    (sent,) = acme.queued()
    assert sent.reason == "size"
    assert '"text":"text of m1"' in sent.body.decode()
    assert told(acme, "message.edited") == [{"late": {"outbound": ["m1"]}}]
    assert is_sound(acme)


def test_an_edit_in_a_full_webhook_is_made(acme: ScratchDatabase) -> None:
    acme.disable()
    acme.quota = Quota(messages_max=2)

    assert change(acme, edit("m1", "longer than it was before")).edited == 1


def test_past_its_share_of_bytes_a_webhook_gets_no_longer_text(db: ScratchDatabase) -> None:
    db.workspace()
    webhook(db, "crm", filter=b'{"text_contains":["no message"]}')
    for chat in ("c", "d", "e"):
        db.accept("m1", "m2", chat=chat)
    db.quota = Quota(waiting_bytes_max=2 * 13_000)  # of which each webhook has a half
    long = edit("m1", "x" * 4_000)

    made = [change(db, long, chat=chat).edited for chat in ("c", "d")]
    late = change(db, long, chat="e")

    assert made == [1, 1]
    assert (late.edited, late.late, late.wake) == (0, 1, (1,))
    (sent,) = db.queued()
    assert (sent.chat_id, sent.reason, sent.messages) == ("e", "size", 2)
    assert change(db, edit("m1", "x"), delete("m2"), chat="c") == ChangesMade(edited=1, deleted=1)
    assert is_sound(db)


# ---- sealed before


def test_a_change_of_a_sealed_message_is_late_and_its_body_stays(acme: ScratchDatabase) -> None:
    acme.seal()
    before = acme.queued()[0].body

    changed = change(acme, edit("m1"), delete("m2"))

    assert (changed.edited, changed.deleted, changed.late) == (0, 0, 2)
    assert acme.queued()[0].body == before
    assert told(acme, "message.edited") == [{"late": {"outbound": ["m1"]}}]
    assert told(acme, "message.deleted") == [{"late": {"outbound": ["m2"]}}]
    assert acme.reads.meta().totals.late == 2


def test_it_may_be_open_in_one_webhook_and_late_in_another(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    webhook(db, "crm", aggregation_ms=HOUR_MS)
    db.accept("m1")

    changed = change(db, edit("m1"))

    assert (changed.edited, changed.late) == (1, 1)
    assert told(db, "message.edited") == [
        {"applied": {"crm": ["m1"]}, "late": {"outbound": ["m1"]}}
    ]


def test_a_webhook_whose_filter_dropped_the_message_is_not_late(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    webhook(db, "crm", filter=b'{"text_contains":["invoice"]}')
    db.accept("m1")

    change(db, edit("m1", "an invoice"))

    assert told(db, "message.edited") == [{"late": {"outbound": ["m1"]}}]
    assert texts(db, "crm") == []


def test_a_change_of_what_was_deleted_before_is_nowhere(acme: ScratchDatabase) -> None:
    change(acme, delete("m1"))

    again = change(acme, delete("m1"), edit("m1"))

    assert (again.edited, again.deleted, again.late) == (0, 0, 0)
    assert told(acme, "message.deleted")[-1] == {"nowhere": ["m1"]}
    assert told(acme, "message.edited") == [{"nowhere": ["m1"]}]


# ---- damage


def test_a_damaged_window_fails_the_change_alone_and_nothing_is_half_done(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    webhook(db, "crm", aggregation_ms=HOUR_MS)
    db.accept(*(incoming(f"p{n}", text="x" * 1_000) for n in range(3)))
    crm = db.view().named("crm").webhook.number
    with db.env.write() as txn:
        txn.put(keyspace.part(1, b"c", crm, 0), b"broken")
    before = db.dump()

    with pytest.raises(CorruptRecord):
        change(db, delete("p1"))

    assert db.dump() == before


def test_the_workspace_may_be_gone(acme: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        change(acme, edit("m1"), ws=77)


def test_an_emoji_and_quotes_in_a_text_stay_what_they_are(acme: ScratchDatabase) -> None:
    text = 'She said "👋\u2028"\\ & left'

    change(acme, edit("m1", text))

    assert texts(acme)[0] == text
    assert json.loads(json.dumps(bundle(acme)))["messages"][0]["text"] == text
    assert len(text) < limits.TEXT_CHARS_MAX

"""Records that can't be read are left out and named, and the new database has no contradiction."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.engine.messages import payload
from hookbundle.storage.database import codec
from hookbundle.storage.maintenance.copying import finish_erasures
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as keys
from hookbundle.storage.maintenance.migration.migrating import needs_migration
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.reads.feed_selection import Selection
from hookbundle.storage.tables import windows
from hookbundle.storage.transitions.attempting import Begun
from hookbundle.tests.storage.fixtures.released import held_by
from hookbundle.tests.storage.maintenance.migration.damaging import (
    changing,
    damage,
    flip,
    keys_of,
    lose,
    move,
    value_of,
)
from hookbundle.tests.storage.maintenance.migration.upgrading import (
    NOW_MS,
    content_of,
    found_in,
    opened,
    upgraded,
)
from hookbundle.tests.storage.scratch import OK

HELD = held_by("schema-1-busy")
ACME, SINGLE, DOWN, ERASING = 1, 2, 4, 6
QUEUED = HELD["workspaces"][0]["queued"][0]["number"]
DEAD = HELD["workspaces"][0]["dead_letters"][0]["number"]
LOGGED = HELD["workspaces"][1]["log"][40][0]
REQUEST = next(iter(HELD["workspaces"][0]["requests"]))
FEED = [row[0] for row in HELD["feed"]]
TOKEN = next(iter(HELD["tokens"]))

LEFT_OUT = {
    "activity log of workspace 1": keys.owned(keys.ACTIVITIES, ACME),
    "state of workspace 1": keys.owned(keys.STATES, ACME),
    "chat 'many' of workspace 1": keys.owned(keys.CHATS, ACME, b"many"),
    "window part 2 of chat 'many' of workspace 1": keys.part(keys.PARTS, ACME, b"many", 2),
    "part of seen ids 1 of chat 'many' of workspace 1": keys.part(
        keys.SEEN_PARTS, ACME, b"many", 1
    ),
    f"queued delivery {QUEUED} of workspace 1": keys.owned_numbered(keys.QUEUED, ACME, QUEUED),
    f"dead letter {DEAD} of workspace 1": keys.owned_numbered(keys.DEAD_LETTERS, ACME, DEAD),
    f"log entry {LOGGED} of workspace 2": keys.owned_numbered(keys.LOG, SINGLE, LOGGED),
    f"request {REQUEST} of workspace 1": keys.owned(keys.REQUESTS, ACME, bytes.fromhex(REQUEST)),
    "erasure 'gone' of workspace 6": keys.owned(keys.ERASURES, ERASING, b"gone"),
    "erasure of workspace 7": keys.owned(keys.ERASURES, 7),
    "mail 1": keys.MAILS + (1).to_bytes(8, "big"),
    f"token tok_{TOKEN[:12]}": keys.TOKENS + bytes.fromhex(TOKEN),
    f"feed row {FEED[0]}": keys.FEED + FEED[0].to_bytes(8, "big"),
    f"feed row {FEED[50]}": keys.FEED + FEED[50].to_bytes(8, "big"),
    f"feed row {FEED[-1]}": keys.FEED + FEED[-1].to_bytes(8, "big"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_unreadable_record_is_left_out_and_named(busy: Path, name: str) -> None:
    damage(busy, LEFT_OUT[name])

    migrated = upgraded(busy)

    assert migrated.unreadable == (name,)
    findings, _ = found_in(busy)
    assert findings == []


def test_many_unreadable_records_are_left_out_and_named(busy: Path) -> None:
    for key in LEFT_OUT.values():
        damage(busy, key)

    migrated = upgraded(busy)

    findings, _ = found_in(busy)
    assert findings == []
    # The parts of a chat that can't be read are not looked at.
    unseen = {name for name in LEFT_OUT if "of chat 'many'" in name}
    assert set(migrated.unreadable) == LEFT_OUT.keys() - unseen


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_damaged_the_new_database_has_no_contradiction(busy: Path, seed: int) -> None:
    rng = Random(seed)
    with changing(busy) as txn:
        for key in rng.sample(keys_of(txn, b""), 30 * (1 + seed)):
            if key[:1] not in (keys.IDENTITY, keys.META, keys.WORKSPACES):
                if txn.get(key):
                    flip(txn, key)
                else:
                    txn.delete(key)

    upgraded(busy)

    findings, _ = found_in(busy)
    assert findings == []


@pytest.mark.parametrize("prefix", [keys.META, keys.workspace("acme")])
def test_without_its_counters_or_a_workspace_a_database_is_not_upgraded(
    busy: Path, prefix: bytes
) -> None:
    damage(busy, prefix)
    before = content_of(busy)

    with pytest.raises(CorruptRecord, match=r"can't be upgraded without it.*restore a backup"):
        upgraded(busy)

    assert content_of(busy) == before


def test_without_its_identity_a_database_is_not_upgraded(busy: Path) -> None:
    damage(busy, keys.IDENTITY)

    assert not needs_migration(busy)
    with pytest.raises(Unusable, match="Damaged data file"):
        upgraded(busy)


# ---- what becomes of what depends on them


def test_a_webhook_whose_state_is_lost_stays_disabled(busy: Path) -> None:
    damage(busy, keys.owned(keys.STATES, DOWN))

    upgraded(busy)

    db = opened(busy)
    state = db.view("down").state
    assert (state.enabled, state.disabled_reason) == (False, "manual")
    assert (state.queued, state.windows, state.log_next) == (1, 1, 11)
    assert db.enable("down").changed
    db.close()


def test_a_window_keeps_the_messages_that_can_be_read(busy: Path) -> None:
    before = chat_of("acme", "many")["members"][0]
    lose(busy, keys.part(keys.PARTS, ACME, b"many", 0))

    migrated = upgraded(busy)

    db = opened(busy)
    window = db.window("many")
    assert migrated.unreadable == ("window part 0 of chat 'many' of workspace 1",)
    assert window is not None
    assert before - 25 <= window.count < before
    found = windows.members(db.dump().get, db.view().webhook, b"many", window)
    assert window.weight == sum(payload.weight(member.message) for member in found)
    db.seal("many")
    assert len(db.queued()) == 5
    db.close()


def test_a_chat_still_knows_the_ids_that_can_be_read(busy: Path) -> None:
    known = chat_of("acme", "many")["seen"][0]
    damage(busy, keys.part(keys.SEEN_PARTS, ACME, b"many", 0))

    upgraded(busy)

    db = opened(busy)
    again = db.accept(*(f"m{number}" for number in range(400)), chat="many")
    assert 0 < again.accepted <= 75
    assert again.accepted + again.duplicate == known == 400
    db.close()


def test_an_id_that_two_parts_have_is_in_one_of_them(busy: Path) -> None:
    """No version has written this; it must not stop the upgrade."""
    first, second = (keys.part(keys.SEEN_PARTS, ACME, b"many", number) for number in (0, 1))
    with changing(busy) as txn:
        part = codec.unpack(first, value_of(txn, first), old.SeenPart)
        txn.put(second, codec.pack(second, part))

    upgraded(busy)

    findings, held = found_in(busy)
    assert findings == []
    assert held["workspaces"][0]["chats"]["many"]["seen"][0] < chat_of("acme", "many")["seen"][0]


def test_windows_that_were_being_retimed_are_retimed_from_the_start(busy: Path) -> None:
    damage(busy, keys.owned(keys.STATES, ACME))

    upgraded(busy)

    db = opened(busy)
    assert db.view().state.retime_after == b""
    db.close()


def test_what_a_damaged_erasure_was_of_is_not_sent(busy: Path) -> None:
    damage(busy, keys.owned(keys.ERASURES, ERASING, b"gone"))

    upgraded(busy)

    db = opened(busy)
    db.wait(ERASING)
    sent = set()
    while isinstance(begun := db.begin(ERASING), Begun):
        sent.add(begun.delivery.chat_id)
        db.finish(begun, OK, ws=ERASING)
    finish_erasures(db.env, NOW_MS)
    assert sent == {"kept", "again"}
    db.close()
    findings, _ = found_in(busy)
    assert findings == []


def test_a_delivery_that_can_only_be_read_in_the_log_is_shown_as_discarded(busy: Path) -> None:
    damage(busy, keys.owned_numbered(keys.QUEUED, ACME, QUEUED))
    attempts = [row for row in HELD["workspaces"][0]["log"] if int(row[1][-12:], 16) == QUEUED]

    upgraded(busy)

    db = opened(busy)
    delivery = db.delivery(QUEUED)
    assert attempts
    assert delivery is not None
    assert (delivery.state, delivery.attempts) == ("discarded", attempts[-1][2])
    db.close()


def test_a_reader_of_the_feed_is_told_what_it_has_missed(busy: Path) -> None:
    lost = HELD["feed"][50]
    damage(busy, keys.FEED + lost[0].to_bytes(8, "big"))

    upgraded(busy)

    db = opened(busy)
    page = FeedReader(db.env).read(FEED[48], 20)
    by_seq = {event.seq: event for event in page.events}
    stand_in = by_seq[lost[0]]
    assert stand_in.type == "daemon.upgraded"
    assert stand_in.data["detail"] == f"{lost[2]} events up to number {lost[0]} could not be read"
    assert set(range(FEED[48] + 1, lost[0] - lost[2] + 1)) <= by_seq.keys()
    missing = set(range(lost[0] - lost[2] + 1, lost[0]))
    told = {n for each in page.missed for n in range(each.first, each.last + 1)}
    assert told == missing
    alone = FeedReader(db.env).read(FEED[0] - 1, 10_000, Selection(workspaces=["flying"]))
    assert missing <= {n for each in alone.missed for n in range(each.first, each.last + 1)}
    db.close()


def test_a_record_under_a_damaged_key_is_named(busy: Path) -> None:
    key = keys.owned_numbered(keys.QUEUED, ACME, QUEUED)
    move(busy, key, to=keys.owned_numbered(keys.QUEUED, 999, QUEUED))

    migrated = upgraded(busy)

    findings, _ = found_in(busy)
    assert findings == []
    assert migrated.unreadable == (f"queued delivery {QUEUED} of workspace 999",)


def chat_of(workspace: str, chat: str) -> Any:
    (found,) = [each for each in HELD["workspaces"] if each["id"] == workspace]
    return found["chats"][chat]

"""What 0.1.0 wrote of secrets: an upgrade takes it out of feed and logs."""

from pathlib import Path

import lmdb
import msgspec

from hookbundle.storage.database import codec
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.maintenance.migration.upgrading import opened, upgraded

QUERY = "Zebra42Query"
OWNER = "zebra42owner@acme.example"
URL = f"https://receiver.example/hook?key={QUERY}"


def planted(path: Path) -> None:
    """The database of schema 1 has secrets in facts, in the log and in an action."""
    env = lmdb.open(str(path), lib_version=0)
    with env.begin(write=True) as txn:
        cursor = txn.cursor()
        assert cursor.set_range(old_keys.FEED)
        changes = {"url": URL, "owner_email": OWNER, "name": "Acme"}
        facts = {
            "workspace.changed": {"caller": "uid 0", "changes": changes},
            "mail.failed": {"to": OWNER, "tries": 1, "error": f"no {OWNER}", "next": 5},
        }
        for kind, data in facts.items():
            key, row = cursor.key(), codec.unpack(cursor.key(), cursor.value(), old.FeedRow)
            event = {"type": kind, "time": 1, "workspace": "acme", "chat": "", "data": data}
            packed = msgspec.msgpack.encode([event] * row.count)
            txn.put(key, codec.pack(key, msgspec.structs.replace(row, events=packed)))
            assert cursor.set_range(key)
            assert cursor.next()
        assert cursor.set_range(old_keys.owned(old_keys.LOG, 1))
        key, made = cursor.key(), codec.unpack(cursor.key(), cursor.value(), old.Exchange)
        repeated = msgspec.structs.replace(
            made,
            url=URL,
            response_headers=(("Location", f"/else?key={QUERY}"),),
            response_body=f"no key {QUERY}".encode(),
        )
        txn.put(key, codec.pack(key, repeated))
        key = old_keys.owned(old_keys.ACTIVITIES, 1)
        was = codec.unpack(key, txn.get(key) or b"", old.Activity)
        action = msgspec.structs.replace(
            was.actions[-1], action="settings changed", detail=f"owner_email {OWNER}, by uid 0"
        )
        txn.put(key, codec.pack(key, msgspec.structs.replace(was, actions=(action,))))
    env.close()


def test_no_query_and_no_address_is_in_feed_log_or_activity(busy: Path) -> None:
    planted(busy)

    upgraded(busy)

    db = opened(busy)
    shown = repr([db.feed(), log_of(db.reads, "acme"), db.reads.activity("acme")])
    db.close()
    data = (busy / "data.mdb").read_bytes()
    assert "https://receiver.example/hook?..." in shown
    assert "owner_email (set), by uid 0" in shown
    assert "mail.failed" in shown
    for secret in (QUERY, OWNER):
        assert secret not in shown
        assert secret.encode() not in data

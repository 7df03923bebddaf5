"""The feed of a database, counted anew: whose events there are, and which chats find theirs."""

from collections import defaultdict
from itertools import count
from typing import Any

import msgspec

from hookbundle.storage.database import codec, feed_rows, key_fields, keyspace
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.records import Meta, Usage
from hookbundle.tests.storage.scratch import ScratchDatabase


def check(
    db: ScratchDatabase,
    dump: dict[bytes, bytes],
    numbers: dict[str, int],
    meta: Meta,
    usages: dict[int, Usage],
) -> None:
    """`numbers`: of the living workspaces, by their ids. Nothing of the feed was trimmed."""
    kept = list(range(meta.feed_oldest, meta.feed_next))
    assert [number for number, _ in db.feed()] == kept
    counted: dict[int, list[int]] = defaultdict(list)
    found: set[bytes] = set()
    for key in sorted(key for key in dump if key.startswith(keyspace.FEED)):
        row = codec.unpack(key, dump[key], FeedRow)
        events: list[Any] = msgspec.msgpack.decode(row.events)
        assert [numbers.get(event["workspace"], 0) for event in events] == list(row.owners)
        assert row.count == len(events) > 0
        first = key_fields.number(key) - row.count + 1
        for number, owner, event in zip(count(first), row.owners, events, strict=False):
            size = len(msgspec.msgpack.encode(event))
            if is_found_by_its_chat(event):
                chat = event["chat"].encode()
                found.add(keyspace.chat_fact(owner, chat, number))
                size += feed_rows.row_bytes(chat)
            counted[owner].append(size)
    assert {key for key in dump if key.startswith(keyspace.CHAT_FACTS)} == found
    for workspace, usage in usages.items():
        of_it = counted[workspace]
        assert (usage.events, usage.event_bytes) == (len(of_it), sum(of_it))
    everything = [size for sizes in counted.values() for size in sizes]
    assert (meta.feed_events, meta.feed_bytes) == (len(everything), sum(everything))
    assert (meta.feed_own_events, meta.feed_own_bytes) == (len(counted[0]), sum(counted[0]))
    assert meta.feed_owners == sum(usage.events > 0 for usage in usages.values())


def is_found_by_its_chat(event: dict[str, Any]) -> bool:
    """What nothing but the feed knows of a chat's messages."""
    if event["type"] == "message.received":
        return bool(event["data"]["duplicates"] or event["data"]["skipped"])
    return bool(event["type"] == "chat.deleted")

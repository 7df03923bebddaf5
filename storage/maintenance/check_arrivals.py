"""The rules for when messages arrived: rows of arrivals, and those in a chat's record."""

from collections.abc import Iterator
from contextlib import suppress

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.windows.arrivals import BYTES_OF_ONE, SECONDS_OF_A_DAY, SIZE_BITS
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database import rows as stored
from hookbundle.storage.database.chat_records import Arrivals
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.records import Usage
from hookbundle.storage.maintenance.check_ledger import Ledger, is_live
from hookbundle.storage.tables.arrivals import rows

Problems = Iterator[str]


def check_row(ledger: Ledger, key: bytes, arrivals: Arrivals) -> Problems:
    webhook, _, chat, _ = key_fields.arrivals(key)
    chat.decode()  # raises if its name could not be shown
    if not (yield from is_live(ledger.owner_of_webhook(webhook), "webhook")):
        return
    if not arrivals.packed:
        yield "has no arrivals"
    yield from check_packed(arrivals.packed)


def check_packed(packed: bytes) -> Problems:
    if len(packed) % BYTES_OF_ONE:
        yield f"has {len(packed)} bytes of arrivals, which is no whole number of them"
        return
    firsts = range(0, len(packed), BYTES_OF_ONE)
    seconds = [int.from_bytes(packed[at : at + BYTES_OF_ONE], "big") >> SIZE_BITS for at in firsts]
    if seconds and max(seconds) >= SECONDS_OF_A_DAY:
        yield f"has an arrival at second {max(seconds)} of a day"


def counted(ledger: Ledger, workspace: int) -> int:
    """The bytes of the workspace's rows, which come after the record of its usage."""
    size = 0
    with suppress(CorruptRecord):  # a damaged webhook is reported at its own key
        for webhook in stored.all_webhooks(ledger.txn, workspace):
            prefix = keyspace.owned(keyspace.ARRIVALS, webhook.number)
            for key, value in stored.rows(ledger.txn, prefix):
                size += rows.size_of(key, len(value))
    return size


def check_usage(ledger: Ledger, workspace: int, usage: Usage) -> Problems:
    due_ms = usage.arrivals_due_ms
    if due_ms >= 0 and not ledger.has_due(due_ms, DueKind.ARRIVALS, workspace):
        yield f"has no row in the due index to trim its arrivals at {due_ms}"
    if usage.arrival_bytes and due_ms < 0:
        yield f"has {usage.arrival_bytes} bytes of arrivals, and no time to trim them"

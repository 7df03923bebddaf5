"""The fact of a message's acceptance, which says what webhooks did not get it, and why.

It has no row under its chat, as what is in no delivery has (chat_facts.py): that would be one more
write for each message that any filter drops. It is found by its time. The feed is in the order of
commits, which is that of time but for what waited for the Store: so the feed is halved for the
time, and the rows beside that place are looked through, up to as far as the disorder may reach.
"""

from collections.abc import Callable, Generator, Iterator, Sequence

import lmdb
import msgspec

from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.storage.database import codec, key_fields, keyspace, rows
from hookbundle.storage.database.codec import StoredFact
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.records import Meta
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.paths.asking import Work
from hookbundle.storage.reads.paths.chat_facts import RECEIVED
from hookbundle.storage.reads.paths.members import Seen
from hookbundle.storage.reads.paths.of_chat import Group
from hookbundle.storage.tables.repeating.candidates import DISORDER_MS

ROWS_MOST, BYTES_MAX = 2_000, 8 * 1024 * 1024  # of the feed, to each side of the time

Walk = Callable[[lmdb.Transaction, bytes, bytes], Iterator[tuple[bytes, bytes]]]


class Acceptance(msgspec.Struct, frozen=True):
    """A message of which it is known when it was accepted. `workspace`: its number."""

    workspace: int
    chat_id: str
    seen: Seen

    def not_got(
        self, env: Environment, webhooks: Sequence[Webhook]
    ) -> Generator[None, None, list[Group]]:
        """Those of the webhooks that did not get it, if the fact is still kept.

        Yields after each read transaction.
        """
        with env.read() as txn:
            before = _last_before(txn, self.seen.arrived_ms)
        yield
        fact = yield from self._beside(env, rows.rows, keyspace.numbered(keyspace.FEED, before))
        if fact is None:
            after = keyspace.numbered(keyspace.FEED, before + 1)
            fact = yield from self._beside(env, rows.rows_before, after)
        told = _told_by(fact, self.seen.message_id) if fact is not None else {}
        # Not of one that has the id of a former one, and was made later.
        return [
            Group(told[each.id], (self.seen,), 1, webhook=each.id)
            for each in webhooks
            if each.id in told and each.created_ms <= self.seen.arrived_ms
        ]

    def _beside(
        self, env: Environment, walk: Walk, place: bytes
    ) -> Generator[None, None, StoredFact | None]:
        """The fact, if it is in the rows beyond that place, in the direction of the walk."""
        work, at = Work(ROWS_MOST, BYTES_MAX), place
        while not work.is_done():
            step = work.step()
            with env.read() as txn:
                for key, value in walk(txn, keyspace.FEED, at):
                    step.spend(len(value))
                    row, at = codec.readable(key, value, FeedRow), key
                    if row is not None and abs(row.at_ms - self.seen.arrived_ms) > DISORDER_MS:
                        return None
                    fact = self._in(row) if row is not None else None
                    if fact is not None:
                        return fact
                    if step.is_done():
                        break
                else:
                    return None
            yield
        return None

    def _in(self, row: FeedRow) -> StoredFact | None:
        """Only a row that has the id anywhere is decoded."""
        message_id = self.seen.message_id
        if self.workspace not in row.owners or message_id.encode() not in row.events:
            return None
        facts = codec.unpack_facts(row.events, 0, len(row.owners))
        for owner, fact in zip(row.owners, facts, strict=True):
            if (owner, fact.type, fact.chat) != (self.workspace, RECEIVED, self.chat_id):
                continue
            if message_id in fact.data["accepted"]:
                return fact
        return None


def _last_before(txn: lmdb.Transaction, at_ms: int) -> int:
    """The number of the last event of a row before that time, but for the disorder."""
    meta = rows.get(txn, keyspace.META, Meta) or Meta()
    low, high = meta.feed_oldest - 1, meta.feed_next - 1
    while low < high:
        middle = (low + high) // 2
        found = _row_after(txn, middle)
        if found is not None and found[1] < at_ms:
            low = found[0]
        else:
            high = middle
    return low


def _row_after(txn: lmdb.Transaction, number: int) -> tuple[int, int] | None:
    """The last number of the first row after this one that can be read, and the row's time."""
    for key, value in rows.rows(txn, keyspace.FEED, keyspace.numbered(keyspace.FEED, number)):
        row = codec.readable(key, value, FeedRow)
        if row is not None:
            return key_fields.number(key), row.at_ms
    return None


def _told_by(fact: StoredFact, message_id: str) -> dict[str, Became]:
    """What the fact says of the message, by webhook."""
    data, at_ms = fact.data, fact.time
    place = data["accepted"].index(message_id)
    found = {
        webhook: Became(code=BecameCode.FILTERED, at_ms=at_ms, webhook=webhook)
        for webhook, places in data.get("filtered", {}).items()
        if places is None or place in places
    }
    for webhook, ids in data.get("overflowed", {}).items():
        if message_id in ids:
            found[webhook] = Became(code=BecameCode.OVERFLOWED, at_ms=at_ms, webhook=webhook)
    return found

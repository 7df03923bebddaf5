"""The event feed: every event is kept, and gets the number of its workspace as its owner.

What 0.1.0 told of secrets is taken out: queries of URLs, and addresses of owners. Former names of
types and states become those of today. Sequence numbers stay, so that a cursor of before the
upgrade continues. Where a row can't be read, one event stands for those that it held: a number is
never left without a row, nor used again.
"""

from dataclasses import dataclass, field

import msgspec

from hookbundle.engine.delivery import former_names
from hookbundle.engine.delivery.urls import hidden
from hookbundle.storage.daemon_facts import DaemonUpgraded
from hookbundle.storage.database import codec, feed_rows, keyspace, rows
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.records import Meta
from hookbundle.storage.maintenance.migration import schema_1 as old
from hookbundle.storage.maintenance.migration import schema_1_keys as old_keys
from hookbundle.storage.maintenance.migration.source import Source
from hookbundle.storage.maintenance.migration.target import Target
from hookbundle.storage.transitions.settings import told

TOLD_SECRETS = (b"workspace.c", b"mail.")
FORMER_NAMES = (b"delivery.parked", b"delivery.retried", b"delivery.discarded")
TOLD_ANEW = (*TOLD_SECRETS, *FORMER_NAMES)


class _Event(msgspec.Struct, frozen=True, gc=False):
    """What says whose an event is."""

    workspace: str


_events = msgspec.msgpack.Decoder(list[_Event])


@dataclass(slots=True)
class Share:
    """The events of one workspace, and their bytes."""

    events: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Feed:
    """`reached`: the last number that was written; `at_ms`: the time of its row."""

    target: Target
    meta: Meta
    reached: int
    at_ms: int
    shares: dict[int, Share] = field(default_factory=dict)


def move_feed(
    source: Source, target: Target, meta: Meta, numbers: dict[str, int]
) -> dict[int, Share]:
    """The feed is in the new database, and `meta` counts it.

    `numbers`: of the living workspaces, by id. Returns what each workspace has, by number.
    """
    feed = _Feed(target, meta, reached=meta.feed_oldest - 1, at_ms=meta.feed_oldest_ms)
    for key, value in rows.rows(source.txn, old_keys.FEED):
        source.tick()
        last = old_keys.parse_number(key)
        row = source.decode(key, value, old.FeedRow)
        owners = _owners(row, numbers) if row else None
        if row is None or owners is None:
            source.leave_out(key)
            continue
        _fill(feed, last - row.count)
        feed.at_ms = row.at_ms
        _put(feed, last, FeedRow(row.at_ms, row.count, _as_of_today(row.events), owners))
    _fill(feed, meta.feed_next - 1)
    meta.feed_owners = sum(owner > 0 for owner in feed.shares)
    own = feed.shares.get(0, Share())
    meta.feed_own_events, meta.feed_own_bytes = own.events, own.bytes
    return feed.shares


def _owners(row: old.FeedRow, numbers: dict[str, int]) -> tuple[int, ...] | None:
    """The owner of each event; None if they can't be read."""
    try:
        events = _events.decode(row.events)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if len(events) != row.count:
        return None
    return tuple(numbers.get(event.workspace, 0) for event in events)


def _as_of_today(events: bytes) -> bytes:
    """The packed events as this version would have told them. Raises: CorruptRecord."""
    if not any(kind in events for kind in TOLD_ANEW):
        return events
    return codec.pack_array([_rewritten(packed) for packed in codec.unpack_array(events)])


def _rewritten(packed: bytes) -> bytes:
    if not any(kind in packed for kind in TOLD_ANEW):
        return packed
    event = msgspec.msgpack.decode(packed)
    kind, data = former_names.fact_type_of(event["type"]), event["data"]
    event["type"] = kind
    if kind in ("workspace.created", "workspace.changed"):
        data["changes"] = told(data["changes"])
    elif kind.startswith("mail."):
        address = data.pop("to", "")
        if kind == "mail.failed":
            data["error"] = hidden(data["error"], (address,) if address else ())
        else:
            data["disablings"] = 1  # a mail of 0.1.0 told of one
    elif kind.startswith("delivery."):
        former_names.fact_data_of(data)
    return msgspec.msgpack.encode(event)


def _put(feed: _Feed, last: int, row: FeedRow) -> None:
    meta = feed.meta
    if not meta.feed_events:
        meta.feed_oldest_ms = row.at_ms
    feed.target.put(keyspace.numbered(keyspace.FEED, last), row)
    feed.reached = last
    for owner, packed in zip(row.owners, codec.unpack_array(row.events), strict=True):
        share = feed.shares.setdefault(owner, Share())
        share.events += 1
        share.bytes += len(packed)
        meta.feed_events += 1
        meta.feed_bytes += len(packed)


def _fill(feed: _Feed, last: int) -> None:
    """The numbers up to `last` have a row, whose only event says that theirs are lost."""
    count = last - feed.reached
    if count <= 0:
        return
    lost = DaemonUpgraded(detail=f"{count} events up to number {last} could not be read")
    row = FeedRow(
        at_ms=feed.at_ms,
        count=count,
        events=codec.pack_array([feed_rows.packed(lost, feed.at_ms, "")]),
        owners=(0,),
        positions=(count - 1,) if count > 1 else (),
    )
    _put(feed, last, row)
    feed.meta.feed_thinned = last

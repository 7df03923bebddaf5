"""Splits the database of one daemon into those of a cluster's partitions, by workspace.

The source is read once, in the order of its keys, and not changed. Each partition is another
database from then on: it has an epoch of its own, as after a restore, so that new ids and cursors
of one are never those of another. Old ones keep their numbers and ids. A partition of a backup is
split in the same way (of_backups.py).
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.storage.daemon_facts import DaemonRestored
from hookbundle.storage.database import codec, files, keyspace, rows
from hookbundle.storage.database.data_file import tree
from hookbundle.storage.database.data_file.lmdb_errors import Translated
from hookbundle.storage.database.data_file.pages import WHAT_TO_DO
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.files import DATA, Marker
from hookbundle.storage.database.records import Identity, Meta
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.maintenance import holding
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.check_damage import damaged_in_words
from hookbundle.storage.maintenance.copying import (
    BATCH_BYTES,
    Tick,
    disk_errors,
    opened_to_read,
    written,
)
from hookbundle.storage.maintenance.splitting.parted import Parted, feed_parts, finish_counters
from hookbundle.storage.maintenance.splitting.rules import MADE_ANEW, RULES, PartitionOf, Places

COUNTED = (keyspace.STATES, keyspace.USAGES, keyspace.MAILS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What the source had. `records`: those of all partitions together. `held`: workspaces whose
    webhooks were enabled, and are disabled now."""

    records: int
    workspaces: int
    windows: int
    queued: int
    held: int = 0


@contextmanager
def opened_source(path: Path, tick: Tick) -> Iterator[Environment]:
    """A database that can be split, open for reading inside the block. No daemon starts meanwhile.

    Raises: InUse; Unusable, with the reason; StorageError.
    """
    files.check_marker(path, files.read_marker(path))
    with ExitStack() as stack:
        with disk_errors(path):
            stack.enter_context(files.locked_to_read(path))
        env = stack.enter_context(opened_sound(path, tick))
        with env.read() as txn:
            is_copy = rows.get_raw(txn, keyspace.POSITION) is not None
        if is_copy:
            raise Unusable(f"{path} is a copy that a node of a cluster has of a partition")
        yield env


@contextmanager
def opened_sound(path: Path, tick: Tick) -> Iterator[Environment]:
    """A database that nobody changes, in which a check finds nothing.

    Raises: Unusable, with the reason; StorageError.
    """
    with disk_errors(path):
        damages = tree.damages(path / DATA, lambda: None)
    if damages:  # LMDB would end the process on some of them
        raise _damaged(path, damaged_in_words(damages))
    with opened_to_read(path) as env:
        with env.read_long() as txn:
            found = next(iter(check(txn, tick)), None)
        if found is not None:
            raise _damaged(path, f"{found.where}: {found.what}")
        yield env


def _damaged(path: Path, what: str) -> Unusable:
    return Unusable(
        f"{path} is damaged: {what}; nothing was made. `hookbundle check --data {path}` names all "
        f"that is wrong; {WHAT_TO_DO}"
    )


def split(
    source: Environment,
    folders: Sequence[Path],
    partition_of: PartitionOf,
    now_ms: int,
    tick: Tick,
    whence: str = "the database of one daemon",
    *,
    hold: bool = False,
) -> Split:
    """Each of the folders, which are made, has the database of a partition.

    `partition_of`: by a workspace's id, which of the folders it is in. `tick` is called for
    each record, and may raise to stop the work. `whence` is said in the feed. `hold`: all webhooks
    are disabled, so that nothing is sent before somebody enables them.

    Raises: StorageError; CorruptRecord if the check finds something wrong in a partition.
    """
    with disk_errors(folders[0].parent), ExitStack() as stack:
        for folder in folders:
            folder.mkdir(mode=0o700)
        share = BATCH_BYTES // len(folders)
        parts = [Parted(stack.enter_context(written(each, source)), share) for each in folders]
        with Translated(), source.read_long() as txn:
            meta = rows.get(txn, keyspace.META, Meta) or Meta()
            places = Places.of(txn, partition_of)
            feed_rows = _put_all(txn, parts, places, tick)
        finish_counters(parts, meta, feed_rows)
        at_ms = max(now_ms, meta.last_ms)
        detail = f"from {whence}, of epoch {source.identity.epoch}"
        begun = [_begin(part, source.identity, at_ms, detail) for part in parts]
        held = [
            name
            for part, identity in zip(parts, begun, strict=True)
            for name in (holding.hold_all(part.target, identity, at_ms) if hold else ())
        ]
    for folder, identity in zip(folders, begun, strict=True):
        _check(folder, tick)
        files.write_marker(folder, Marker(identity.epoch, identity.schema))
    return Split(
        records=sum(part.records for part in parts),
        workspaces=len(places.workspaces),
        windows=meta.windows,
        queued=meta.queued,
        held=len(held),
    )


def _put_all(txn: lmdb.Transaction, parts: list[Parted], places: Places, tick: Tick) -> int:
    """Each record is in its partition. Returns how many rows the feed has."""
    feed_rows = 0
    for key, value in rows.rows(txn, b""):
        tick()
        letter = key[:1]
        if letter == keyspace.FEED:
            feed_rows += 1
            row = codec.unpack(key, value, FeedRow)
            for number, part_of_row in feed_parts(places, row):
                parts[number].put_feed(places, key, row, part_of_row)
        elif letter not in MADE_ANEW:
            part = parts[RULES[letter](places, key, value)]
            if letter in COUNTED:
                part.count(places, key, value)
            part.put(key, value)
    for part in parts:
        part.put_rest()
    return feed_rows


def _begin(part: Parted, source: Identity, now_ms: int, detail: str) -> Identity:
    """The partition has an identity of its own, its counters, and an event that says so."""
    identity = msgspec.structs.replace(source, epoch=secrets.token_hex(5))
    with Translated(), part.target.begin(write=True) as txn:
        txn.put(keyspace.IDENTITY, codec.pack(keyspace.IDENTITY, identity))
        txn.put(keyspace.META, codec.pack(keyspace.META, part.meta))
        unit = Unit(txn, identity)  # applied here, since no daemon is running to do it
        unit.emit(DaemonRestored(detail=detail), now_ms)
        unit.flush()
    return identity


def _check(path: Path, tick: Tick) -> None:
    """Raises: CorruptRecord."""
    with opened_to_read(path) as env, env.read_long() as txn:
        found = next(iter(check(txn, tick)), None)
    if found is not None:
        raise CorruptRecord(f"the check found something wrong: {found.where}: {found.what}")

"""A database is split by workspace: nothing is lost, nothing is twice, and each part is sound."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.engine.replication.assignment import partition_of
from hookbundle.storage.database import codec, feed_rows, key_fields, keyspace
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.storage.database.opening import open_read_only
from hookbundle.storage.database.records import Identity, Meta, Totals, WorkspaceName
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.splitting.rules import MADE_ANEW
from hookbundle.storage.maintenance.splitting.splitting import Split, opened_source, split
from hookbundle.tests.storage.populated import change
from hookbundle.tests.storage.scratch import OK, START_MS, ScratchDatabase

LATER_MS = START_MS + 10**9
NEXT = ("workspace_next", "delivery_next", "mail_next")
COUNTED = ("windows", "queued", "dead_letters", "mails", "history_bytes", "resending")
Records = dict[bytes, bytes]
Event = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the source had, and what each partition has."""

    done: Split
    source: Records
    folders: list[Path]
    each: list[Records]


def tick() -> None:
    pass


def records_in(path: Path) -> Records:
    env = open_read_only(path, lock=False)
    try:
        with env.read() as txn:
            return {bytes(key): bytes(value) for key, value in txn.cursor()}
    finally:
        env.close()


def divided(source: Path, into: Path, partitions: int) -> Parts:
    into.mkdir()
    folders = [into / f"{number:03}" for number in range(partitions)]
    with opened_source(source, tick) as env:
        place = partial(partition_of, partitions=partitions)
        done = split(env, folders, place, LATER_MS, tick)
    return Parts(done, records_in(source), folders, [records_in(each) for each in folders])


def as_they_are(records: Records) -> Records:
    return {key: value for key, value in records.items() if key[:1] not in MADE_ANEW}


def meta_of(records: Records) -> Meta:
    return codec.unpack(keyspace.META, records[keyspace.META], Meta)


def identity_of(records: Records) -> Identity:
    return codec.unpack(keyspace.IDENTITY, records[keyspace.IDENTITY], Identity)


def events_of(records: Records) -> list[Event]:
    """The number, the owner and the bytes of each event."""
    found = []
    for key, value in records.items():
        if key[:1] == keyspace.FEED:
            row = codec.unpack(key, value, FeedRow)
            first = key_fields.number(key) - row.count + 1
            found += [(first + at, owner, each) for at, owner, each in feed_rows.events_of(row)]
    return found


@contextmanager
def opened(path: Path) -> Iterator[ScratchDatabase]:
    db = ScratchDatabase(path)
    db.now_ms = LATER_MS
    try:
        yield db
    finally:
        db.close()


@pytest.mark.parametrize("partitions", [1, 4, 16])
def test_all_records_are_in_the_partitions_and_each_in_one(
    source: Path, tmp_path: Path, partitions: int
) -> None:
    before = (source / DATA).read_bytes(), (source / MARKER).read_bytes()

    parts = divided(source, tmp_path / "parts", partitions)

    wanted = as_they_are(parts.source)
    together: Records = {}
    for each in parts.each:
        found = as_they_are(each)
        assert not together.keys() & found.keys()
        together |= found
    assert together == wanted
    assert parts.done.workspaces == 26
    assert ((source / DATA).read_bytes(), (source / MARKER).read_bytes()) == before
    for path in parts.folders:
        env = open_read_only(path, lock=False)
        with env.read() as txn:
            assert list(check(txn)) == []
        env.close()


@pytest.mark.parametrize("partitions", [1, 4, 16])
def test_each_workspace_is_where_a_cluster_looks_for_it(
    source: Path, tmp_path: Path, partitions: int
) -> None:
    parts = divided(source, tmp_path / "parts", partitions)

    for number, records in enumerate(parts.each):
        names = {
            codec.unpack(key, value, WorkspaceName).id
            for key, value in records.items()
            if key[:1] == keyspace.NAMES
        }
        assert {partition_of(name, partitions) for name in names} <= {number}


@pytest.mark.parametrize("partitions", [1, 4, 16])
def test_counters_come_to_what_they_were_and_no_number_is_given_twice(
    source: Path, tmp_path: Path, partitions: int
) -> None:
    parts = divided(source, tmp_path / "parts", partitions)

    was, metas = meta_of(parts.source), [meta_of(each) for each in parts.each]
    for name in COUNTED:
        assert sum(getattr(meta, name) for meta in metas) == getattr(was, name), name
    for total in msgspec.structs.fields(Totals):
        counts = [getattr(meta.totals, total.name) for meta in metas]
        assert sum(counts) == getattr(was.totals, total.name), total.name
        assert min(counts) >= 0
    for meta in metas:
        assert [getattr(meta, name) for name in NEXT] == [getattr(was, name) for name in NEXT]
        assert meta.last_ms == LATER_MS


@pytest.mark.parametrize("partitions", [1, 4, 16])
def test_the_feed_is_parted_keeps_its_numbers_and_says_that_it_begins_anew(
    source: Path, tmp_path: Path, partitions: int
) -> None:
    parts = divided(source, tmp_path / "parts", partitions)

    events, last = events_of(parts.source), meta_of(parts.source).feed_next
    found = [event for each in parts.each for event in events_of(each)]
    new = [event for event in found if event[0] == last]
    assert sorted(set(found) - set(new)) == sorted(events)
    assert len(found) == len(events) + len(new)
    assert len(new) == partitions
    assert all(b"daemon.restored" in event for _, _, event in new)
    for each in parts.each:
        living = {key_fields.owner(key) for key in each if key[:1] == keyspace.NAMES}
        assert {owner for _, owner, _ in events_of(each)} <= living | {0, 2}  # 2 is being erased
    assert {owner for each in parts.each[1:] for _, owner, _ in events_of(each)}.isdisjoint({2})
    epochs = {identity_of(each).epoch for each in (parts.source, *parts.each)}
    assert len(epochs) == partitions + 1


def test_a_partition_goes_on_with_old_ids_and_new_ones_of_its_own(
    source: Path, tmp_path: Path
) -> None:
    parts = divided(source, tmp_path / "parts", 4)
    epoch, was = identity_of(parts.source).epoch, meta_of(parts.source)
    path = parts.folders[partition_of("ws5", 4)]
    with opened(path) as db:
        ws = db.view("ws5").named("outbound").webhook.number
        before = db.queued("ws5")
        old = db.attempt(OK, ws)
        db.accept("new", ws=ws, chat="waits")
        db.seal("waits", ws=ws)
        new = db.attempt(OK, ws)
        with db.env.read() as txn:
            assert list(check(txn)) == []

    assert [old.delivery.number] == [each.number for each in before]
    assert epoch in old.delivery_id
    assert epoch not in new.delivery_id
    assert new.delivery.number == was.delivery_next


def test_what_was_being_erased_is_erased_in_the_first_partition(
    source: Path, tmp_path: Path
) -> None:
    parts = divided(source, tmp_path / "parts", 4)

    of_workspace = keyspace.owned(keyspace.ERASURES, 2)
    assert [of_workspace in each for each in parts.each] == [True, False, False, False]


def test_a_database_in_which_the_check_finds_something_is_refused(
    source: Path, tmp_path: Path
) -> None:
    with opened(source) as db:
        change(db, keyspace.META, Meta, queued=99)

    with pytest.raises(Unusable, match="is damaged: counters: 60 deliveries were sealed"):
        divided(source, tmp_path / "parts", 2)

    assert list((tmp_path / "parts").iterdir()) == []

"""What was stored under the names of the first edition is read under those of today."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.reads.feed import FeedEvent, FeedReader
from hookbundle.storage.reads.feed_selection import EVERYTHING, Selection
from hookbundle.storage.reads.lookup import Reads
from hookbundle.tests.storage.fixtures.released import NAMED_ONCE, laid_out, once_named
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase
from hookbundle.tests.storage.transitions.acting import dead_letters, discard, queued, retry


def lived(db: ScratchDatabase) -> None:
    """Of each fact and line that says a state there is one."""
    dead_letters(db, "m1", "m2")
    retry(db, db.dead_letters()[0].number)
    discard(db, db.dead_letters()[0].number)
    discard(db, db.queued()[0].number)
    queued(db, "m3")


def as_0_1_wrote_it(db: ScratchDatabase) -> None:
    with db.env.write() as txn:
        for key, value in db.dump().items():
            if key.startswith(keyspace.FEED):
                row = codec.unpack(key, value, FeedRow)
                row = msgspec.structs.replace(row, events=once_named(row.events))
                txn.put(key, codec.pack(key, row))
            elif key.startswith(keyspace.ACTIONS):
                action = codec.unpack(key, value, Action)
                outcome = NAMED_ONCE.get(action.outcome, action.outcome)
                txn.put(key, codec.pack(key, msgspec.structs.replace(action, outcome=outcome)))


def read(env: Environment, selection: Selection = EVERYTHING) -> list[FeedEvent]:
    return FeedReader(env).read(0, 10_000, selection).events


def stored(db: ScratchDatabase) -> list[dict[str, Any]]:
    return [event for _, event in db.feed()]


def test_facts_have_the_names_of_today(db: ScratchDatabase) -> None:
    lived(db)
    before = read(db.env)
    states = {event.data.get("was") for event in before}

    as_0_1_wrote_it(db)

    assert {event["type"] for event in stored(db)} > {"delivery.parked"}
    assert {event["data"].get("was") for event in stored(db)} == {None, "pending", "parked"}
    assert states == {None, "queued", "dead_letter"}
    assert read(db.env) == before


def test_lines_of_the_activity_have_the_names_of_today(db: ScratchDatabase) -> None:
    lived(db)
    before, joined = db.reads.activity("acme"), db.reads.activity_joined("acme")
    outcomes = {line.outcome for line in before}

    as_0_1_wrote_it(db)

    assert outcomes > {"queued", "dead_letter"}
    assert db.reads.activity("acme") == before
    assert db.reads.activity_joined("acme") == joined


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize(
    "glob", ["delivery.parked", "*.parked", "delivery.p*", "delivery.dead_lettered"]
)
def test_a_reader_may_ask_by_either_name(db: ScratchDatabase, glob: str, is_old: bool) -> None:
    lived(db)
    if is_old:
        as_0_1_wrote_it(db)

    found = read(db.env, Selection(types=[glob]))

    assert [event.type for event in found] == ["delivery.dead_lettered"] * 2


def test_a_database_of_the_present_schema_may_have_them_too(tmp_path: Path) -> None:
    env = open_environment(laid_out("schema-2", tmp_path / "data"), START_MS)
    types = [event.type for event in read(env)]
    outcomes = [line.outcome for line in Reads(env).activity("acme")]
    env.close()

    assert b"delivery.parked" in (tmp_path / "data" / "data.mdb").read_bytes()
    assert "delivery.dead_lettered" in types
    assert not {"delivery.parked", "pending", "parked"}.intersection([*types, *outcomes])

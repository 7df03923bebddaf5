"""What can't be split is refused with a sentence, and nothing is changed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.engine.errors import InUse, Unusable
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.files import DATA, Marker, read_marker, write_marker
from hookbundle.storage.database.records import SCHEMA, Identity
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.maintenance.splitting.splitting import opened_source
from hookbundle.tests.storage import page_damage
from hookbundle.tests.storage.populated import change, drop, first
from hookbundle.tests.storage.scratch import ScratchDatabase


def tick() -> None:
    pass


def refused(path: Path) -> str:
    with pytest.raises(Unusable) as failure, opened_source(path, tick):
        pass
    return str(failure.value)


def test_a_database_in_use_is_refused(db: ScratchDatabase) -> None:
    db.workspace()

    with pytest.raises(InUse, match="is in use by"), opened_source(db.path, tick):
        pass


def test_no_daemon_starts_while_the_source_is_read(source: Path) -> None:
    with opened_source(source, tick), pytest.raises(InUse):
        ScratchDatabase(source)


def _copy_of_a_node(db: ScratchDatabase) -> None:
    position.follow(db.env, [], Position("3x2", 7, 2))


def _damaged_record(db: ScratchDatabase) -> None:
    drop(db, first(db, keyspace.STATES))


def _of_schema(schema: int) -> Callable[[ScratchDatabase], None]:
    return lambda db: change(db, keyspace.IDENTITY, Identity, schema=schema)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_copy_of_a_node, "copy that a node of a cluster has"),
        (_damaged_record, "is damaged: .*has no state.*hookbundle check"),
        (_of_schema(1), "start the daemon, which upgrades it"),
        (_of_schema(SCHEMA + 1), "newer hookbundle"),
    ],
)
def test_a_database_that_is_none_of_a_daemon_of_this_version_is_refused(
    source: Path, prepare: Callable[[ScratchDatabase], None], words: str
) -> None:
    db = ScratchDatabase(source)
    prepare(db)
    db.close()
    before = (source / DATA).read_bytes()

    said = refused(source)

    assert re.search(words, said), said
    assert (source / DATA).read_bytes() == before


def test_damaged_pages_are_not_read(source: Path) -> None:
    data = source / DATA
    page_damage.wild_offsets(data, page_damage.pages_of(data, page_damage.LEAF)[1])

    assert "is damaged" in refused(source)


def test_a_backup_is_to_be_restored_first(source: Path) -> None:
    known = read_marker(source)
    assert known is not None
    write_marker(source, Marker(known.epoch, known.schema, "backup"))

    assert "hookbundle restore" in refused(source)


def test_a_directory_without_a_database_is_refused(tmp_path: Path) -> None:
    assert "there is no database" in refused(tmp_path / "nothing")

"""A backup of a cluster, as a node writes it, without a cluster."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from hookbundle.engine.replication.assignment import partition_of
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.replication.manifest import ClusterBackup
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

AT = Position("4x17", 230, 19)


def made(backup: Path, partitions: int, names: Sequence[str]) -> ClusterBackup:
    """Each of the workspaces, in its partition, has an open window and a queued delivery."""
    backup.mkdir()
    listed = []
    for number in range(partitions):
        scratch = backup.parent / "copy"
        db = ScratchDatabase(scratch)
        for name in names:
            if partition_of(name, partitions) == number:
                ws = db.workspace(name)
                db.accept("m1", ws=ws)
                db.accept(incoming("m2", text=f"text of {name}."), ws=ws, chat="sealed")
                db.seal("sealed", ws=ws)
        with db.env.write() as txn:
            position.write(txn, AT)
        folder = manifest.folder_of(backup, number)
        copied = backups.back_up(db.env, folder, lambda: None)
        db.close()
        shutil.rmtree(scratch)
        listed.append(manifest.of_partition(folder, number, copied.records, 1_000))
    found = ClusterBackup(
        format=manifest.FORMAT,
        cluster="test",
        id="0123",
        node="a",
        version="1",
        schema=SCHEMA,
        begun_ms=1_000,
        ended_ms=2_000,
        partitions=listed,
    )
    manifest.write(backup, found)
    return found

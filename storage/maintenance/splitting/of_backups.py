"""The partitions of a new cluster, out of a backup of one: as many as it had, or a multiple.

Numbers of workspaces, webhooks and deliveries are given by each partition for itself. So two
partitions can't become one without writing every record anew; but one can become several, as the
database of a daemon alone. With twice as many partitions, say, those of number 3 go to 3 and to
3 + P, because a workspace's place is a remainder.
"""

from collections.abc import Callable
from pathlib import Path

from hookbundle.engine.errors import CorruptRecord, Unusable
from hookbundle.storage.maintenance.copying import Tick
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.replication.manifest import ClusterBackup
from hookbundle.storage.maintenance.splitting.splitting import Split, opened_sound, split


def check_number(found: ClusterBackup, partitions: int) -> None:
    """Raises: Unusable if the backup can't become so many partitions."""
    has = len(found.partitions)
    if partitions % has:
        raise Unusable(
            f"a backup of {has} partitions becomes as many again, or a multiple of them, and not "
            f"{partitions}: each partition numbers its records for itself"
        )


def split_backup(
    backup: Path,
    found: ClusterBackup,
    into: Path,
    partitions: int,
    place_of: Callable[[str], int],
    now_ms: int,
    tick: Tick,
    *,
    hold: bool,
) -> Split:
    """The directory has a folder for each partition, called by its number, with its database.

    `place_of`: by a workspace's id, in which of all partitions it is. The rest: as `split`.

    Raises: as `split`; Unusable for a backup that is damaged, or not whole.
    """
    check_number(found, partitions)
    manifest.check_whole(backup, found)
    has, done = len(found.partitions), Split(records=0, workspaces=0, windows=0, queued=0)
    for each in found.partitions:
        number = each.number

        def place(workspace_id: str, number: int = number) -> int:
            nth, rest = divmod(place_of(workspace_id) - number, has)
            if rest:
                raise CorruptRecord(f"workspace {workspace_id} is not one of partition {number}")
            return nth

        folders = [into / f"{own:03}" for own in range(number, partitions, has)]
        whence = f"a backup of partition {number}"
        with opened_sound(manifest.folder_of(backup, number), tick) as env:
            part = split(env, folders, place, now_ms, tick, whence, hold=hold)
        done = Split(
            records=done.records + part.records,
            workspaces=done.workspaces + part.workspaces,
            windows=done.windows + part.windows,
            queued=done.queued + part.queued,
            held=done.held + part.held,
        )
    return done

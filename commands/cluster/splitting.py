"""Where the partitions of a split database lie until they are in the logs of their cluster.

What is split is the directory of a daemon that is stopped, or a backup of a cluster.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hookbundle.engine.replication.assignment import partition_of
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA
from hookbundle.storage.maintenance.copying import disk_errors
from hookbundle.storage.maintenance.replication.manifest import ClusterBackup
from hookbundle.storage.maintenance.splitting.of_backups import split_backup
from hookbundle.storage.maintenance.splitting.splitting import Split, opened_source, split

FOLDER = "splitting"  # in the data directory: a folder for temporary files may have little room


@dataclass(frozen=True, slots=True)
class Source:
    """What is split: at `path`, a `backup` of a cluster, or else the directory of a daemon.

    `hold`: webhooks are disabled, so that nothing is sent before somebody enables them."""

    path: Path
    backup: ClusterBackup | None
    hold: bool


@dataclass(frozen=True, slots=True)
class Done:
    """`folder`: has those of the partitions. `bytes`: of the source's data files."""

    folder: Path
    split: Split
    bytes: int


@contextmanager
def split_into(data: Path, source: Source, partitions: int, now_ms: int) -> Iterator[Done]:
    """The source is split; a daemon's is locked inside the block. After it nothing is left of the
    parts.

    Raises: InUse; Unusable, with the reason; StorageError.
    """
    folder, place = data / FOLDER, partial(partition_of, partitions=partitions)
    backup, told = source.backup, (now_ms, lambda: None)
    with ExitStack() as stack:
        divide: Callable[..., Split]
        if backup is None:
            env = stack.enter_context(opened_source(source.path, lambda: None))
            size = (source.path / DATA).stat().st_size
            folders = [folder / f"{number:03}" for number in range(partitions)]
            divide = partial(split, env, folders)
        else:
            size = sum(each.bytes for each in backup.partitions)
            divide = partial(split_backup, source.path, backup, folder, partitions)
        with disk_errors(folder):
            files.make_directory(folder)
            stack.enter_context(files.locked(folder))  # another would remove what this one writes
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            _clear(folder)  # of one that was killed
        yield Done(folder, divide(place, *told, hold=source.hold), size)


def _clear(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)

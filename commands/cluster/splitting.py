"""Where the partitions of a split database lie until they are in the logs of their cluster."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hookbundle.engine.replication.assignment import partition_of
from hookbundle.storage.database import files
from hookbundle.storage.database.files import DATA
from hookbundle.storage.maintenance.copying import disk_errors
from hookbundle.storage.maintenance.splitting.splitting import Split, opened_source, split

FOLDER = "splitting"  # in the data directory: a folder for temporary files may have little room


@dataclass(frozen=True, slots=True)
class Done:
    """`folder`: has those of the partitions. `bytes`: of the source's data file."""

    folder: Path
    split: Split
    bytes: int


@contextmanager
def split_into(data: Path, source: Path, partitions: int, now_ms: int) -> Iterator[Done]:
    """The source is split, and locked inside the block. After it nothing is left of the parts.

    Raises: InUse; Unusable, with the reason; StorageError.
    """
    folder = data / FOLDER
    with opened_source(source, lambda: None) as env, ExitStack() as stack:
        with disk_errors(folder):
            files.make_directory(folder)
            stack.enter_context(files.locked(folder))  # another would remove what this one writes
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            _clear(folder)  # of one that was killed
            size = (source / DATA).stat().st_size
        place = partial(partition_of, partitions=partitions)
        done = split(env, folder, partitions, place, now_ms, lambda: None)
        yield Done(folder, done, size)


def _clear(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)

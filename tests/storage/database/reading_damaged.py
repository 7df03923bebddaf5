"""Reads data files that were damaged at random, in a process that a signal may end.

    python -m hookbundle.tests.storage.database.reading_damaged DIRECTORY COUNT [believe]

Prints the seed of each damage before the file is read, and how many were read through LMDB at the
end. With `believe` every file is read, whatever the walk of its pages says.
"""

import contextlib
import sys
from pathlib import Path

from hookbundle.engine.errors import StorageError
from hookbundle.storage.database.data_file import tree
from hookbundle.storage.database.files import DATA
from hookbundle.storage.maintenance.copying import opened_to_read
from hookbundle.tests.storage.page_damage import at_random


def main(directory: str, count: str, *how: str) -> None:
    path, read = Path(directory), 0
    for seed in at_random(path / DATA, iter(range(int(count)))):
        print("seed", seed, flush=True)
        if not how and tree.damages(path / DATA, lambda: None):
            continue
        with contextlib.suppress(StorageError), opened_to_read(path) as env, env.read() as txn:
            read += bool(list(txn.cursor()))
    print("read", read)


if __name__ == "__main__":
    main(*sys.argv[1:])

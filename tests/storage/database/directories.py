"""Opens data directories with the tests' own time."""

from pathlib import Path

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.storage.scratch import START_MS


def opened(path: Path, **options: int) -> Environment:
    return open_environment(path, START_MS, **options)

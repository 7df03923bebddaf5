"""The bytecode of the tests and of the package, compiled once for all processes of a test session.

pytest rewrites the asserts of each test file, which takes longer than all other parts of its start.
In a fresh clone each worker of xdist would do that for every file at the same time. So each does it
for some of them first, and finds those of the others done. What is fresh is left as it is.
"""

import compileall
import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("actors", "commands", "engine", "server", "storage", "tests")


def keep() -> None:
    """Bytecode is written, whatever the environment says, as by what tests start."""
    sys.dont_write_bytecode = False


def compile_share(config: pytest.Config) -> None:
    """Does nothing without xdist."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    first, workers = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    files = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
    for file in files[first::workers]:
        if file.name.startswith("test_"):
            _rewrite(file, config)
        else:
            compileall.compile_file(file, quiet=2)


def _rewrite(file: Path, config: pytest.Config) -> None:
    """As `AssertionRewritingHook.exec_module` does it, but nothing is run."""
    state = config.stash[rewrite.assertstate_key]
    folder = rewrite.get_cache_dir(file)
    if not rewrite.try_makedirs(folder):
        return
    kept = folder / (file.name[: -len(".py")] + rewrite.PYC_TAIL)
    if rewrite._read_pyc(file, kept, state.trace) is None:
        source_hash, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(state, code, source_hash, kept)

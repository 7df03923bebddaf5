"""Plants each bug of the table in a copy of the tree, and checks that a test catches it.

    python -m hookbundle.tests.mutants.run [NAME ...]

First the tests must pass on a copy without a bug. Only a failed test catches a bug; an error or a
timeout does not. If a mutant survives, a test is missing.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hookbundle.tests.mutants.table import MUTANTS

TREE = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", ".hypothesis", "*.egg-info", "bench"
)
PROGRAM = """#!{python}
from hookbundle.cli import main
main()
"""


def main(names: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    if unknown := set(names) - {mutant.name for mutant in chosen}:
        print("no bug has such a name:", *sorted(unknown))
        return 1
    tests = sorted({test for mutant in chosen for test in mutant.caught_by})
    survivors = []
    with copy_of_tree(TREE) as sound:
        failed = failures(sound, tests, TIMEOUT_S * len(tests))
        if failed is None or failed:
            print("these tests fail without a bug:", *(failed or ["(not finished)"]), sep="\n    ")
            return 1
        print("| | the bug | caught by | after |\n|---|---|---|---|")
        for mutant in chosen:
            began_s = time.monotonic()
            with copy_of_tree(sound) as tree:  # with what Python has compiled there
                mutant.plant(tree)
                failed = failures(tree, mutant.caught_by, TIMEOUT_S)
            caught_by = f"`{failed[0]}`" if failed else "**no test**"
            took_s = time.monotonic() - began_s
            print(f"| {mutant.name} | {mutant.bug} | {caught_by} | {took_s:.0f} s |", flush=True)
            survivors += [] if failed else [mutant.name]
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} were caught")
    if survivors:
        print("survivors:", *survivors)
    return 1 if survivors else 0


@contextmanager
def copy_of_tree(of: Path) -> Iterator[Path]:
    """A copy of a tree, with a virtual environment that imports the package from the copy."""
    with TemporaryDirectory(prefix="hookbundle-mutant-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(of, tree, symlinks=True, ignore=NOT_COPIED)
        home = tree / ".venv"
        venv.create(home, symlinks=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = home / "lib" / version / "site-packages"
        # Only paths: the .pth file of the editable install would lead back to the original tree.
        lines = [str(tree / ".src"), sysconfig.get_path("purelib")]
        (packages / "tree.pth").write_text("\n".join(lines))
        program = home / "bin" / "hookbundle"
        program.write_text(PROGRAM.format(python=home / "bin" / "python"))
        program.chmod(0o755)
        yield tree


def failures(tree: Path, tests: Iterable[str], within_s: float) -> list[str] | None:
    """The first test that fails in the copy, as a list; None if they are not finished in time.

    Raises: AssertionError if pytest can't run them.
    """
    options = ["-m", "pytest", "-x", "-q", "-rf", "--tb=no", "-p", "no:xdist"]
    command = [str(tree / ".venv" / "bin" / "python"), *options, "-p", "no:cacheprovider"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *tests], cwd=tree, env=env, stdout=pipe, text=True, start_new_session=True
    ) as run:
        try:
            out, _ = run.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)  # with all processes that it has started
    assert run.returncode in (0, 1), out
    return re.findall(r"^FAILED (\S+)", out, re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

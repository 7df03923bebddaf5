"""Plants each bug of the table in a copy of the tree, and demands that a test notices.

    python -m hookbundle.tests.mutants.run [NAME ...]

First the tests must pass on a copy without a bug. A test that errors, or runs out of time, has
noticed nothing: only a failed test counts. A mutant that survives is a missing test.
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
PATIENCE_S = 120
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "docs", "bench"
)
PROGRAM = """#!{python}
from hookbundle.cli import main
main()
"""


def main(names: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with copy_of_tree() as tree:
        failed = failures(tree, {test for mutant in chosen for test in mutant.caught_by})
    if failed:
        print("without a bug these must pass, and do not:", *failed, sep="\n    ")
        return 1
    survivors = []
    print("| | the bug | noticed by | after |\n|---|---|---|---|")
    for mutant in chosen:
        began_s = time.monotonic()
        with copy_of_tree() as tree:
            mutant.plant(tree)
            failed = failures(tree, mutant.caught_by)
        noticed = f"`{failed[0]}`" if failed else "**nobody**"
        took_s = time.monotonic() - began_s
        print(f"| {mutant.name} | {mutant.bug} | {noticed} | {took_s:.0f} s |", flush=True)
        survivors += [] if failed else [mutant.name]
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} were noticed", *survivors)
    return 1 if survivors else 0


@contextmanager
def copy_of_tree() -> Iterator[Path]:
    """The tree, with a Python of its own that finds the package there and nowhere else."""
    with TemporaryDirectory(prefix="hookbundle-mutant-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(TREE, tree, symlinks=True, ignore=NOT_COPIED)
        home = tree / ".venv"
        venv.create(home, symlinks=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = home / "lib" / version / "site-packages"
        # Paths alone: what is installed as editable would be found where it was installed from.
        lines = [str(tree / ".src"), sysconfig.get_path("purelib")]
        (packages / "tree.pth").write_text("\n".join(lines))
        program = home / "bin" / "hookbundle"
        program.write_text(PROGRAM.format(python=home / "bin" / "python"))
        program.chmod(0o755)
        yield tree


def failures(tree: Path, tests: Iterable[str]) -> list[str]:
    """The first of the tests to fail in the copy; raises if they can't be run at all."""
    options = ["-m", "pytest", "-x", "-q", "-rf", "--tb=no", "-p", "no:xdist"]
    command = [str(tree / ".venv" / "bin" / "python"), *options, "-p", "no:cacheprovider"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *tests], cwd=tree, env=env, stdout=pipe, text=True, start_new_session=True
    ) as run:
        try:
            out, _ = run.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            return []
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)  # with all that it has started
    assert run.returncode in (0, 1), out
    return re.findall(r"^FAILED (\S+)", out, re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

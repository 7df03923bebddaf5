"""A data directory without the permissions that the daemon needs is refused in one line.

Its content stays as it is, and the daemon never starts as if the directory were empty. Root may
access any file, so under root the daemon runs as another user here.
"""

import encodings.idna
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookbundle.cli import main
from hookbundle.commands.daemon import command, run
from hookbundle.commands.terminal.failures import FAILED
from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.program import program_in
from hookbundle.tests.reliability.harness.recorded_life import Dump
from hookbundle.tests.storage.populated import populated
from hookbundle.tests.storage.scratch import START_MS

NOBODY = 65_534
TIMEOUT_S = 20
AS_ROOT = os.geteuid() == 0
BROKEN = 70
# Imported now, because the user `nobody` may be unable to read their modules.
COMMAND, DAEMON, IDNA = command.run, run.run_daemon, encodings.idna
CLOSED = {
    "the directory is closed": ("", 0o000),
    "the directory can't be listed in": ("", 0o600),
    "the data file is read-only": (DATA, 0o400),
    "the data file is closed": (DATA, 0o000),
    "the table of readers is read-only": ("lock.mdb", 0o400),
    "the marker is closed": (MARKER, 0o000),
    "the lock is read-only": ("lock", 0o400),
}

Kept = tuple[Path, Dump]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """A directory with a database that another user can reach, and a dump of the database."""
    folder = Path(tempfile.mkdtemp())
    system = populated(folder / "data")
    dump = system.dump()
    system.close()
    (folder / "run").mkdir()
    for path in (folder, *folder.rglob("*")):
        if AS_ROOT:
            os.chown(path, NOBODY, NOBODY)
    yield folder / "data", dump
    (folder / "data").chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("how", CLOSED)
def test_a_directory_that_is_closed_to_the_daemon_is_refused_in_one_line(
    kept: Kept, how: str
) -> None:
    data, dump = kept
    name, mode = CLOSED[how]
    (data / name).chmod(mode)

    code, said = as_another(data, started)

    assert code == FAILED, said
    assert_one_line(said, data)
    (data / name).chmod(0o700)
    assert content(data) == dump


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a file to another user")
@pytest.mark.parametrize("name", ["", DATA, "lock", MARKER])
def test_a_directory_of_another_user_is_refused_in_one_line(kept: Kept, name: str) -> None:
    data, dump = kept
    os.chown(data / name, 0, 0)

    code, said = as_another(data, started)

    assert code == FAILED, said
    assert_one_line(said, data)
    assert content(data) == dump


@pytest.mark.parametrize("directory", [0o700, 0o500])
def test_without_its_lock_file_a_database_is_opened_as_it_was_or_not_at_all(
    kept: Kept, directory: int
) -> None:
    data, dump = kept
    (data / "lock").unlink()
    data.chmod(directory)

    code, said = as_another(data, started if directory == 0o500 else lambda: matches(data, dump))

    assert code == (FAILED if directory == 0o500 else 0), said
    data.chmod(0o700)
    assert content(data) == dump


def test_a_directory_in_which_nothing_can_be_made_opens_with_all_that_it_holds(kept: Kept) -> None:
    data, dump = kept
    data.chmod(0o500)

    code, said = as_another(data, lambda: matches(data, dump))

    assert code == 0, said


def assert_one_line(said: str, data: Path) -> None:
    (line,) = said.splitlines()
    assert line.startswith("Error: "), line
    assert str(data) in line
    assert "Permission denied" in line
    assert "restore" not in line, "nothing is wrong with the data"


def started() -> None:
    """A start of the daemon, which must be refused."""
    main(["run"])


def matches(data: Path, dump: Dump) -> None:
    assert content(data) == dump


def content(data: Path) -> Dump:
    env = open_environment(data, START_MS)
    with env.read() as txn:
        dump = {bytes(key): bytes(value) for key, value in txn.cursor()}
    env.close()
    return dump


def as_another(data: Path, act: Callable[[], None]) -> tuple[int, str]:
    """The exit code and stderr of a process that calls `act` and is not root."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(TIMEOUT_S)
        code = BROKEN
        try:
            sys.stderr = os.fdopen(writer, "w", buffering=1)
            if AS_ROOT:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.environ.update(program_in(data.parent).env)
            act()
            code = 0
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else BROKEN
        except BaseException as exc:  # noqa: BLE001 - after any exception the child must exit
            print(repr(exc), file=sys.stderr)
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said

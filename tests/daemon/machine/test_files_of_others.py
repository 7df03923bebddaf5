"""What others may do with the files: read none that holds customers' texts, plant none."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.opening import open_environment, open_read_only
from hookbundle.tests.in_process import event, facts_of, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running
from hookbundle.tests.storage.scratch import START_MS

NOBODY = 65_534
NAMES = ("lock", "lock.mdb", "data.mdb", "identity.json", "identity.new", "reserve", "data.v1")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def test_every_file_that_a_command_writes_is_for_its_owner_alone(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    before = os.umask(0)
    try:
        async with receiving() as receiver, running(program) as daemon:
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"))
            async with facts_of(program.socket_path) as facts:
                await facts.until("delivery.delivered")
            existing = tmp_path / "existing.json"
            existing.touch()
            existing.chmod(0o644)
            for name in ("new.json", "existing.json"):
                logged = await program("log", "acme", "-o", str(tmp_path / name))
                assert logged.code == 0
            backup = await program("backup", str(tmp_path / "backup"))
            daemon.process.terminate()
            await daemon.ended()
        restored = await program("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "r"))
        compacted = await program("compact")
    finally:
        os.umask(before)

    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (backup.code, restored.code, compacted.code) == (0, 0, 0)
    assert {path.name for path in written} >= {"new.json", "data.mdb", "lock", "identity.json"}
    assert {path: mode_of(path) for path in written} == dict.fromkeys(written, 0o600)
    folders = [tmp_path / name for name in ("data", "backup", "r", "run")]
    assert {path: mode_of(path) for path in folders} == dict.fromkeys(folders, 0o700)


async def test_the_log_is_written_to_what_is_no_file_as_it_is(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver, running(program) as daemon:
        await daemon.make("acme", receiver)
        device = mode_of(Path("/dev/null"))

        logged = await program("log", "acme", "-o", "/dev/null")

    assert logged.code == 0
    assert mode_of(Path("/dev/null")) == device


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o702])
def test_a_data_directory_that_others_can_write_is_narrowed(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    open_environment(data, START_MS).close()
    data.chmod(mode)
    (data / "data.mdb").chmod(0o666)

    open_environment(data, START_MS).close()

    assert mode_of(data) == 0o700
    assert {mode_of(path) for path in data.iterdir()} == {0o600}


def test_a_data_directory_that_others_can_only_list_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o750)

    open_environment(data, START_MS).close()

    assert mode_of(data) == 0o750


async def test_the_log_says_that_the_data_directory_was_narrowed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    async with running(program_in(tmp_path)) as daemon:
        said = [line for line in daemon.said if line["event"] == "data directory narrowed"]

    assert [line["directory"] for line in said] == [str(data)]
    assert mode_of(data) == 0o700


def opened_by_another(data: Path) -> str:
    """What another user than root is told who opens the directory."""
    reading, writing = os.pipe()
    if not os.fork():
        try:
            os.setgroups([NOBODY])
            os.setuid(NOBODY)
            open_environment(data, START_MS).close()
            os.write(writing, b"opened")
        except Unusable as exc:
            os.write(writing, str(exc).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.wait()
    with os.fdopen(reading, "rb") as said:
        return said.read().decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused_if_all_can_write_it() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shared, grouped = folder / "shared", folder / "grouped"
    for data, mode in ((shared, 0o777), (grouped, 0o2775)):
        data.mkdir()
        os.chown(data, 0, NOBODY)
        data.chmod(mode)

    refused, used = opened_by_another(shared), opened_by_another(grouped)

    modes = [mode_of(shared), mode_of(grouped)]
    shutil.rmtree(folder)
    assert "belongs to another user, and everybody can write it" in refused
    assert f"`chmod 0700 {shared}`" in refused
    assert used == "opened"
    assert modes == [0o777, 0o2775]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_data_directory_is_not_followed(
    tmp_path: Path, name: str, there: bool
) -> None:
    data, target = tmp_path / "data", tmp_path / "target"
    open_environment(data, START_MS).close()
    if there:
        target.write_bytes(b"somebody's")
    (data / name).unlink(missing_ok=True)
    (data / name).symlink_to(target)

    with pytest.raises(Unusable, match=rf"{name} is a symbolic link"):
        open_environment(data, START_MS)
    if name == "lock":
        with pytest.raises(Unusable, match=rf"{name} is a symbolic link"):
            open_read_only(data)

    assert target.exists() is there
    assert not there or target.read_bytes() == b"somebody's"


def test_a_data_directory_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere")

    open_environment(tmp_path / "data", START_MS).close()

    assert (tmp_path / "elsewhere" / files.DATA).exists()

"""A full disk, or one that can only be read: what can still be done, and what is said."""

import asyncio
import subprocess
from pathlib import Path

import lmdb
import pytest

from hookbundle.engine.errors import StorageError, StoreFull
from hookbundle.storage.database.data_file.lmdb_errors import Translated
from hookbundle.tests.in_process import receiving
from hookbundle.tests.program import Program, Ran, program_in
from hookbundle.tests.reliability.crashes.test_small_disk import confined, fill
from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.running import running
from hookbundle.tests.shared_work.mounting import UNSHARE, with_mounts

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'


@pytest.fixture(autouse=True)
def namespaces(tmp_path: Path) -> None:
    """Skips the test where the machine allows no mount in a namespace."""
    command = [*UNSHARE, "sh", "-c", READ_ONLY, str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")


async def test_on_a_full_disk_a_wrong_url_can_be_mended_and_nothing_new_be_made(
    tmp_path: Path,
) -> None:
    planned = Planned(["accepted", "refused"])
    async with receiving() as receiver, confined(tmp_path, "0KiB") as daemon:
        await daemon.make("sent", receiver, "wrong")
        receiver.answers(500)
        await daemon.make("kept", receiver, "kept", aggregation="24h")
        await fill(daemon, set(), planned)

        url = {"webhook": {"url": f"{receiver.url('wrong')}?right"}}
        # At once: each second the daemon looks whether there is room again.
        made = await daemon.ask("PUT", "/v1/workspaces/new", url)
        program = program_in(tmp_path)
        mended = await program(
            "workspace", "set", "sent", "--url", f"{receiver.url('wrong')}?right"
        )
        put = await daemon.ask("PATCH", "/v1/workspaces/kept", url)
        shown = await daemon.hook("sent")

    planned.check()
    assert mended.code == 0
    assert put.status == 200
    assert made.status == 507
    assert shown["url"] == f"{receiver.url('wrong')}?right"


async def read_only(program: Program, data: Path, *arguments: str) -> Ran:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *with_mounts(READ_ONLY, data),
        *arguments,
        env=program.env,
        stdout=pipe,
        stderr=pipe,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


async def test_on_a_read_only_file_system_a_start_says_so_and_a_check_works(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with running(program) as daemon:
        daemon.process.terminate()
        assert await daemon.ended() == 0

    start = await read_only(program, tmp_path / "data", "run")
    checked = await read_only(program, tmp_path / "data", "check")

    assert (start.code, checked.code) == (1, 0)
    assert "its file system is read-only" in start.err
    assert "Mount it for writing" in start.err
    assert "backup" not in start.err


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [(30, StorageError, "is read-only.*mount it for writing"), (28, StoreFull, "the disk is full")],
)
def test_a_commit_that_fails_says_what_is_wrong_with_the_disk(
    code: int, kind: type[StorageError], words: str
) -> None:
    failed = type("Failed", (lmdb.Error,), {"code": code})("mdb_txn_commit")

    with pytest.raises(kind, match=words), Translated():
        raise failed

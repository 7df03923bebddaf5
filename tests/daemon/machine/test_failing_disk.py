"""A real daemon on a file system that fails under it: read-only by an error, or no longer file.

Ext4 with `errors=remount-ro` turns read-only when the disk fails. Mounting it again with `abort`
says so to the kernel, without a broken disk. It lies in a file, in a mount namespace of the daemon.
"""

import asyncio
import resource
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.running import Running, running
from hookbundle.tests.shared_work.mounting import UNSHARE, with_mounts

IMAGE_BYTES = 96 << 20
MOUNT = 'mount -o loop,errors=remount-ro "$1" "$0"'
ABORT = 'mount -o remount,abort "$0" && ! touch "$0/still-writable" 2>/dev/null'


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file with an ext4 file system. Skips the test where none can be mounted and aborted."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no `mkfs.ext4` on this machine")
    path = tmp_path / "disk"
    for each in (path, tmp_path / "tried"):
        with each.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", each], check=True)
    (tmp_path / "data").mkdir()
    script, data = f"{MOUNT} && {ABORT}", str(tmp_path / "data")
    command = [*UNSHARE, "sh", "-c", script, data, str(tmp_path / "tried")]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `unshare` on this machine")
    if tried.returncode:
        pytest.skip(f"no file system can be made to fail here: {tried.stderr.strip()}")
    return path


@asynccontextmanager
async def on_disk(folder: Path, image: Path) -> AsyncIterator[Running]:
    program = program_in(folder, STORAGE__FLOOR="1MiB", STORAGE__RESERVE="256KiB")
    command = with_mounts(MOUNT, folder / "data", str(image))
    async with running(program, command=command) as daemon:
        yield daemon


async def test_a_disk_that_turns_read_only_ends_the_daemon_and_what_was_accepted_is_sent_later(
    tmp_path: Path, image: Path
) -> None:
    data = str(tmp_path / "data")
    async with receiving() as receiver:
        async with on_disk(tmp_path, image) as daemon:
            await daemon.make("acme", receiver, aggregation="24h")
            await daemon.accept("acme", event("m1"))
            within = ["nsenter", "--mount", "--target", str(daemon.process.pid)]
            await run(*within, "sh", "-c", ABORT, data)

            refused = await daemon.ask("POST", "/v1/workspaces/acme/messages", [event("m2")])
            said = await daemon.says("the daemon can't go on")
            code = await daemon.ended()
        async with on_disk(tmp_path, image) as daemon:  # mounted anew, for writing
            await daemon.ask("POST", "/v1/workspaces/acme/chats/flush")
            await receiver.until(1)
            checked = await daemon.get("/v1/check")

    assert (refused.status, code) == (503, 1)
    assert "the store can't commit" in said["error"]
    assert receiver.posts[0].message_ids == ["m1"]
    assert checked["findings"] == []


async def test_a_data_file_that_may_not_grow_is_a_full_disk_and_no_reason_to_end(
    tmp_path: Path,
) -> None:
    """As a quota, or `ulimit -f`. The limit is lifted while the daemon runs."""
    async with receiving() as receiver, running(program_in(tmp_path)) as daemon:
        await daemon.make("acme", receiver, aggregation="24h")
        pid, none = daemon.process.pid, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        data_bytes = max(each.stat().st_size for each in (tmp_path / "data").iterdir())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (data_bytes, resource.RLIM_INFINITY))
        taken: set[str] = set()
        while True:
            ids = [f"m{len(taken) + n}" for n in range(10)]
            batch = [event(each, text="x" * 6_000) for each in ids]
            refused = await daemon.ask("POST", "/v1/workspaces/acme/messages", batch)
            if refused.status != 202:
                break
            taken.update(ids)
        ready = await daemon.ask("GET", "/readyz")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, none)
        await daemon.says("intake open again")
        await daemon.accept("acme", *batch)
        await daemon.ask("POST", "/v1/workspaces/acme/chats/flush")
        await receiver.until(1)
        daemon.process.terminate()
        code = await daemon.ended()

    assert (refused.status, ready.status, code) == (507, 503, 0)
    assert [each["code"] for each in ready.document["reasons"]] == ["intake_closed"]
    assert {each for post in receiver.posts for each in post.message_ids} == {*taken, *ids}


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0

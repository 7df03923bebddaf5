"""Where little memory may be addressed, the daemon works with a smaller map, or says why not."""

import asyncio
import os
import resource
from pathlib import Path

import pytest

from hookbundle.engine.errors import StoreFull
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, program_in
from hookbundle.tests.running import running, started
from hookbundle.tests.storage.scratch import START_MS

MIB = 1 << 20


def limited(mib: int, program: str = PROGRAM) -> list[str]:
    return ["sh", "-c", f'ulimit -v {mib * 1_024}; exec "$0" "$@"', program]


async def test_a_daemon_works_with_900_mib_of_address_space(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver, running(program, command=limited(900)) as daemon:
        await daemon.make("acme", receiver)
        await daemon.accept("acme", event("m1"))
        await receiver.until(1)
        backup = await daemon.ask("POST", "/v1/backup", {"directory": str(tmp_path / "backup")})
        checked = await daemon.get("/v1/check")
        daemon.process.terminate()
        code = await daemon.ended()

    assert code == 0
    assert backup.document["findings"] == checked["findings"] == []


async def test_a_stop_without_memory_for_another_thread_ends(tmp_path: Path) -> None:
    program = program_in(tmp_path, STOP__WITHIN="1ms")
    async with running(program) as daemon:
        used = int(Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[0])
        most = used * resource.getpagesize() + MIB
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (most, most))
        daemon.process.terminate()

        await daemon.ended()


async def test_data_that_needs_more_is_called_sound(tmp_path: Path) -> None:
    env = open_environment(tmp_path / "data", START_MS)
    with env.write() as txn:
        for number in range(300):
            txn.put(b"?%d" % number, bytes(MIB))
    env.close()

    process = await started(program_in(tmp_path), command=limited(450))
    async with asyncio.timeout(TIMEOUT_S):
        _, said = await process.communicate()

    assert process.returncode == 1
    assert "too little address space, which is limited to 450 MiB" in said.decode()
    assert "The data is not damaged: raise the limit" in said.decode()
    assert "backup" not in said.decode()


@pytest.mark.parametrize("spare_mib", [120])
def test_a_map_that_can_not_grow_is_a_full_store_and_stays_readable(
    tmp_path: Path, spare_mib: int
) -> None:
    env = open_environment(tmp_path / "data", START_MS, map_bytes=32 * MIB)
    if not (child := os.fork()):
        code = 70
        try:
            code = full_at(env, spare_mib)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    env.close()

    assert os.waitstatus_to_exitcode(status) == 64


def full_at(env: Environment, spare_mib: int) -> int:
    """The MiB of the map when it is full, if what was written can still be read."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + spare_mib * MIB
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    written = 0
    try:
        while True:
            with env.write() as txn:
                txn.put(b"?%d" % written, bytes(MIB // 2))
            written += 1
            env.grow_if_needed()
    except StoreFull as exc:
        if "the map of the data can't grow: there is too little address space" not in str(exc):
            return 71
    with env.read() as txn:
        if sum(1 for key, _ in txn.cursor() if bytes(key).startswith(b"?")) != written:
            return 72
    return int(env.usage().map_bytes // MIB)

"""A file system of a few megabytes fills up under a working daemon, and then has space again.

The file system is a tmpfs in a mount namespace of the daemon; it disappears with the process.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Answer, connected, event, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.reliability.harness.battery import Planned, size
from hookbundle.tests.running import Running
from hookbundle.tests.shared_work.mounting import UNSHARE, small_disk, with_mounts

DISK_MIB = size(8, 48)
FILLER_MIB = DISK_MIB // 2
FLOORS = size(("0KiB",), ("0KiB", "1MiB"))
OPENS_WITHIN_S = 30.0
TEXT = "x" * 6_000
MESSAGES_A_REQUEST = 10
REFUSALS = 20
REQUESTS_MAX = 20_000

MOUNT = small_disk(DISK_MIB)


@dataclass(slots=True)
class Confined(Running):
    """A daemon whose data lies on a small disk. `filler` takes up half of it."""

    filler: Path = Path()


@asynccontextmanager
async def confined(folder: Path, floor: str) -> AsyncIterator[Confined]:
    data = folder / "data"
    data.mkdir()
    program = program_in(folder, STORAGE__FLOOR=floor, STORAGE__RESERVE="256KiB")
    process = await asyncio.create_subprocess_exec(
        *with_mounts(MOUNT, data),
        "run",
        env=program.env,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with connected(program.socket_path) as session:
            daemon = Confined(session, process)
            await daemon.says("ready")
            seen_from_here = f"/proc/{process.pid}/root{data.resolve()}"
            daemon.filler = Path(seen_from_here, "filler")
            daemon.filler.write_bytes(bytes(FILLER_MIB << 20))
            yield daemon
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture(autouse=True)
def namespaces(tmp_path: Path) -> None:
    """Skips the test where the machine allows no mount in a namespace."""
    command = [*UNSHARE, "sh", "-c", MOUNT, str(tmp_path)]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `unshare` on this machine")
    if tried.returncode:
        pytest.skip(f"no file system can be mounted here: {tried.stderr.strip()}")


@pytest.mark.parametrize("floor", FLOORS)
async def test_a_disk_that_fills_up_refuses_messages_loses_none_and_goes_on_when_there_is_room(
    tmp_path: Path, floor: str
) -> None:
    planned = Planned(["accepted", "refused", "accepted again"])
    acknowledged: set[str] = set()
    async with receiving() as receiver, confined(tmp_path, floor) as daemon:
        await daemon.make("kept", receiver, "kept", aggregation="24h")
        await daemon.make("sent", receiver, "sent")
        await fill(daemon, acknowledged, planned)
        ready, alive = await daemon.ask("GET", "/readyz"), await daemon.ask("GET", "/healthz")
        before = len(acknowledged)

        async with asyncio.timeout(OPENS_WITHIN_S):
            daemon.filler.unlink()
            # Its log may have said so before, while the disk was filled.
            while (ready_again := await daemon.ask("GET", "/readyz")).status != 200:
                pass
        for ws in ("kept", "sent"):
            assert (await post(daemon, ws, 0, "after", acknowledged)).status == 202
            planned.saw("accepted again")
        await drained(daemon, receiver, acknowledged)
        checked = await daemon.get("/v1/check")
        daemon.process.terminate()
        code = await daemon.ended()

    taken = {f"{one.path}/{each}" for one in receiver.posts for each in one.message_ids}
    bodies = {(one.id, one.body) for one in receiver.posts}
    planned.check()
    assert (ready.status, alive.status, ready_again.status) == (503, 200, 200)
    assert "no messages" in ready.document["detail"]
    assert acknowledged == taken
    assert len(acknowledged) == before + 2 * MESSAGES_A_REQUEST
    assert len(bodies) == len({one.id for one in receiver.posts})
    assert checked["findings"] == []
    assert code == 0
    print(f"floor {floor}: {before} messages taken until the disk of {DISK_MIB} MiB was full")


async def fill(daemon: Confined, acknowledged: set[str], planned: Planned) -> None:
    """Sends messages until REFUSALS requests were refused, each with a Retry-After."""
    refused = 0
    for turn in range(REQUESTS_MAX):
        answer = await post(daemon, "kept" if turn % 2 else "sent", turn, "before", acknowledged)
        planned.saw("accepted" if answer.status == 202 else "refused")
        if answer.status != 202:
            assert answer.status in (503, 507), answer
            assert int(answer.headers["retry-after"]) >= 1
            refused += 1
        if refused == REFUSALS:
            return


async def post(daemon: Confined, ws: str, turn: int, when: str, acknowledged: set[str]) -> Answer:
    ids = [f"{when}-{turn}-{number}" for number in range(MESSAGES_A_REQUEST)]
    events = [event(one, f"chat{turn % 40}", text=TEXT) for one in ids]
    answer = await daemon.ask("POST", f"/v1/workspaces/{ws}/messages", events)
    if answer.status == 202:
        acknowledged |= {f"{ws}/{one}" for one in ids}
    return answer


async def drained(daemon: Confined, receiver: HookReceiver, acknowledged: set[str]) -> None:
    """Open windows are flushed, and everything acknowledged is at the receiver."""
    flushed = await daemon.ask("POST", "/v1/workspaces/kept/chats/flush")
    assert flushed.status in (200, 202), flushed
    status = await daemon.get("/v1/status")
    await receiver.until(status["totals"]["sealed"])

"""Copies that are damaged on their disk, and a disk that is full, on real nodes under traffic."""

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from hookbundle.server.cluster.partitions.placing import OF_ALL, of_workspace
from hookbundle.storage.database.files import DATA
from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.nodes import NodeProcess, cluster_of
from hookbundle.tests.reliability.cluster.test_failures import (
    WORKSPACES,
    Scene,
    long,
    under_traffic,
)
from hookbundle.tests.shared_work.mounting import UNSHARE, small_disk
from hookbundle.tests.storage.page_damage import LEAF, pages_of, zeros

WITHIN_S = 90.0
DISK_MIB = 6
STARTS_MAX = 4
PARTITIONS = 6
TEXT = "x" * 6_000
TICKS = os.sysconf("SC_CLK_TCK")


async def said(node: NodeProcess, *words: str) -> Any:
    """The JSON that the command prints, also if it found something."""
    ran = await node.program("cluster", *words, "--json")
    return json.loads(ran.out)


async def followed(asked: NodeProcess) -> tuple[str, int]:
    """Another node and a partition with traffic, whose copy it follows. It is none of those that
    are given up when the nodes that came last have theirs."""
    busy = {of_workspace(f"ws{number}", PARTITIONS) for number in range(WORKSPACES)}
    async with asyncio.timeout(WITHIN_S):
        while True:
            partitions = (await said(asked, "status"))["partitions"]
            others = [each for each in partitions if each["number"] != OF_ALL]
            is_settled = all(each["owner"] and len(each["copies"]) == 2 for each in others)
            for partition in others if is_settled else ():
                for copy in partition["copies"]:
                    is_other = copy["node"] != asked.name and copy["role"] == "following"
                    if is_other and partition["number"] in busy:
                        return copy["node"], int(partition["number"])
            await asyncio.sleep(0.2)


async def until_equal(asked: NodeProcess, name: str, number: int) -> None:
    """The node follows again, and its copy is as its owner's."""
    found, end = None, time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        found = (await said(asked, "check"))["partitions"][number]
        if any(copy["node"] == name and copy["same"] for copy in found["copies"]):
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"not equal in time: {found}")


async def kept_running(node: NodeProcess, asked: NodeProcess, number: int) -> int:
    """The node is started again whenever it ends, as a service manager would; how often it was."""
    starts = 0

    async def start_again() -> None:
        nonlocal starts
        while True:
            if not node.is_running:
                starts += 1
                assert starts <= STARTS_MAX, node.log()[-3_000:]
                node.start()
            await asyncio.sleep(0.1)

    keeping = asyncio.create_task(start_again())
    try:
        await until_equal(asked, node.name, number)
    finally:
        keeping.cancel()
    return starts


def wreck(data: Path) -> int:
    """Every page with records is lost, as when a disk returns nothing; how many."""
    lost = pages_of(data, LEAF)
    for page in lost:
        zeros(data, page)
    return len(lost)


@long
async def test_a_followers_file_is_overwritten_while_it_is_followed(
    tmp_path: Path, nats: LogServers
) -> None:
    async with under_traffic(tmp_path, nats) as scene:
        await damaged(scene, is_stopped=False)


@long
async def test_a_followers_file_is_overwritten_while_its_node_is_stopped(
    tmp_path: Path, nats: LogServers
) -> None:
    async with under_traffic(tmp_path, nats) as scene:
        await damaged(scene, is_stopped=True)


async def damaged(scene: Scene, *, is_stopped: bool) -> None:
    a = scene.made.node("a")
    name, number = await followed(a)
    b = scene.made.node(name)
    data = b.copies / f"{number:03}" / DATA
    if is_stopped:
        assert await b.stop() == 0
    pages = wreck(data)
    starts = await kept_running(b, a, number)
    broken = b.log().count('"event": "the copy is broken"')
    how = "while its node was stopped" if is_stopped else "while it was followed"
    gap_s = await scene.ends_well(
        f"{pages} pages of a copy overwritten {how}: the node was started {starts} times, "
        f"{broken} times broken"
    )
    assert gap_s < 20


@pytest.fixture
def small_disks(tmp_path: Path) -> None:
    """Skips the test where the machine allows no mount in a namespace."""
    command = [*UNSHARE, "sh", "-c", small_disk(1), str(tmp_path)]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `unshare` on this machine")
    if tried.returncode:
        pytest.skip(f"no file system can be mounted here: {tried.stderr.strip()}")


@pytest.mark.usefixtures("small_disks")
async def test_a_full_disk_at_a_follower_costs_nobody_anything_and_is_followed_on(
    tmp_path: Path, nats: LogServers
) -> None:
    async with cluster_of(
        tmp_path,
        nats,
        nodes=2,
        partitions=1,
        disks={"b": DISK_MIB},
        STORAGE__FLOOR="0KiB",
        STORAGE__RESERVE="64KiB",
    ) as made:
        a, b = made.nodes
        assert (await said(a, "drain", "b"))["owns"] == 0
        assert b.process is not None
        seen_from_here = f"/proc/{b.process.pid}/root"
        filler = Path(f"{seen_from_here}{b.copies.parent}/filler")
        async with connected(a.socket_path) as session:
            api = Api(session)
            for name in ("ws0", "ws1", "ws2", "ws3"):
                assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            await until_equal(a, "b", 0)
            filler.write_bytes(bytes(free_of(filler.parent) - (64 << 10)))
            for number in range(40):
                for name in ("ws0", "ws1", "ws2", "ws3"):
                    await api.accept(name, event(f"m{number}", "chat", text=TEXT))
            await b.until_says("the copy is broken", 2)
            status = await said(a, "status")
            here = await said(b, "status")
            before_s, lines = busy_s(b), b.log().count("\n")
            for number in range(40, 60):
                await api.accept("ws0", event(f"m{number}", "chat", text=TEXT))
                await asyncio.sleep(0.1)
            spent_s, written = busy_s(b) - before_s, b.log().count("\n") - lines
            assert b.is_running
            filler.unlink()
            await until_equal(a, "b", 0)
        after = await said(b, "status")

    print(f"a full disk: {spent_s:.2f} s of the processor, {written} lines of the log in 2 s")
    assert any("copies of b are broken" in each for each in status["warnings"]), status["warnings"]
    assert any("is full" in each for each in here["warnings"]), here["warnings"]
    assert spent_s < 1.5
    assert written < 20
    assert not any("copies of b" in each for each in after["warnings"]), after["warnings"]
    assert "made anew" not in b.log()


def free_of(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def busy_s(node: NodeProcess) -> float:
    """What the process has used of the processor."""
    assert node.process is not None
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS

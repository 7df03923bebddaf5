"""docs/cluster.md, followed as it stands: upgrades, backups, comparisons, and lost log servers.

Long forms (`make cluster-table`): each starts a cluster as the page says. That its commands are
there at all is seen in each run (test_every_command.py).
"""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.docs.cluster.following import Page
from hookbundle.tests.docs.cluster.machines import LOG_SERVERS, Machine, Machines, machines
from hookbundle.tests.docs.cluster.scenes import LOOK_S, WITHIN_S, quiet, status, under_traffic
from hookbundle.tests.docs.pages import Block, When
from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.reliability.cluster.operating.later import LATER, VERSION, later_version
from hookbundle.tests.reliability.harness.battery import FULL

FEW = 6  # partitions; the page's 32 take their time, and show no more
CONFIG = Path("etc/hookbundle/config.toml")
GOES_ON = {"owner", "following", "claiming", "yielding"}
SERVER = Path("etc/nats/nats-server.conf")

pytestmark = [
    pytest.mark.skipif(not FULL, reason="long form: make cluster-table"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here"),
]


async def accepted(machine: Machine, message: str) -> Any:
    async with connected(machine.socket_path) as session:
        await Api(session).ask("POST", "/v1/workspaces", {"id": "acme"})
        return await Api(session).accept("acme", event(message))


async def until_all_stopped(machine: Machine) -> None:
    """What the page says that a node shows when the log servers' disks are lost: no copy goes
    on."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + WITHIN_S
    while True:
        seen = await status(machine)
        roles = {copy["role"] for each in seen["partitions"] for copy in each["copies"]}
        if seen["record_lost"] and not roles & GOES_ON:
            return
        assert loop.time() < until_s, (seen["record_lost"], roles, seen["warnings"])
        await asyncio.sleep(LOOK_S)


def lose_disks(at: Machines) -> None:
    for name in LOG_SERVERS:
        at[name].kill("nats-server")
        shutil.rmtree(at[name].root / "var" / "lib" / "nats")


async def test_nodes_are_upgraded_one_after_the_other_as_the_page_says(tmp_path: Path) -> None:
    later = later_version(tmp_path / "later")
    nodes = ("a", "b", "c")
    with machines() as at:
        page = Page(at, partitions=FEW)
        async with under_traffic(at, page) as clients:
            await quiet(at["a"], *nodes)
            for name in nodes:

                async def installs(block: Block, name: str = name) -> None:
                    if block.when is When.NEVER:
                        at[name].terminal.runs(f"export PYTHONPATH={later.path}")

                await page.follow("One node after the other", on=name, before=installs)
                await quiet(at["a"], *nodes, needs_nobody=False)
                await clients.more(5)
            before = await status(at["b"])
            await page.follow("At the end")
            await clients.more(5)
            after = await status(at["b"])
            await quiet(at["a"], *nodes)

    assert {each["version"] for each in before["nodes"]} == {VERSION}
    assert (before["schema"], before["upgrade"]) == (SCHEMA, LATER)
    assert (after["schema"], after["upgrade"]) == (LATER, None)


async def test_copies_are_compared_and_a_backup_becomes_a_cluster_as_the_page_says() -> None:
    with machines() as at:
        page = Page(at, partitions=FEW)
        await page.follow("Start one")
        await quiet(at["a"], "a", "b", "c")
        await accepted(at["a"], "m1")
        await page.follow("Check")
        for node in at.nodes:  # the log servers have the cluster of before still
            path = node.root / CONFIG
            path.write_text(path.read_text().replace("[cluster]", '[cluster]\nname = "again"'))
        await page.follow("Back up")
        await quiet(at["a"], "a", "b", "c")
        known = await accepted(at["b"], "m1")

    assert known["duplicate"] == 1


async def test_lost_disks_of_log_servers_are_recovered_from_as_the_page_says() -> None:
    with machines() as at:
        page = Page(at, partitions=FEW)
        await page.follow("Start one")
        await quiet(at["a"], "a", "b", "c")
        await accepted(at["a"], "m1")

        async def stopped(block: Block) -> None:
            if block.terminal == "On a":
                await until_all_stopped(at["a"])

        lose_disks(at)
        await page.follow("All of them, or all but one", before=stopped)
        await quiet(at["a"], "a", "b", "c")
        known = await accepted(at["b"], "m1")

        for name in ("b", "c"):
            at[name].kill("hookbundle")
            shutil.rmtree(at[name].data)
        lose_disks(at)
        settings = at["n1"].root / SERVER
        with_routes = settings.read_text()
        settings.write_text(with_routes[: with_routes.index("cluster {")])
        await page.follow("When only one machine is left", before=stopped)
        await quiet(at["a"], "a", needs_nobody=False)
        await accepted(at["a"], "m2")

        at["n1"].kill("nats-server")  # three machines again
        shutil.rmtree(at["n1"].root / "var" / "lib" / "nats")
        settings.write_text(with_routes)
        for name in LOG_SERVERS:
            at[name].terminal.runs("systemctl enable --now nats-server")
        await until_all_stopped(at["a"])
        code, printed = at["a"].terminal.runs("hookbundle cluster recover --from a --replicas 3")
        again = await accepted(at["a"], "m2")

    assert known["duplicate"] == 1
    assert code == 0, printed
    assert again["duplicate"] == 1

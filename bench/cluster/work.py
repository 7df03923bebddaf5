"""What a cluster adds to a message: thousands of instructions of the owner and of a follower.

A process has the roles of two nodes for one partition, over three real log servers. The owner's
Store commits what it is given, in a thread of its own, as in a node; each group is collected,
appended, acknowledged, and put into its copy. The follower reads groups that wait for it, many at
once, as if it had been away; or it looks after each one, as if it kept up, and what the owner does
is taken away from what both do. Beside that stands the Store of a daemon alone for the same
messages. Intake is in none of it: it is the same for all.

Instructions are callgrind's, the kernel's not counted. So the log servers' work is not in it.
Run it as `python bench/cluster/work.py [--quick] [KIND…]`.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.messages import Host, Look
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.role import RoleActor
from hookbundle.actors.replication.waiting import Wait
from hookbundle.bench import filling, harness
from hookbundle.bench.alone.on_this_thread import Alone, filled
from hookbundle.bench.alone.store import DAY_MS, MESSAGES, Messages
from hookbundle.bench.cluster.made import SERVERS, log_servers, make
from hookbundle.bench.harness import Value
from hookbundle.bench.instructions import counting
from hookbundle.bench.instructions.counting import Counted
from hookbundle.bench.processes.serve import SlowLoop
from hookbundle.engine.replication.names import Names
from hookbundle.engine.replication.renewal import Rules
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.copies import open_copy

KINDS = ("single_alone", "single", "many", "one")
CLUSTER = "work"
NODES = ("a", "b")
STEPS = ("daemon", "owner", "both", "follower")


def run(quick: bool, kinds: tuple[str, ...] = KINDS) -> dict[str, Value]:
    """Of a message, and of a group. `owner_loop`: all but its Store's thread."""
    if not counting.can_count():
        return {}
    found: dict[str, Value] = {}
    with log_servers() as servers, harness.data_directory() as data:
        urls = ",".join(servers.urls)
        with Counted(data, "cluster/work.py", "worker", data, urls, from_start=False) as counted:
            counted.process.hear()
            for kind in kinds:
                found |= _of_kind(counted, kind, 4 if quick else 20)
    return found


def _of_kind(counted: Counted, kind: str, commits: int) -> dict[str, Value]:
    counts = {}
    for step in STEPS:
        for is_counted in (False, True):  # what is made once is made
            counted.process.ask(f"{step} {kind} {commits}")
            if is_counted:
                counted.begin()
            counted.process.ask()
        counts[step] = counted.end()
    of_group = MESSAGES[kind].chats * MESSAGES[kind].messages
    owner, daemon = counts["owner"].all, counts["daemon"].all
    parts = {
        "daemon_store": daemon,
        "owner": owner,
        "owner_more": owner - daemon,
        "owner_loop": counts["owner"].main,
        "follower": counts["follower"].all,
        "follower_that_keeps_up": counts["both"].all - owner,
    }
    found: dict[str, Value] = {}
    for name, count in parts.items():
        found[f"{kind}_{name}_thousand"] = round(count / commits / of_group / 1_000, 1)
        found[f"{kind}_{name}_group_thousand"] = round(count / commits / 1_000, 1)
    return found


# ---- the process that is measured


class HostAlone(Host):
    """Of a node that has nothing but its copy, and a Store while it owns it."""

    def __init__(self, path: Path, threads: ThreadPoolExecutor) -> None:
        self._path = path
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self.store: Alone | None = None

    def open_copy(self) -> Environment | None:
        return open_copy(self._path, filling.now_ms())

    def new_copy(self) -> NewCopy:
        return NewCopy(self._path)

    def drop_copy(self) -> None:
        raise AssertionError

    def distrust_copy(self) -> None:
        raise AssertionError

    def left_over(self) -> bool:
        return False

    def raise_schema(self, schema: int) -> None:
        raise AssertionError

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        return await self._loop.run_in_executor(self._threads, work)

    async def in_turn(self, work: Callable[[], Any]) -> Any:
        return await self.in_thread(work)

    async def own(self, env: Environment, agree: Agree) -> None:
        self.store = Alone(env, agree)

    def confirm(self) -> None:
        pass

    def go_on(self) -> None:
        pass

    async def disown(self, *, finish: bool) -> None:
        raise AssertionError

    def wait(self, work: Any) -> Any:
        return Wait(self._loop, work).result()


class Both:
    """The roles of two nodes, of which the first owns the partition."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self._stores = ThreadPoolExecutor(1)
        threads = ThreadPoolExecutor(1)
        self.hosts = [HostAlone(folder / name, threads) for name in NODES]
        self.roles = []
        for name, host in zip(NODES, self.hosts, strict=True):
            raw = NatsLog(connection, Names(CLUSTER), 0, SERVERS)
            life = Life(f"life{name}", SCHEMA, filling.now_ms)
            role = RoleActor(name, "", SCHEMA, raw, life, host, Rules(generation_bytes=1 << 40))
            role.begin()
            self.roles.append(role)

    async def begin(self) -> None:
        while self.roles[0].state.role is not Role.OWNER:
            await self.look(0, owns=True)
        while self.roles[1].state.role is not Role.FOLLOWING:
            await self.look(1)
        store = self.hosts[0].store
        assert store is not None
        self.messages = Messages(store)

    async def in_store(self, work: Callable[..., Any], *given: object) -> Any:
        """In the Store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._stores, work, *given)

    async def look(self, number: int, *, owns: bool = False) -> None:
        lives = {name: f"life{name}" for name in NODES}
        look = Look(holds=True, owns=owns, lives=lives, assigned=NODES)
        await self.roles[number].actor_ref.ask(look, block=False)

    @property
    def behind(self) -> int:
        at = [role.state.copy_at().seq for role in self.roles]
        return at[0] - at[1]


async def work(data: Path, urls: str) -> None:
    connection = Connection(Servers(urls=tuple(urls.split(","))), "bench")
    await connection.open()
    await _make_cluster(data, urls)
    both = Both(data, connection)
    await both.begin()
    alone = Messages(Alone(filled(data / "alone", aggregation_ms=DAY_MS)))
    harness.say({"ready": True})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        step, kind, commits = line.split()
        messages = alone if step == "daemon" else both.messages
        groups = [await both.in_store(messages.job, kind, 1) for _ in range(int(commits))]
        while both.behind:
            await both.look(1)
        if step == "follower":
            for group in groups:
                await both.in_store(group)
        harness.say({"ready": step})
        await loop.run_in_executor(None, sys.stdin.readline)
        if step == "follower":
            groups = []
            await both.look(1)
        for group in groups:
            await both.in_store(group)
            if step == "both":
                await both.look(1)
        harness.say({"done": step})


async def _make_cluster(data: Path, urls: str) -> None:
    with tempfile.TemporaryDirectory(dir=data) as folder:
        env = filled(Path(folder) / "000", aggregation_ms=DAY_MS)
        env.close()
        await make(urls.split(","), CLUSTER, 1, Path(folder))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["worker", given_data, given_urls]:
            sys.setswitchinterval(sys.getswitchinterval() * counting.SLOWER_BY)
            with asyncio.Runner(loop_factory=SlowLoop) as runner:
                runner.run(work(Path(given_data), given_urls))
        case given:
            some = tuple(each for each in given if each in KINDS)
            harness.show("What a cluster adds", run("--quick" in given, some or KINDS))

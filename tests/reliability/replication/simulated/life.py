"""A life of a cluster of three nodes and one partition. Its seed alone decides what happens.

Real: the role's machine, the follower, the appending, the chain rule, the Store with its groups,
all transitions that are submitted, and LMDB. Simulated: time, the servers of the log, the threads,
the nodes' beats. At the end all faults are over, and everything must be as if there had been none.
"""

import asyncio
from typing import Any

from hookbundle.actors.replication.generations import begin
from hookbundle.actors.replication.log import Life as LogLife
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.roles import Role
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.replication.copies import Rewritten
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.transitions.notes import Confirm
from hookbundle.tests.reliability.replication.simulated.client import Client
from hookbundle.tests.reliability.replication.simulated.cluster import (
    ENTRY_BYTES_MAX,
    FIRST,
    LATEST_S,
    LOOK_S,
    NAMES,
)
from hookbundle.tests.reliability.replication.simulated.fake_log import FakeLog
from hookbundle.tests.reliability.replication.simulated.faults import Faults
from hookbundle.tests.reliability.replication.simulated.node import Node

QUIET_WITHIN_S = 200.0
PAGE = 1_000_000
CHATS = ("x", "y", "z")
DELETED = "z"


class Life(Faults):
    def run(self) -> None:
        """Raises: AssertionError if a promise was broken."""
        asyncio.set_event_loop(self._loop)
        try:
            task = self._loop.create_task(self._run())
            task.add_done_callback(lambda _: self._loop.stop())
            self._loop.run_to(self._loop.time() + self._seconds + QUIET_WITHIN_S + 100)
            assert task.done(), "the life does not end"
            task.result()
        finally:
            for node in self._nodes.values():
                node.kill()
            for left in asyncio.all_tasks(self._loop):
                left.cancel()
            self._loop.run_to(self._loop.time())
            self._loop.close()
            asyncio.set_event_loop(None)

    async def _run(self) -> None:
        raw = FakeLog(self._servers, ENTRY_BYTES_MAX)
        life = LogLife("init", SCHEMA, self._clock.now_ms)
        await begin(raw, self._base, FIRST, life, Chain(seq=0, epoch=0))
        await raw.begin_with(FIRST)
        for name in NAMES:
            self._start(name)
        clients = [
            Client(chat, self._running, self._clock, self.rng, deletes=chat == DELETED)
            for chat in CHATS
        ]
        tasks = [asyncio.ensure_future(client.run()) for client in clients]
        tasks += [asyncio.ensure_future(self._look(name)) for name in NAMES]
        faults = asyncio.ensure_future(self._faults())
        await asyncio.sleep(self._seconds)
        faults.cancel()
        self._heal()
        await asyncio.sleep(LATEST_S)
        for client in clients:
            client.stopped = True
        try:
            await asyncio.wait_for(self._end(clients, tasks[: len(clients)]), QUIET_WITHIN_S)
        except TimeoutError:
            roles = [node.in_words() for node in self._nodes.values()]
            raise AssertionError(f"the cluster does not come to rest: {roles}") from None
        self._is_over = True
        for each in (*tasks, faults):
            if each.done() and not each.cancelled():
                each.result()
        self._check(clients)

    # ---- what must hold

    async def _end(self, clients: list[Client], posting: list["asyncio.Task[None]"]) -> None:
        """The cluster has come to rest, and nothing is left of what was deleted."""
        await asyncio.wait(posting)
        for client in clients:
            while client.deletes and not await client.delete():
                await asyncio.sleep(LOOK_S)
        await self._quiet()
        before = self._servers.first
        while self._servers.first == before or len(self._servers.streams) > 1:
            if self._servers.first == before:
                await self._renew()
            await asyncio.sleep(1.0)
        for node in self._nodes.values():
            while not isinstance(await self._rewritten(node), Rewritten):
                await asyncio.sleep(LOOK_S)
        await self._quiet()

    async def _rewritten(self, node: Node) -> Rewritten | HookbundleError:
        answer: asyncio.Future[Rewritten | HookbundleError] = self._loop.create_future()
        node.rewrite(answer.set_result)
        return await answer

    async def _quiet(self) -> None:
        """One node owns the partition, says so, and the others have all that it has."""
        while True:
            await asyncio.sleep(LOOK_S)
            owners = [node for node in self._running() if node.owns]
            others = [node for node in self._running() if node.role.state.role is Role.FOLLOWING]
            if len(owners) != 1 or len(others) != len(NAMES) - 1:
                continue
            confirmed = await self._ask(owners[0], Confirm())
            if confirmed is None and all(
                _dump(each.env) == _dump(owners[0].env) for each in others
            ):
                return

    async def _ask(self, node: Node, transition: Any) -> Any:
        answer: asyncio.Future[Any] = self._loop.create_future()
        if not node.submit(transition, answer.set_result):
            return HookbundleError("it owns no more")
        return await answer

    def _check(self, clients: list[Client]) -> None:
        canary = f"canary of {DELETED} ".encode()
        for stream in self._servers.streams.values():
            assert not any(canary in entry.body for entry in stream), "a log has what was deleted"
        for node in list(self._nodes.values()):
            for file in (self._folder / node.name).rglob("*"):
                assert canary not in file.read_bytes(), f"{file} has what was deleted"
            events = FeedReader(node.env).read(0, PAGE).events
            for client in clients:
                if not client.deletes:
                    client.check(events)
            with node.env.read() as txn:
                assert list(check(txn)) == []
            self._kill(node)
        self.acknowledged = sum(len(client.acknowledged) for client in clients)
        for name in self._servers.seen:
            self.seen[name] += 1


def _dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor() if key != keyspace.POSITION}

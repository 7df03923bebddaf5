"""What became of everything that was acknowledged, and whether all copies say the same.

The copies of nodes that have ended are followed to the end of the log, and compared record by
record with one that is made from the log alone.
"""

import asyncio
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import join
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_as
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.copies import Copy
from hookbundle.storage.maintenance.check import check
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.reliability.cluster.clients import Client, Traffic

ARRIVED_WITHIN_S = 90.0
READ_WITHIN_S = 60.0


class HasCopies(Protocol):
    """A node's copies, by the numbers of partitions."""

    @property
    def copies(self) -> Path: ...


class Audited(Protocol):
    """A cluster whose log servers run."""

    @property
    def names(self) -> Names: ...

    @property
    def partitions(self) -> int: ...

    @property
    def replicas(self) -> int: ...

    @property
    def nodes(self) -> Sequence[HasCopies]: ...

    async def connection(self) -> Connection: ...


@dataclass(frozen=True, slots=True)
class Audit:
    """`lost`: acknowledged, and in no delivery. `twice`: in more than one. `disordered`: chats.
    `again`: requests whose delivery had been sent before, with the same id. `differing`: copies
    that are not as the log says. `copies`: how many were compared, `records`: in all of them."""

    acknowledged: int
    lost: int
    twice: int
    disordered: int
    again: int
    copies: int = 0
    differing: int = 0
    records: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.disordered or self.differing)


async def arrived(traffic: Traffic, receiver: HookReceiver) -> Audit:
    """Once everything that was acknowledged has come, or it was waited for long enough."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + ARRIVED_WITHIN_S
    while (found := _deliveries(traffic, receiver)).lost and loop.time() < until_s:
        await asyncio.sleep(0.1)
    return found


def _deliveries(traffic: Traffic, receiver: HookReceiver) -> Audit:
    lost = twice = disordered = 0
    for client in traffic.clients:
        of_message: dict[str, set[str]] = defaultdict(set)
        first_seen: dict[str, list[str]] = {}
        for post in receiver.at(client.workspace):
            first_seen.setdefault(post.id, post.message_ids)
            for message in post.message_ids:
                of_message[message].add(post.id)
        lost += sum(message not in of_message for message in client.acknowledged)
        twice += sum(len(ids) > 1 for ids in of_message.values())
        disordered += not _in_order(client, first_seen)
    posts = receiver.posts
    again = len(posts) - len({post.id for post in posts})
    return Audit(traffic.acknowledged, lost, twice, disordered, again)


def _in_order(client: Client, deliveries: dict[str, list[str]]) -> bool:
    seen = [int(message[1:]) for ids in deliveries.values() for message in ids]
    return seen == sorted(seen)


async def copies_of(made: Audited, audit: Audit) -> Audit:
    """The same with the copies of the nodes, all of which have ended."""
    connection = await made.connection()
    compared = differing = records = 0
    try:
        for number in range(made.partitions):
            raw = NatsLog(connection, made.names, number, made.replicas)
            with tempfile.TemporaryDirectory() as folder:
                wanted = await _from_the_log(raw, Path(folder))
            for node in made.nodes:
                path = node.copies / f"{number:03}"
                if not (path / DATA).exists():
                    continue
                compared += 1
                found = await _followed(raw, path)
                records += len(found)
                differing += found != wanted
    finally:
        await connection.close()
    return Audit(
        audit.acknowledged,
        audit.lost,
        audit.twice,
        audit.disordered,
        audit.again,
        compared,
        differing,
        records,
    )


async def _from_the_log(raw: RawLog, folder: Path) -> dict[bytes, bytes]:
    async with asyncio.timeout(READ_WITHIN_S):  # servers that are just back do not answer at first
        for attempt in itertools.count():
            path = folder / f"copy{attempt}"
            if await join(raw, partial(NewCopy, path), _here) is not None:
                break
            await asyncio.sleep(0.5)
    return await _followed(raw, path, is_checked=True)


async def _followed(raw: RawLog, path: Path, *, is_checked: bool = False) -> dict[bytes, bytes]:
    """The copy's records. One that has to have those of another one need not be checked as well."""
    env = open_as(Copy, path, 1)
    try:
        await Follower(raw, env, Life("audit", SCHEMA, lambda: 1), _here).catch_up()
        # Of a later schema only a later version knows what is right.
        if is_checked and env.identity.schema <= SCHEMA:
            with env.read() as txn:
                found = [str(each) for each in check(txn)]
            assert not found, f"check finds faults in {path}: {found[:3]}"
        return _dump(env)
    finally:
        env.close()


def _dump(env: Environment) -> dict[bytes, bytes]:
    with env.read() as txn:
        return {bytes(key): bytes(value) for key, value in txn.cursor() if key != keyspace.POSITION}


async def _here(work: Callable[[], Any]) -> Any:
    return work()


def shown(what: str, gap_s: float, audit: Audit, answers: Sequence[Client]) -> str:
    statuses: dict[int, int] = defaultdict(int)
    for client in answers:
        for status, count in client.answers.items():
            statuses[status] += count
    said = ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(statuses.items()))
    return (
        f"{what}: longest gap {gap_s:.2f} s; {audit.acknowledged} acknowledged, {audit.lost} lost, "
        f"{audit.twice} in two deliveries, {audit.disordered} chats out of order, "
        f"{audit.again} requests sent again with the same id; {audit.copies} copies with "
        f"{audit.records} records, {audit.differing} differ; answers {said}"
    )

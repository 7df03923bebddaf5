"""How far the logs of all partitions had come at one moment: what a backup has to have at least.

Each owner is asked for it, and asks its log before it answers. So it is certain that everything
that any node has acknowledged before stands in the log up to there, also if another one owned the
partition then.
"""

import asyncio

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.engine.replication.entries import Generation
from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication import position

PATH = "/cluster/reached"
WITHIN_S = 20.0  # for a log that does not answer; its servers elect a leader in some 6
AT_ONCE = 8  # partitions that are asked


class Reached(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A place in a log; a greater one comes later. `number`, `epoch`: of the generation."""

    number: int
    epoch: int
    seq: int


def reached_by(env: Environment) -> Reached:
    """How far a copy has come. Raises: CorruptRecord."""
    with env.read() as txn:
        at = position.read(txn)
    assert at is not None, "a copy has a position"
    generation = Generation.read(at.generation)
    return Reached(generation.number, generation.epoch, at.seq)


async def all_reached(partitions: int, ask: Ask) -> list[Reached]:
    """Of each partition, by number. Raises: HookbundleError that names those without an answer."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Reached | None:
        async with turn:
            try:
                async with asyncio.timeout(WITHIN_S):
                    answered = await ask(number, Asked("GET", PATH, ()))
            except (HookbundleError, TimeoutError):
                return None
        if answered.status != 200:
            return None
        return msgspec.msgpack.decode(answered.body, type=Reached)

    found = await asyncio.gather(*map(one, range(partitions)))
    missing = [number for number, each in enumerate(found) if each is None]
    if missing:
        raise Overloaded.of(Code.PARTS_MISSING, missing=", ".join(map(str, missing)))
    return [each for each in found if each is not None]


async def answer(owned: Owned, request: web.Request) -> web.Response:
    """`GET /cluster/reached`, of another node or this one."""
    await owned.partition.store_queue.confirmed()
    return web.Response(body=msgspec.msgpack.encode(reached_by(owned.partition.env)))

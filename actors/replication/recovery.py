"""A log that has lost something begins anew, with the copy of one node.

    1  is the copy's log writable still, and does it agree with the copy: the partition is claimed
       in it, so that nobody else writes; else it is nobody's, because all have stopped
    2  a new generation: the records of the copy, under a new epoch of the database, and `begin`
    3  all other generations are deleted, so that nobody can write to them
    4  the new one is what nodes begin with

The copy is not touched, and after each step the same can be done again: until the last one all
copies stay as they are, and what an earlier try has left is deleted in the third.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import InThread, begin, empty, write_base
from hookbundle.actors.replication.log import Life, RawLog
from hookbundle.actors.replication.messages import Recovered
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, Fenced, LogDamaged, Overloaded
from hookbundle.engine.replication.chain import NO_ROWS, Chain
from hookbundle.engine.replication.entries import (
    NUMBER_MAX,
    Begin,
    Claim,
    Generation,
    Kind,
    in_order,
    pack,
    pack_rows,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.maintenance.copying import is_erasing
from hookbundle.storage.maintenance.replication.anew import rows_anew

ASKED, AGAIN_S = 10, 0.5


async def has_begun_anew(raw: RawLog, generation: Generation) -> bool:
    """Whether nodes begin with a later generation, which is there: what a copy has that reads an
    earlier one, and can't go on with it, is in the later one, or was given up."""
    oldest = await raw.oldest()
    if oldest is None or oldest.number <= generation.number:
        return False
    try:
        return bool(await raw.last(oldest))
    except LogDamaged:
        return False


async def recovered(
    follower: Follower, claim: Claim, above: Sequence[Generation], in_thread: InThread
) -> Recovered:
    """The log begins with the copy of the follower, which is to be joined anew then.

    `above`: generations that were heard of; the new one is above all of them.

    Raises: Conflict if another node has claimed the partition meanwhile; Overloaded if the log
        servers do not say what they have; StorageError.
    """
    raw, env, life = follower.log.raw, follower.env, follower.log.life
    is_ours = await _is_claimed(follower, claim)
    at = await in_thread(follower.position)
    here = Generation(Generation.read(at.generation).number, follower.log.chain.epoch)
    generation = await _next(raw, [*above, here])
    new = await empty(raw, generation, life)
    records = await write_base(new, env, in_thread)
    detail = f"from the copy of node {claim.node}, at entry {at.seq} of generation {at.generation}"
    anew = await in_thread(partial(rows_anew, env, life.now_ms(), detail))
    await new.append(Kind.GROUP, pack_rows(in_order(anew)))
    erased_ms = at.erased_ms
    if erased_ms is None and await in_thread(partial(is_erasing, env)):
        erased_ms = life.now_ms()
    await new.append(Kind.BEGIN, pack(Begin(records, erased_ms=erased_ms)))
    if is_ours:
        await _still_ours(follower)
    await _begin_with(raw, generation)
    return Recovered(generation, records)


async def begun_empty(
    raw: RawLog, env: Environment, life: Life, above: Sequence[Generation]
) -> Recovered:
    """The log begins with the database, which has nothing: nobody has anything of the partition.

    Raises: StorageError.
    """
    generation = await _next(raw, above)
    records = await begin(raw, env, generation, life, Chain(seq=0, epoch=generation.epoch))
    await _begin_with(raw, generation)
    return Recovered(generation, records)


async def _next(raw: RawLog, above: Sequence[Generation]) -> Generation:
    """One that is later than all that there are. Raises: StorageError."""
    # Beats are not proven: the name of one that was heard of may be anything.
    heard = [each for each in above if max(each) < NUMBER_MAX // 2]
    known = [*await raw.generations(), *heard]
    number = max((each.number for each in known), default=0) + 1
    return Generation(number, max((each.epoch for each in known), default=0) + 1)


async def _begin_with(raw: RawLog, generation: Generation) -> None:
    """Raises: StorageError."""
    # In this order: once nodes begin with the new one, nobody may still write to another.
    for each in await raw.generations():
        if each != generation:
            await raw.delete(each)
    await raw.begin_with(generation)


async def _is_claimed(follower: Follower, claim: Claim) -> bool:
    """True if the log agrees with the copy, which has all of it, and nobody else can write to it.

    False if it does not agree. Raises: Conflict; Overloaded.
    """
    follower.start_again()
    follower.is_known = False
    try:
        for _ in range(ASKED):
            await follower.catch_up()
            if follower.is_known:
                break
            await asyncio.sleep(AGAIN_S)
        else:
            raise Overloaded.of(Code.LOG_WAITS)
        if not await follower.log.claim(claim):
            raise Conflict.of(Code.CLAIMED_MEANWHILE)
    except LogDamaged:
        return False
    return True


async def _still_ours(follower: Follower) -> None:
    """Raises: Conflict if another node has written to the log since it was claimed."""
    try:
        await follower.log.append(Kind.GROUP, NO_ROWS)
    except Fenced as exc:
        raise Conflict.of(Code.CLAIMED_MEANWHILE) from exc
    except LogDamaged:
        return  # it is lost now, and nobody's

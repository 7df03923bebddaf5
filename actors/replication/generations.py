"""Generations of a log: how one is begun from a database, and how a node without a copy joins it.

A generation becomes part of the log by the `end` of the one before, which points to it. Beside it
there may be others, complete or not, of owners that died or were fenced before their `end` stood
there. Their names do not tell: a node that was frozen for an hour may make one today. So which is
the oldest that is part of the log is kept beside it, and moved on only after an `end` was acked.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from hookbundle.actors.replication.log import ENTRIES_AT_ONCE, Life, Log, RawLog
from hookbundle.engine.replication.chain import Chain, Counts, Phase
from hookbundle.engine.replication.entries import (
    Begin,
    End,
    Generation,
    Kind,
    pack,
    pack_rows,
    unpack_rows,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication.base import NewCopy, chunks
from hookbundle.storage.database.replication.position import Position, Row

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs work on a database in the thread that writes it."""


async def begin(
    raw: RawLog, env: Environment, generation: Generation, life: Life, now: Chain
) -> int:
    """The generation holds the database as it is, and can be followed from the number returned.

    Nothing may be written meanwhile. `now`: the chain that it continues.

    Raises: Fenced if another writes to the same generation.
    """
    await raw.make(generation)
    epoch = generation.epoch
    log = Log(raw, generation, Chain(seq=0, epoch=epoch, phase=Phase.BASE), life, epoch)
    records = 0
    for chunk in chunks(env, raw.entry_bytes_max // 2):
        await log.append(Kind.BASE, pack_rows(dict(chunk)))
        records += len(chunk)
    return await log.append(Kind.BEGIN, pack(Begin(records, now.owner, now.claim)))


async def turn(log: Log, env: Environment) -> None:
    """The owner's log goes on in a new generation. Nothing may be written meanwhile.

    Raises: Fenced; what was made is left over then, and counts for nobody.
    """
    now = log.chain
    generation = Generation(log.generation.number + 1, now.epoch)
    seq = await begin(log.raw, env, generation, log.life, now)
    await log.append(Kind.END, pack(End(str(generation), seq)))
    go_on(log)
    await log.raw.begin_with(generation)


def go_on(log: Log) -> None:
    """The log that has ended is followed where it goes on. Raises: CorruptRecord."""
    before, end = log.chain, log.chain.end
    assert end is not None, "the log has not ended"
    log.generation = Generation.read(end.generation)
    log.chain = Chain(
        seq=end.from_,
        epoch=before.epoch,
        claim=before.claim,
        owner=before.owner,
        released_to=before.released_to,
        voids=before.voids,
    )


async def join(
    raw: RawLog, new_copy: Callable[[], NewCopy], in_thread: InThread
) -> Position | None:
    """The copy holds the base of the oldest generation; its position is returned.

    None if its base can't be read to its end yet. Raises: CorruptRecord, StorageError.
    """
    generation = await raw.oldest()
    if generation is None:
        return None
    copy: NewCopy = await in_thread(new_copy)
    try:
        at = await _read_base(raw, generation, copy, in_thread)
        if at is not None:
            await in_thread(lambda: copy.finish(at))
        return at
    finally:
        await in_thread(copy.close)


async def _read_base(
    raw: RawLog, generation: Generation, copy: NewCopy, in_thread: InThread
) -> Position | None:
    chain = Chain(seq=0, epoch=generation.epoch, phase=Phase.BASE)
    while entries := await raw.read(generation, chain.seq, ENTRIES_AT_ONCE):
        changed: list[Row] = []
        for entry in entries:
            verdict = chain.feed(entry)
            if not isinstance(verdict, Counts):
                continue
            if verdict.header.kind in (Kind.BASE, Kind.GROUP):
                changed += unpack_rows(verdict.body)
            elif verdict.header.kind is Kind.BEGIN:
                await in_thread(partial(copy.put, changed))
                return position_of(generation, chain)
        await in_thread(partial(copy.put, changed))
    return None


def position_of(generation: Generation, chain: Chain) -> Position:
    """Where a reader that holds all whole entries may go on."""
    return Position(
        str(generation),
        chain.whole,
        chain.epoch,
        chain.owner,
        chain.claim,
        chain.released_to,
    )


def chain_at(at: Position) -> Chain:
    """The chain of a reader that goes on from there."""
    return Chain(
        seq=at.seq,
        epoch=at.epoch,
        claim=at.claim,
        owner=at.owner,
        released_to=at.released_to,
    )

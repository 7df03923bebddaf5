"""Generations of a log: what one begins with, and how a node without a copy joins it.

A generation becomes part of the log by the `end` of the one before, which points to it. Beside it
there may be others, complete or not, of owners that died or were fenced before their `end` stood
there. Their names do not tell: a node that was frozen for an hour may make one today. So which is
the oldest that is part of the log is kept beside it, and moved on only after an `end` was acked.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from hookbundle.actors.replication.log import ENTRIES_AT_ONCE, Life, Log, RawLog
from hookbundle.engine.replication.chain import Chain, Counts, Phase
from hookbundle.engine.replication.entries import (
    Begin,
    Generation,
    Kind,
    pack,
    pack_rows,
    unpack_rows,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication.base import NewCopy, chunks
from hookbundle.storage.database.replication.position import Position, Row

PART_BYTES = 400_000
PARTS_IN_FLIGHT = 4

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs work on a database in the thread that writes it."""


async def begin(
    raw: RawLog, env: Environment, generation: Generation, life: Life, now: Chain
) -> int:
    """The generation holds the database as it is, and can be followed from the number returned.

    Nothing may be written meanwhile. `now`: the chain that it continues. A log that has a
    generation already goes on in another one by a `Renewal`.

    Raises: Fenced if another writes to the same generation.
    """
    new = await empty(raw, generation, life)
    records = await write_base(new, env, at_once)
    return await new.append(Kind.BEGIN, pack(Begin(records, now.owner, now.claim, now.erased_ms)))


async def empty(raw: RawLog, generation: Generation, life: Life) -> Log:
    """The generation, to be written to. Raises: StorageError."""
    await raw.make(generation)
    chain = Chain(seq=0, epoch=generation.epoch, phase=Phase.BASE)
    return Log(raw, generation, chain, life, generation.epoch, PART_BYTES)


async def write_base(new: Log, env: Environment, in_thread: InThread) -> int:
    """All records are in the generation; returns how many. Never more than one entry in memory.

    Raises: Fenced; StorageError.
    """
    records = 0
    entries = _packed(chunks(env, new.part_bytes * PARTS_IN_FLIGHT))
    while (entry := await in_thread(lambda: next(entries, None))) is not None:
        count, body = entry
        await new.append(Kind.BASE, body)
        records += count
    return records


def _packed(found: Iterator[list[Row]]) -> Iterator[tuple[int, bytes]]:
    for chunk in found:
        yield len(chunk), pack_rows(chunk)


async def at_once(work: Callable[[], Any]) -> Any:
    """Runs work in the thread of the caller."""
    return work()


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
        unclaimed=before.unclaimed,
        mark=end.mark,
        schema=before.schema,
        base_bytes=end.base_bytes,
        begun_ms=end.begun_ms,
        erased_ms=end.erased_ms,
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
        chain.schema,
        chain.base_bytes,
        chain.group_bytes,
        chain.begun_ms,
        chain.erased_ms,
        chain.mark,
    )


def chain_at(at: Position) -> Chain:
    """The chain of a reader that goes on from there."""
    return Chain(
        seq=at.seq,
        epoch=at.epoch,
        claim=at.claim,
        owner=at.owner,
        released_to=at.released_to,
        schema=at.schema,
        base_bytes=at.base_bytes,
        group_bytes=at.group_bytes,
        begun_ms=at.begun_ms,
        erased_ms=at.erased_ms,
        mark=at.mark,
    )

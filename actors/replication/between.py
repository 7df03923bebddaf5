"""What a copy lacks until a place in its log: read by itself, while its follower goes on."""

import asyncio
from typing import NamedTuple

from hookbundle.actors.replication.generations import chain_at, go_on
from hookbundle.actors.replication.log import ENTRIES_AT_ONCE, Life, Log, RawLog
from hookbundle.engine.replication.chain import Counts
from hookbundle.engine.replication.entries import Generation, Kind, unpack_rows
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected

READER = Life("", 0, lambda: 0)  # it appends nothing
AGAIN_S = 0.1


class Place(NamedTuple):
    """In the log of a partition. The later one is the greater one."""

    generation: Generation
    seq: int


def place_of(at: Position) -> Place:
    """Raises: CorruptRecord."""
    return Place(Generation.read(at.generation), at.seq)


async def rows_between(
    raw: RawLog, at: Position, until: Place, most_bytes: int
) -> Collected | None:
    """The rows of the groups between the two; None if they are more bytes than that.

    Waits for as long as the servers do not say what stands there. Raises: CorruptRecord.
    """
    changed: Collected = {}
    size = 0
    log = Log(raw, Generation.read(at.generation), chain_at(at), READER)
    while Place(log.generation, log.chain.seq) < until:
        is_last = log.generation == until.generation
        left = until.seq - log.chain.seq if is_last else ENTRIES_AT_ONCE
        verdicts = await log.read(min(left, ENTRIES_AT_ONCE))
        if not verdicts:
            await asyncio.sleep(AGAIN_S)  # the server that was asked is behind
        for verdict in verdicts:
            if isinstance(verdict, Counts) and verdict.header.kind is Kind.GROUP:
                changed.update(unpack_rows(verdict.body))
                size += len(verdict.body)
        if size > most_bytes:
            return None
        if log.chain.end is not None:
            go_on(log)
    return changed

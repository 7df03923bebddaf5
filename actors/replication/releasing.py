"""What the log calls this life's is given away, without a Store that could say what came of it."""

from hookbundle.actors.replication.generations import go_on
from hookbundle.actors.replication.log import Life, Log
from hookbundle.engine.replication.entries import Kind, Release, pack


async def release(own: Log, life: Life) -> None:
    """As long as the log calls a life the owner, and it lives, nobody else claims.

    The log is read to its end, without its rows: the copy lies behind it then.
    Raises: Fenced if another has it by now; CorruptRecord.
    """
    while await own.read():
        if own.chain.end is not None:
            go_on(own)
    if own.chain.life == life.name:
        own.epoch = own.chain.epoch
        await own.append(Kind.RELEASE, pack(Release("")))

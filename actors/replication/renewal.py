"""The log of an owner goes on in a new generation, while the owner goes on working.

    1  the base, from the database, chunk by chunk
    2  the groups since, as they stand in the old generation, until few are left
    3  between two groups: the rest, `begin`, and `end` in the old generation

Only in the last step does a group wait; it takes three answers of the log. The `end` decides. If it
is refused, another owns the partition by now, and what was made is dropped; until it is answered,
nobody knows, as with any entry.

What the groups wrote is written anew under the epoch in the generation's name, several groups as
one entry: who reads a base reads all of it, so in between it need not be a database.
"""

import asyncio

from hookbundle.actors.replication.generations import (
    InThread,
    chain_at,
    empty,
    go_on,
    write_base,
)
from hookbundle.actors.replication.log import AGAIN_S, Log
from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.chain import Counts
from hookbundle.engine.replication.entries import (
    Begin,
    End,
    Generation,
    Kind,
    in_order,
    pack,
    pack_rows,
    unpack_rows,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.erasures import erases
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.maintenance.copying import is_erasing

FEW = 32  # entries of the log, which are copied while a group may wait


class Renewal:
    """`generation` is made, and `log`, the owner's, goes on in it.

    `using` is held by those who use `log`. `is_ending`: the `end` may stand in the log, so what was
    made must not be dropped. `stood_s`: for how long groups had to wait.
    """

    def __init__(
        self,
        log: Log,
        env: Environment,
        generation: Generation,
        in_thread: InThread,
        using: asyncio.Lock,
    ) -> None:
        self.generation = generation
        self.is_ending = False
        self.stood_s = 0.0
        self._log = log
        self._env = env
        self._in_thread = in_thread
        self._using = using
        self._records = 0
        self._erased_ms: int | None = None  # the first time since the base was begun

    async def prepare(self) -> None:
        """The new generation has the base, and nearly all groups since. May be cancelled.

        Raises: Fenced, StorageError; what was made is to be dropped then.
        """
        log = self._log
        self._new = await empty(log.raw, self.generation, log.life)
        # Before the first chunk: what the database did not have then is copied from the log.
        self._since: Log = await self._in_thread(self._reader)
        self._records = await write_base(self._new, self._env, self._in_thread)
        while self._left() > FEW:
            await self._copy()

    async def finish(self) -> None:
        """The log goes on in the new generation. Not to be cancelled.

        Raises: Fenced, CorruptRecord, StorageError.
        """
        log, new = self._log, self._new
        async with self._using:
            began_s = asyncio.get_running_loop().time()
            while self._left() > 0:
                await self._copy()
            now = log.chain
            begin = Begin(self._records, now.owner, now.claim, self._erased_ms)
            from_ = await new.append(Kind.BEGIN, pack(begin))
            base = new.chain
            end = End(
                str(self.generation),
                from_,
                base.base_bytes,
                base.begun_ms,
                base.erased_ms,
                base.mark,
            )
            self.is_ending = True
            await log.append(Kind.END, pack(end))
            go_on(log)
            self.stood_s = asyncio.get_running_loop().time() - began_s
        await log.raw.begin_with(self.generation)

    def _reader(self) -> Log:
        """Of the groups that the database does not have. Raises: CorruptRecord."""
        with self._env.read() as txn:
            at = position.read(txn)
        if at is None:
            raise CorruptRecord("the database has no position in a log")
        if is_erasing(self._env):  # else nothing that was deleted comes into the base
            self._erased_ms = at.erased_ms or self._log.life.now_ms()
        return Log(self._log.raw, Generation.read(at.generation), chain_at(at), self._log.life)

    def _left(self) -> int:
        """Entries of the log that are to be copied; one at least, while some are."""
        log, since = self._log, self._since
        if since.generation != log.generation:
            return FEW + 1
        return log.chain.whole - since.chain.whole

    async def _copy(self) -> None:
        """The next groups are in the new generation, if the log's servers have any to read."""
        since = self._since
        changed: Collected = {}
        verdicts = await since.read()
        for verdict in verdicts:
            if isinstance(verdict, Counts) and verdict.header.kind is Kind.GROUP:
                group = unpack_rows(verdict.body)
                if self._erased_ms is None and erases(group):
                    self._erased_ms = verdict.header.at_ms
                changed.update(group)
        if since.chain.end is not None:
            go_on(since)
        if changed:
            await self._new.append(Kind.GROUP, pack_rows(in_order(changed)))
        if not verdicts:
            await asyncio.sleep(AGAIN_S)  # a server was asked that is behind

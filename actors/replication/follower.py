"""A follower puts what counts in a partition's log into its copy.

It puts rows, and runs no transition, so it does not matter which version wrote them. Several groups
are one commit, together with the position after them. It writes in the thread that `in_thread`
names; while the node owns the partition, it rests, and the Store writes.
"""

from hookbundle.actors.replication.generations import InThread, chain_at, go_on, position_of
from hookbundle.actors.replication.log import Life, Log, RawLog
from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.chain import Counts
from hookbundle.engine.replication.entries import Generation, Kind, unpack_rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.erasures import erases
from hookbundle.storage.database.rows import Collected


class Follower:
    """`log` is where the copy `env` has come to; the owner appends to it."""

    def __init__(self, raw: RawLog, env: Environment, life: Life, in_thread: InThread) -> None:
        """Raises: CorruptRecord if the database is no copy of a log."""
        self.env = env
        self._raw = raw
        self._life = life
        self._in_thread = in_thread
        self._voids = 0
        self.log = self._log()

    def start_again(self) -> None:
        """The log is read from the copy's position on, after its reader had come further.

        So it is when a claim was lost, or an owner's group could not be committed.
        """
        self._voids += self.log.chain.voids
        self.log = self._log()

    @property
    def voids(self) -> int:
        """Entries that count for nobody, of those that were read since the copy was opened."""
        return self._voids + self.log.chain.voids

    def _log(self) -> Log:
        with self.env.read() as txn:
            at = position.read(txn)
        if at is None:
            raise CorruptRecord("the database has no position in a log")
        return Log(self._raw, Generation.read(at.generation), chain_at(at), self._life)

    async def catch_up(self) -> None:
        """The copy holds all that can be read. Raises: CorruptRecord, StorageError."""
        while await self.step():
            pass

    async def step(self) -> bool:
        """The next entries are in the copy; False if there were none."""
        log, counts = self.log, False
        changed: Collected = {}
        verdicts = await log.read()
        for verdict in verdicts:
            if isinstance(verdict, Counts):
                counts = True
                if verdict.header.kind is Kind.GROUP:
                    group = dict(unpack_rows(verdict.body))
                    if erases(group):
                        log.chain.note_erasure(verdict.header.at_ms)
                    changed.update(group)
        if log.chain.end is not None:
            go_on(log)
        if counts:
            at = position_of(log.generation, log.chain)
            await self._in_thread(lambda: position.follow(self.env, changed.items(), at))
        return bool(verdicts)

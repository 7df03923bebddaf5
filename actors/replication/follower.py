"""A follower puts what counts in a partition's log into its copy.

It puts rows, and runs no transition, so it does not matter which version wrote them. Several groups
are one commit, together with the position after them. It writes in the thread that `in_thread`
names; while the node owns the partition, it rests, and the Store writes.

Before it reads on, it makes sure that the log is the one from which its copy was made: that the
entry at its position stands there still. Else rows of another past would be put over the copy.
"""

from hookbundle.actors.replication.generations import InThread, chain_at, go_on, position_of
from hookbundle.actors.replication.log import Life, Log, RawLog
from hookbundle.engine.errors import CorruptRecord, LogDamaged, StorageError
from hookbundle.engine.replication.chain import Counts, Verdict
from hookbundle.engine.replication.entries import Generation, Kind, unpack_rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.erasures import erases
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected

SURE_AFTER = 3  # a server that has just begun to lead may not know all for a moment


class Follower:
    """`log` is where the copy `env` has come to; the owner appends to it.

    `is_known`: the log was seen to be the one from which the copy was made.
    `has_caught_up`: whether it has come to where the log ended then, once.
    """

    def __init__(self, raw: RawLog, env: Environment, life: Life, in_thread: InThread) -> None:
        """Raises: CorruptRecord if the database is no copy of a log."""
        self.env = env
        self.is_known = False
        self._raw = raw
        self._life = life
        self._in_thread = in_thread
        self._voids = 0
        self._shorter = 0
        self.has_caught_up = False
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
        at = self.position()
        return Log(self._raw, Generation.read(at.generation), chain_at(at), self._life)

    def position(self) -> Position:
        """Of the copy, on disk. Raises: CorruptRecord."""
        with self.env.read() as txn:
            at = position.read(txn)
        if at is None:
            raise CorruptRecord("the database has no position in a log")
        return at

    async def recognises(self) -> bool:
        """Whether the log has the entry at the copy's position; False if nobody can say now.

        Raises: LogDamaged if it surely has not.
        """
        at = self.position()
        generation = Generation.read(at.generation)
        last = await self._raw.last(generation)
        if last is None:
            return False
        self._shorter = self._shorter + 1 if last < at.seq else 0
        if self._shorter:
            if self._shorter < SURE_AFTER:
                return False
            raise LogDamaged(
                f"the log is shorter than it was: entry {at.seq} of generation {generation} was "
                f"read, and the last one is {last}"
            )
        if at.mark:
            entries = await self._raw.read(generation, at.seq - 1, 1)
            if not entries:
                return False
            found = entries[0].header
            if found is None or found.id != at.mark:
                raise LogDamaged(
                    f"the log is another one: entry {at.seq} of generation {generation} is not "
                    "the one that was read"
                )
        self.is_known = True
        return True

    async def catch_up(self) -> None:
        """The copy holds all that can be read. Raises: CorruptRecord, StorageError."""
        if self.is_known or await self.recognises():
            while await self.step():
                pass

    async def step(self) -> bool:
        """The next entries are in the copy; False if there are no more, as far as is known."""
        log = self.log
        unclaimed = log.chain.unclaimed
        verdicts = await log.read()
        try:
            if log.chain.unclaimed > unclaimed and not await self.recognises():
                self.start_again()
                return False
            return await self._put(verdicts)
        except StorageError:
            raise  # its role begins anew
        except Exception:
            # The reader has come further than the copy, which would be left without these rows.
            self.start_again()
            raise

    async def _put(self, verdicts: list[Verdict]) -> bool:
        log, counts = self.log, False
        changed: Collected = {}
        for verdict in verdicts:
            if isinstance(verdict, Counts):
                counts = True
                if verdict.header.kind is Kind.GROUP:
                    group = unpack_rows(verdict.body)
                    if erases(group):
                        log.chain.note_erasure(verdict.header.at_ms)
                    changed.update(group)
        left, has_ended = log.left, log.chain.end is not None
        if has_ended:
            go_on(log)
        if counts:
            at = position_of(log.generation, log.chain)
            await self._in_thread(lambda: position.follow(self.env, changed.items(), at))
        self.has_caught_up |= left == 0 and not has_ended
        return has_ended or bool(left)

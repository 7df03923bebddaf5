"""A partition of a backup: out of a copy that the node has, or out of the partition's log.

Who has no copy of a partition reads its log, as a node does that joins: so no other node has
anything to do with it, and nothing of it is too large to be sent. What is read is a database in a
folder beside, and is backed up as any other, record by record.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import structlog

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import join
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, Overloaded, Unusable, in_words
from hookbundle.engine.replication.roles import WHOLE
from hookbundle.server.cluster.backing_up.reaching import Reached, reached_by
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.storage.database.replication.copies import open_copy
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.backups import Copied
from hookbundle.storage.maintenance.copying import disk_errors

TRIES = 5
OWN_WITHIN_S = 10.0  # for a copy of this node that follows; then the log is read
SILENT_S = 30.0  # in which nothing was read of a log that has more
LOOK_S = 0.05
AGAIN_S = 0.5
SCRATCH = "reading"

T = TypeVar("T")
InThread = Callable[[Callable[[], T]], Awaitable[T]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was copied, and from where."""

    copied: Copied
    source: Literal["copy", "log"]


@dataclass(slots=True)
class Taking:
    """`take`, one at a time. `now_ms`: the machine's time. `is_stopping`: it ends soon."""

    now_ms: Callable[[], int]
    is_stopping: bool = False

    async def take(self, host: PartitionHost, least: Reached, into: Path) -> Taken:
        """The folder, which is not there, has a backup of the partition, at `least` or later.

        A copy may be given up while it is read, and a generation of the log be deleted: then it is
        begun again. Of a copy that can't be read the log has all.

        Raises: Overloaded if it can't be had now; StorageError.
        """
        tries, is_readable = TRIES, True
        while True:
            try:
                env = await self._own_copy(host, least) if is_readable else None
                if env is not None:
                    return Taken(await self._copied(env, into), "copy")
                return await self._from_log(host, least, into)
            except (Overloaded, CorruptRecord, Unusable) as exc:
                tries -= 1
                if self.is_stopping or not tries:
                    raise
                is_readable = is_readable and isinstance(exc, Overloaded)
                log.warning(
                    "a partition is backed up anew", partition=host.number, why=in_words(exc)
                )
                await asyncio.sleep(AGAIN_S)

    # ---- from a copy

    async def _own_copy(self, host: PartitionHost, least: Reached) -> Environment | None:
        """The node's copy, once it has come so far; None if it has none, or is too far behind."""
        until_s = asyncio.get_running_loop().time() + OWN_WITHIN_S
        while (follower := host.role.state.follower) is not None and host.role.state.role in WHOLE:
            if reached_by(follower.env) >= least:
                return follower.env
            if asyncio.get_running_loop().time() >= until_s:
                break
            await asyncio.sleep(LOOK_S)
        return None

    async def _copied(self, env: Environment, into: Path) -> Copied:
        def go_on() -> None:
            env.ends_if_told()
            self.go_on()

        return await self.in_thread(lambda: backups.back_up(env, into, self.go_on, go_on))

    # ---- from the log

    async def _from_log(self, host: PartitionHost, least: Reached, into: Path) -> Taken:
        scratch = into.parent / SCRATCH
        env: Environment | None = None
        try:
            env = await self._read(host, least, scratch)
            return Taken(await self._copied(env, into), "log")
        finally:
            if env is not None:
                await self.in_thread(env.close)
            await self.in_thread(lambda: shutil.rmtree(scratch, ignore_errors=True))

    async def _read(self, host: PartitionHost, least: Reached, scratch: Path) -> Environment:
        """A copy in the folder, at `least` or later. Raises: Overloaded; CorruptRecord if what it
        reads is deleted meanwhile."""
        raw, in_thread = host.raw, self.in_thread
        loop = asyncio.get_running_loop()
        silent_s = loop.time() + SILENT_S
        while await join(raw, lambda: NewCopy(scratch), in_thread) is None:
            await self._pause(silent_s)
        env = await in_thread(lambda: self._opened(scratch))
        try:
            follower = Follower(raw, env, host.life, in_thread)
            silent_s = loop.time() + SILENT_S
            while await in_thread(lambda: reached_by(env)) < least:
                self.go_on()
                if await follower.step():
                    silent_s = loop.time() + SILENT_S
                else:
                    await self._pause(silent_s)
        except BaseException:
            await in_thread(env.close)
            raise
        return env

    def _opened(self, scratch: Path) -> Environment:
        with disk_errors(scratch):
            env = open_copy(scratch, self.now_ms())
        assert env is not None, "a copy that was made can be opened"
        return env

    async def _pause(self, until_s: float) -> None:
        """Raises: Overloaded if nothing was read for too long."""
        self.go_on()
        if asyncio.get_running_loop().time() >= until_s:
            raise Overloaded.of(Code.LOG_WAITS)
        await asyncio.sleep(AGAIN_S)

    # ---- both

    def go_on(self) -> None:
        """Raises: Overloaded if it is to end."""
        if self.is_stopping:
            raise Overloaded.of(Code.STOPPING)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Work on files; it has ended when this has, also when the node stops."""
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.is_stopping = True
            await asyncio.wait([task])
            raise

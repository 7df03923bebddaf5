"""`POST /v1/backup` of a cluster: one node writes a backup of all partitions into a folder.

    1  how far each partition's log has come now; who does not answer ends it before it has begun
    2  partition by partition: a copy at that place or later, written record by record and checked
    3  the list of them, with which the backup is finished

One partition at a time, so that it takes the room of the backup and of one partition more. If it
fails, nothing of it is left; if the node is killed, no list is.
"""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from hookbundle import __version__
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, HookbundleError, in_words
from hookbundle.server.cluster.asked import Ask
from hookbundle.server.cluster.backing_up import reaching
from hookbundle.server.cluster.backing_up.reaching import Reached
from hookbundle.server.cluster.backing_up.taking import Taking
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.http.resources.maintenance import (
    FINDINGS_MAX,
    BackupOut,
    FindingOut,
    PartitionBackupOut,
    directory_of,
    finding_out,
)
from hookbundle.server.http.responses import json_response
from hookbundle.storage.maintenance.copying import disk_errors
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.replication.manifest import ClusterBackup, PartitionBackup

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """Of one partition: what the list and the answer say of it."""

    listed: PartitionBackup
    shown: PartitionBackupOut
    findings: list[FindingOut]


class BackingUp:
    """`back_up()`, one at a time; `close()` ends what is under way."""

    def __init__(self, node: "Node", ask: Ask) -> None:
        self._node = node
        self._ask = ask
        self._taking = Taking(node.clock.wall_ms)
        self._task: asyncio.Task[BackupOut] | None = None

    async def close(self) -> None:
        self._taking.is_stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def back_up(self, request: web.Request) -> web.Response:
        """`POST /v1/backup`. It goes on if the caller goes away.

        Raises: Conflict while another one is under way, or if the directory can't be used.
        """
        into = await directory_of(request)
        data = self._node.config.data.resolve()
        if into == data or data in into.parents:
            raise Conflict.of(Code.DIRECTORY_INSIDE_DATA, directory=str(into))
        if self._task is not None and not self._task.done():
            raise Conflict.of(Code.MAINTENANCE_UNDER_WAY)
        self._task = asyncio.create_task(self._logged(into), name="backup")
        return json_response(await asyncio.shield(self._task))

    async def _logged(self, into: Path) -> BackupOut:
        log.info("backup begun", directory=str(into))
        try:
            done = await self._back_up(into)
        except Exception as exc:
            why = in_words(exc) if isinstance(exc, HookbundleError) else repr(exc)
            log.warning("backup failed", directory=str(into), why=why)
            raise
        log.info("backup done", directory=str(into), records=done.records, bytes=done.bytes)
        return done

    async def _back_up(self, into: Path) -> BackupOut:
        node, taking = self._node, self._taking
        begun_ms = node.clock.wall_ms()
        await taking.in_thread(lambda: _check_empty(into))  # before anybody is asked
        least = await reaching.all_reached(len(node.hosts), self._ask)
        await taking.in_thread(lambda: _begin(into))
        try:
            done = [
                await self._partition(host, least[number], manifest.folder_of(into, number))
                for number, host in node.hosts.items()
            ]
            finished = ClusterBackup(
                format=manifest.FORMAT,
                cluster=node.cluster.name,
                id=node.neighbours.cluster_id,
                node=node.cluster.node,
                version=__version__,
                schema=node.neighbours.schema,
                begun_ms=begun_ms,
                ended_ms=node.clock.wall_ms(),
                partitions=[each.listed for each in done],
            )
            await taking.in_thread(lambda: manifest.write(into, finished))
        except BaseException:
            await asyncio.to_thread(_clear, into)
            raise
        return _out(into, done)

    async def _partition(self, host: PartitionHost, least: Reached, folder: Path) -> Done:
        number, taken_ms = host.number, self._node.clock.wall_ms()
        taken = await self._taking.take(host, least, folder)
        records = taken.copied.records
        listed = await self._taking.in_thread(
            lambda: manifest.of_partition(folder, number, records, taken_ms)
        )
        log.info("partition backed up", partition=number, source=taken.source)
        shown = PartitionBackupOut(
            number, taken.source, listed.generation, listed.seq, listed.records, listed.bytes
        )
        return Done(listed, shown, [finding_out(each) for each in taken.copied.findings])


def _check_empty(into: Path) -> None:
    """The directory is empty, or not there. Raises: Conflict, StorageError."""
    with disk_errors(into):
        if into.exists() and any(into.iterdir()):
            raise Conflict.of(Code.DIRECTORY_NOT_EMPTY, directory=str(into))


def _begin(into: Path) -> None:
    """The directory is there, and empty. Raises: Conflict, StorageError."""
    with disk_errors(into):
        into.mkdir(mode=0o700, exist_ok=True)
    _check_empty(into)


def _clear(into: Path) -> None:
    """Nothing of an unfinished backup is left in the directory, which was empty before."""
    for each in into.iterdir():
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)


def _out(into: Path, done: list[Done]) -> BackupOut:
    findings = list(_findings(done))
    return BackupOut(
        str(into),
        sum(each.shown.records for each in done),
        sum(each.shown.bytes for each in done),
        findings[:FINDINGS_MAX],
        [each.shown for each in done],
    )


def _findings(done: list[Done]) -> Iterator[FindingOut]:
    for each in done:
        for found in each.findings:
            where = f"partition {each.shown.number}: {found.where}"
            yield FindingOut(where, found.what, found.workspace)

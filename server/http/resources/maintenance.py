"""Backup and check of a database in use, each on a thread of its own and one at a time.

Both read one moment of the database, so they keep its pages of that moment from being used again
until they are done; the map does not grow meanwhile. A daemon that stops ends them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, InvalidInput, NotAllowed, Overloaded, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.authentication import is_on_socket
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.check import Finding
from hookbundle.storage.maintenance.check_damage import check_in_use

T = TypeVar("T")

FINDINGS_MAX = 1_000


class BackupIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An absolute path on the daemon's machine, of a directory that is empty or not there."""

    directory: str = ""


class FindingOut(msgspec.Struct, frozen=True):
    """Something that is wrong: with which record, and what.

    `workspace`: whose record it is; empty if it is no workspace's.
    """

    where: str
    what: str
    workspace: str


class PartitionBackupOut(msgspec.Struct, frozen=True):
    """`source`: a copy that the node has, or the partition's log. `seq`: the last entry of that
    generation of its log that is in the backup."""

    number: int
    source: Literal["copy", "log"]
    generation: str
    seq: int
    records: int
    bytes: int


class BackupOut(msgspec.Struct, frozen=True):
    """`findings` are in the backup because they are in the database; up to 1,000 are listed.

    `partitions`: of a cluster; none of a daemon alone.
    """

    directory: str
    records: int
    bytes: int
    findings: list[FindingOut]
    partitions: list[PartitionBackupOut] = []


class CheckOut(msgspec.Struct, frozen=True):
    """What is wrong; up to 1,000 findings are listed."""

    records: int
    findings: list[FindingOut]


@dataclass(slots=True)
class Maintenance:
    env: Environment
    busy: bool = False
    stopping: bool = False
    ticks: int = 0

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/v1/backup",
                handler=self.back_up,
                name="back_up_database",
                summary="Back up into a directory of the daemon's machine; on its socket only",
                body=BackupIn,
                answer=BackupOut,
                refusals=(409, 422, 503, 507),
            ),
            Route(
                method="GET",
                path="/v1/check",
                handler=self.check,
                name="check_database",
                summary="Verify every record and invariant of the database",
                answer=CheckOut,
                refusals=(409, 503),
            ),
        ]

    def stop(self) -> None:
        """Work under way ends soon, and no other begins."""
        self.stopping = True

    async def back_up(self, request: web.Request) -> web.Response:
        """`POST /v1/backup`: it writes files as the daemon, so it is for the machine's operator."""
        into = await directory_of(request)
        copied = await self._alone(lambda: backups.back_up(self.env, into, self._tick, self._go_on))
        found = [finding_out(finding) for finding in copied.findings[:FINDINGS_MAX]]
        return json_response(BackupOut(str(into), copied.records, copied.bytes, found))

    async def check(self, request: web.Request) -> web.Response:
        """`GET /v1/check`"""
        found = await self._alone(self._check)
        return json_response(CheckOut(self.ticks, [finding_out(finding) for finding in found]))

    def _check(self) -> list[Finding]:
        found = check_in_use(self.env, self._tick, self._go_on)
        return list(islice(found, FINDINGS_MAX))

    async def _alone(self, work: Callable[[], T]) -> T:
        """The result of the work, done on a thread. Raises: Conflict while other work runs."""
        if self.busy:
            raise Conflict.of(Code.MAINTENANCE_UNDER_WAY)
        self.busy, self.ticks = True, 0
        task = asyncio.ensure_future(asyncio.to_thread(work))
        task.add_done_callback(lambda _: self._free())
        return await asyncio.shield(task)  # the thread goes on if the caller goes away

    def _free(self) -> None:
        self.busy = False

    def _tick(self) -> None:
        self.ticks += 1
        self._go_on()

    def _go_on(self) -> None:
        """Raises: Overloaded if the daemon is stopping, or if the map has to grow."""
        self.env.ends_if_told()
        if self.stopping:
            raise Overloaded.of(Code.STOPPING)


async def directory_of(request: web.Request) -> Path:
    """Where a backup is wanted; by one who may say so. Raises: NotAllowed, InvalidInput."""
    if not is_on_socket(request):
        raise NotAllowed.of(Code.CONTROL_SOCKET_ONLY)
    wanted = await body_of(request, BackupIn)
    into = Path(wanted.directory)
    if not into.is_absolute() or "\x00" in wanted.directory:
        raise InvalidInput((fault("directory", FaultCode.NOT_ABSOLUTE),))
    into = into.resolve()
    if not into.parent.is_dir():
        raise InvalidInput(
            (fault("directory", FaultCode.NO_FOLDER, folder=quoted(str(into.parent))),)
        )
    return into


def finding_out(finding: Finding) -> FindingOut:
    return FindingOut(finding.where, finding.what, finding.workspace)

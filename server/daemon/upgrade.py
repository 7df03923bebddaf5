"""The upgrade of a database of an older schema, before the daemon starts.

`storage/maintenance/migration/` writes the database anew, in a thread, which takes minutes for
millions of records. Meanwhile the listeners are open, so that probes, callers and operators learn
why they have to wait:

    GET /healthz     200: the process is alive
    GET /readyz      503: "the database is being upgraded: 41 % (410,000 of 1,000,000 records)"
    all others       503 with the same words; nobody's token can be looked up yet

A stop is asked for between two records. The old database is unchanged until the new one is
complete, so an upgrade that was stopped or failed begins again at the next start.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Refused
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.descriptors import shares
from hookbundle.server.http.connection_guard import Guard, guarded_connection_of
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.hosts import misdirected
from hookbundle.server.http.listeners import Listeners, listen
from hookbundle.server.http.problems import Handler, answer_for
from hookbundle.server.http.responses import add_common_headers, json_response
from hookbundle.server.http.schemas.status import HealthOut
from hookbundle.server.http.sockets.connections import end_if_unread
from hookbundle.storage.daemon_facts import DaemonUpgraded
from hookbundle.storage.database import files
from hookbundle.storage.database.opening import SCHEMA_UPGRADED
from hookbundle.storage.database.records import SCHEMA
from hookbundle.storage.maintenance.copying import disk_errors
from hookbundle.storage.maintenance.migration.migrating import Migrated

Migrate = Callable[[Path, int, Callable[[int, int], None]], Migrated]

REPORT_S = 5.0
STALLED_S = 60.0
SYNC_S = 900.0  # a new file of many gigabytes is synced after the last record
LISTED_MAX = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """`advances`: False if no record was written for so long that something hangs."""

    done: int = 0
    records: int = 0
    advances: bool = True

    @property
    def percent(self) -> str:
        return f"{100 * self.done // self.records} %" if self.records else "0 %"

    def __str__(self) -> str:
        words = f"the database is being upgraded: {self.percent}"
        return f"{words} ({self.done:,} of {self.records:,} records)" if self.records else words


class UpgradeStopped(Exception):
    """Raised between two records, in the thread, when the process was asked to stop."""


class Upgrade:
    """One upgrade. `run()` is called once; `listeners` are open while it runs."""

    def __init__(
        self,
        config: DaemonConfig,
        stop: asyncio.Event,
        report: Callable[[Progress], None],
        migrate: Migrate,
        report_s: float = REPORT_S,
    ) -> None:
        """`report` is called on the loop: at once, and then every `report_s` seconds."""
        self._config = config
        self._stop = stop
        self._report = report
        self._migrate = migrate
        self._report_s = report_s
        self._loop = asyncio.get_running_loop()
        # Set by the thread, read by the loop: a tuple, so that both numbers are of one moment.
        self._counted = 0, 0
        self._counted_s = self._loop.time()
        self._abandoned = False
        self.listeners: Listeners | None = None

    async def run(self, now_ms: int) -> DaemonUpgraded | None:
        """The database has the present schema; returns the fact for its feed.

        None if `stop` was set first: then it is as it was.

        Raises: InUse; Unusable if the database can't be read, or the disk has too little room;
            ConfigError if a listener can't be opened.
        """
        self._check_unused()
        limits = self._config.listeners.guard
        there_are = shares(limits.connections_max, self._config.in_flight_max).connections
        fair_limits = FairLimits()
        guard = Guard(replace(limits, connections_max=there_are), fair_limits.connections)
        self.listeners = await listen(
            self._config.listeners,
            [],
            [upgrade_middleware(guard, self.progress)],
            guard,
            fair_limits,
            lambda status: None,
        )
        socket = str(self._config.listeners.socket_path)
        log.info("upgrade of the database begun", socket=socket, tcp=self.listeners.tcp)
        try:
            upgraded = _fact(await self._migrated(now_ms))
        except UpgradeStopped:
            log.info("upgrade stopped, the old database is unchanged")
            return None
        finally:
            await self.listeners.close()
        log.info("database upgraded", detail=upgraded.detail)
        return upgraded

    def progress(self) -> Progress:
        done, records = self._counted
        is_syncing = 0 < records <= done
        quiet_s = self._loop.time() - self._counted_s
        return Progress(done, records, quiet_s < (SYNC_S if is_syncing else STALLED_S))

    def _check_unused(self) -> None:
        """Raises: InUse. Without this a second daemon would only hear that the socket is taken."""
        path = self._config.data
        with disk_errors(path), files.locked(path):
            pass

    async def _migrated(self, now_ms: int) -> Migrated:
        self._counted_s = self._loop.time()
        work = asyncio.ensure_future(
            asyncio.to_thread(self._migrate, self._config.data, now_ms, self._count)
        )
        try:
            self._report(self.progress())
            while not (await asyncio.wait({work}, timeout=self._report_s))[0]:
                self._report(progress := self.progress())
                level = log.info if progress.advances else log.warning
                level("upgrading the database", percent=progress.percent, **asdict(progress))
        finally:
            # If this was cancelled, the thread must not go on without anybody who waits for it.
            self._abandoned = True
            await asyncio.wait({work})
        return work.result()

    def _count(self, done: int, records: int) -> None:
        """In the thread, after each of the records, or after some."""
        if self._abandoned or self._stop.is_set():
            raise UpgradeStopped
        self._counted = done, records
        self._counted_s = self._loop.time()


def upgrade_middleware(guard: Guard, progress: Callable[[], Progress]) -> Middleware:
    """Answers every request by itself; there is no token to check, and nothing to count."""

    @web.middleware
    async def receive(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = guarded_connection_of(request)
        response: web.Response | None = None
        if connection is not None:
            guard.began(connection)
            response = misdirected(request, guard.limits.hosts)
            guard.ended(connection)
        response = response or _answer(request, progress())
        end_if_unread(request, response, lambda request: "")  # nobody knows who asks
        add_common_headers(response)
        return response

    return receive


def _answer(request: web.Request, progress: Progress) -> web.Response:
    if request.method == "GET" and request.path == "/healthz":
        return json_response(HealthOut("alive"))
    return answer_for(Refused(str(progress), Code.UPGRADING))


def _fact(migrated: Migrated) -> DaemonUpgraded:
    detail = f"from schema {SCHEMA_UPGRADED} to {SCHEMA}, {migrated.records:,} records"
    if count := len(migrated.unreadable):
        listed = ", ".join(migrated.unreadable[:LISTED_MAX])
        more = f" and {count - LISTED_MAX:,} more" if count > LISTED_MAX else ""
        detail = f"{detail}; {count:,} could not be read and are left out: {listed}{more}"
    return DaemonUpgraded(detail=detail)

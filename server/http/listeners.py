"""The listeners: one aiohttp application, on a Unix socket and, if configured, on TCP.

The socket's folder is 0700 and the socket 0600 from its first moment, so there is no moment at
which somebody else could connect. A socket file that nobody listens on is left over from a crash
and replaced; the data directory's lock has already made sure that no other daemon is alive on it.
Sockets that the service manager gave are its own: served, but neither made, replaced nor removed.
"""

import asyncio
import os
import re
import socket
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from hookbundle.engine.errors import ConfigError
from hookbundle.engine.fairness.loop_share import LoopShare
from hookbundle.server.http.authentication import METRICS_PATH, OPEN_PATHS
from hookbundle.server.http.bodies import BODY_LIMITS, BodyLimits
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import Guard, GuardedConnection, GuardLimits
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.large_answers import LARGE_ANSWERS, LargeAnswers
from hookbundle.server.http.lists import LISTS, LOOP_SHARE, Lists
from hookbundle.server.http.middleware import NO_ROUTE, request_middleware
from hookbundle.server.http.parameters.queries import Parameters
from hookbundle.server.http.requests import number_of
from hookbundle.server.http.routes import Route
from hookbundle.server.http.sockets import handing_over
from hookbundle.server.http.sockets.given_sockets import NONE_GIVEN, GivenSocket, GivenSockets
from hookbundle.server.http.sockets.socket_files import Identity, identity_of, remove
from hookbundle.server.http.wire import (
    Connection,
    MakeConnection,
    OwnRunner,
    OwnServer,
    Refused,
)
from hookbundle.server.metrics.meters import Meters

PARAMETER = re.compile(r"\{(\w+)\}")
BACKLOG = 1_024
ACCEPTED_AT_ONCE = 64
# Where many may have waited for the daemon: they are accepted no faster than they are answered, or
# those of one workspace would be more than its share of the connections.
GIVEN_ACCEPTED_AT_ONCE = 4
SHUTDOWN_S = 5.0


@dataclass(frozen=True, slots=True)
class ListenersConfig:
    """`listen` is `HOST:PORT`, or empty for the socket alone; port 0 takes any that is free.

    `body_s`: how long a body may take to come; `taken_s`: a reader for 64 KiB of a large answer.
    """

    socket_path: Path
    listen: str = ""
    guard: GuardLimits = GuardLimits()
    body_s: float = 30.0
    taken_s: float = 30.0
    open_metrics: bool = False
    given: GivenSockets = NONE_GIVEN

    @property
    def feed_path(self) -> Path:
        """The event feed's own socket."""
        return self.socket_path.with_name("feed.sock")


class Listeners:
    """The open listeners. `close()` accepts no more connections and answers requests under way."""

    def __init__(self, runner: web.AppRunner, config: ListenersConfig, guard: Guard) -> None:
        self._runner = runner
        self._guard = guard
        self._control: web.SockSite | None = None
        self._given = config.given
        self._given_sites: list[web.BaseSite] = []
        self.path = config.socket_path
        self.identity: Identity | None = None

    @property
    def tcp(self) -> tuple[str, int] | None:
        """Host and port, once they are known."""
        for address in self._runner.addresses:
            if isinstance(address, tuple):
                return address[0], address[1]
        return None

    @property
    def routes(self) -> list[web.AbstractRoute]:
        """All there are, documented or not."""
        return list(self._runner.app.router.routes())

    @property
    def _of_given(self) -> OwnServer | None:
        """The server, if it serves sockets that were given."""
        server = self._runner.server
        return server if self._given_sites and isinstance(server, OwnServer) else None

    async def open(self, where: tuple[str, int] | None) -> None:
        """Those that were given are served, the others made. Raises: ConfigError or OSError."""
        await self.open_again()
        if where is None and self._given.http is None:
            return
        site = GuardedSite(self._runner, self._guard, where, self._given.http)
        await site.start()
        if self._given.http is not None:
            self._given_sites.append(site)
        self._guard.start()

    async def open_again(self) -> None:
        """Listens on a new control socket. Raises: ConfigError or OSError; then nothing changed."""
        given = self._given.control
        if given is not None and self._control is not None:
            raise ConfigError("the service manager holds this socket: restart its socket unit")
        sock = unix_socket(self.path) if given is None else given.dup()
        site = web.SockSite(self._runner, sock, backlog=BACKLOG)
        await site.start()
        before, self._control, self.identity = self._control, site, identity_of(self.path)
        if given is not None:
            self._given_sites.append(site)
        if before is not None:
            await before.stop()

    def accept_no_more(self) -> None:
        """Who connects to a socket that was given waits for the next daemon."""
        if (server := self._of_given) is not None:
            handing_over.accept_no_more(server, self._given_sites)

    async def close(self) -> None:
        self.accept_no_more()
        if (server := self._of_given) is not None:
            await handing_over.last_requests(server)
        await self._runner.cleanup()
        self._guard.close()
        if self._given.control is None:
            remove(self)


class GuardedSite(web.TCPSite):
    """A TCP listener behind the connection guard; at `where`, or on a socket that was given."""

    def __init__(
        self,
        runner: web.AppRunner,
        guard: Guard,
        where: tuple[str, int] | None,
        given: GivenSocket | None,
    ) -> None:
        self._where = where or (None, None)
        super().__init__(runner, *self._where, backlog=BACKLOG)
        self._guard = guard
        self._given = given

    async def start(self) -> None:
        await web.BaseSite.start(self)
        make_inner = self._runner.server
        assert isinstance(make_inner, OwnServer)
        make = partial(GuardedConnection, self._guard, make_inner)
        create = asyncio.get_running_loop().create_server
        # The loop accepts as many at once as its backlog says, and closes none in between; so
        # that the guard can keep the number down, the loop's backlog is short, the kernel's long.
        if self._given is not None:
            given = self._given.dup()
            self._server = await create(make, sock=given, backlog=GIVEN_ACCEPTED_AT_ONCE)
            return
        self._server = await create(make, *self._where, backlog=ACCEPTED_AT_ONCE)
        for listening in self._server.sockets:
            with listening.dup() as same:
                same.listen(BACKLOG)


async def open_listeners(
    config: ListenersConfig,
    routes: list[Route],
    make_connection: MakeConnection,
    tokens: TokenCheck,
    guard: Guard,
    meters: Meters,
    fair_limits: FairLimits,
    first: Sequence[Middleware] = (),
) -> Listeners:
    """The API is served; each request passes `first` before all else.

    Raises: ConfigError if a listener can't be opened; then none is open."""
    open_paths = OPEN_PATHS | ({METRICS_PATH} if config.open_metrics else set())
    now_s = asyncio.get_running_loop().time
    middleware = request_middleware(guard, meters, tokens, open_paths, Parameters(routes), now_s)

    def refused(status: int) -> None:
        meters.request(NO_ROUTE, NO_ROUTE, status, 0.0)

    middlewares = (*first, middleware)
    return await listen(config, routes, middlewares, guard, fair_limits, refused, make_connection)


async def listen(
    config: ListenersConfig,
    routes: list[Route],
    middlewares: Sequence[Middleware],
    guard: Guard,
    fair_limits: FairLimits,
    refused: Refused,
    make_connection: MakeConnection = Connection,
) -> Listeners:
    """The listeners are open, and every request passes the middlewares.

    Raises: ConfigError if one can't be opened, with the reason; then none is open.
    """
    where = parse_listen(config.listen) if config.listen else None
    app = web.Application(middlewares=middlewares)
    app[BODY_LIMITS] = BodyLimits(config.body_s, fair_limits.bodies)
    app[LARGE_ANSWERS] = LargeAnswers(fair_limits.readers, config.taken_s)
    share = app[LOOP_SHARE] = LoopShare()
    app[LISTS] = Lists(share, fair_limits.lists)
    app.add_routes([web.route(r.method, pattern_of(r.path), r.handler) for r in routes])
    runner = OwnRunner(
        app,
        refused,
        keepalive_timeout=guard.limits.idle_s,
        shutdown_timeout=SHUTDOWN_S,
        handler_cancellation=False,
    )
    listeners = Listeners(runner, config, guard)
    await runner.setup()
    assert isinstance(runner.server, OwnServer)
    runner.server.connection = make_connection
    try:
        await listeners.open(where)
    except OSError as exc:
        await listeners.close()
        raise ConfigError(f"can't listen: {exc.strerror or exc}") from exc
    return listeners


def pattern_of(path: str) -> str:
    """The path as aiohttp wants it; by itself it would take no id with a brace in it."""
    return PARAMETER.sub(r"{\1:[^/]+}", path)


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets. Raises: ConfigError."""
    host, colon, port = text.rpartition(":")
    number = number_of(port, 65_535)
    if not colon or number is None:
        raise ConfigError(f"listen: {text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", number


def unix_socket(path: Path) -> socket.socket:
    """A socket at the path that nobody but us can open. Raises: ConfigError."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to somebody else; choose another socket path")
    _clear_leftover(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The mode of a socket file is that of its descriptor before bind, less the umask.
        os.fchmod(sock.fileno(), 0o600)
        sock.bind(str(path))
        os.chmod(path, 0o600)
    except OSError as exc:
        sock.close()
        raise ConfigError(f"can't make the socket {path}: {exc.strerror or exc}") from exc
    sock.setblocking(False)
    return sock


def _clear_leftover(path: Path) -> None:
    """Nothing is at the path; what was there was a socket that nobody listens on."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ConfigError(f"{path} is in the way and is no socket; remove it or choose another")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ConfigError(f"a daemon is listening on {path} already")

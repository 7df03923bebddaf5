"""The doors of the house: one aiohttp application, on a Unix socket and, if wanted, on TCP.

The socket's folder is 0700 and the socket 0600 from its first moment, so there is no moment at
which somebody else could connect. A socket file that nobody listens on is left over from a crash
and replaced; the data directory's lock has already made sure that no other daemon is alive on it.
"""

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from hookbundle.actors.callers import identify
from hookbundle.actors.problems import as_problems
from hookbundle.actors.routes import Route
from hookbundle.engine import limits
from hookbundle.engine.errors import ConfigError
from hookbundle.storage.reads import Reads

BACKLOG = 1_024
KEEP_ALIVE_S = 75.0
SHUTDOWN_S = 5.0


@dataclass(frozen=True, slots=True)
class DoorsConfig:
    """`listen` is `HOST:PORT`, or empty for the socket alone; port 0 takes any that is free."""

    socket_path: Path
    listen: str = ""


class Doors:
    """The open doors; `close()` answers what is under way and lets nobody in any more."""

    def __init__(self, runner: web.AppRunner, socket_path: Path) -> None:
        self._runner = runner
        self._socket_path = socket_path

    @property
    def tcp(self) -> tuple[str, int] | None:
        """Host and port, once they are known."""
        for address in self._runner.addresses:
            if isinstance(address, tuple):
                return address[0], address[1]
        return None

    async def close(self) -> None:
        await self._runner.cleanup()
        self._socket_path.unlink(missing_ok=True)


async def open_doors(config: DoorsConfig, routes: list[Route], reads: Reads) -> Doors:
    """Raises: ConfigError if a door can't be opened, saying which and why."""
    app = web.Application(
        middlewares=[as_problems, identify(reads)], client_max_size=limits.REQUEST_BYTES_MAX
    )
    app.add_routes([web.route(route.method, route.path, route.handler) for route in routes])
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=SHUTDOWN_S,
        handler_cancellation=False,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, _unix_socket(config.socket_path), backlog=BACKLOG).start()
        if config.listen:
            host, port = parse_listen(config.listen)
            await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    except OSError as exc:
        await runner.cleanup()
        raise ConfigError(f"can't listen: {exc.strerror or exc}") from exc
    return Doors(runner, config.socket_path)


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets. Raises: ConfigError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"listen: {text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _unix_socket(path: Path) -> socket.socket:
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

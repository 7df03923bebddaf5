"""Sockets that the service manager holds open and gives to the daemon (sd_listen_fds(3)).

    LISTEN_PID       the process they are meant for
    LISTEN_FDS       how many there are, from descriptor 3 on
    LISTEN_FDNAMES   their names: `http` (TCP) and `control` (a Unix socket), with `:` between them

Connections wait in such a socket's queue while no daemon runs, and the next one serves them. So it
is never closed for all, and its queue stays as long as the service manager made it. A socket that
the daemon would not serve is refused: who connects to it would wait for nobody.
"""

import os
import socket
import stat
from collections.abc import MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Literal

from hookbundle.engine.errors import ConfigError
from hookbundle.server.http.requests import number_of

FIRST = 3
MOST = 64
Name = Literal["http", "control"]
HTTP: Final = "http"
CONTROL: Final = "control"
FAMILIES: dict[int, Name] = {socket.AF_INET: HTTP, socket.AF_INET6: HTTP, socket.AF_UNIX: CONTROL}
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
SERVED = f"only `{HTTP}` (TCP) and `{CONTROL}` (a Unix socket) are served"


class GivenSocket(socket.socket):
    """A listening socket whose queue is as long as its holder made it."""

    def listen(self, backlog: int = 0, /) -> None:
        """Nothing: it listens, and another number would change the queue for all who hold it."""


@dataclass(frozen=True, slots=True)
class GivenSockets:
    """They stay open as long as the process lives; who serves one serves a duplicate of it.

    `meant_for`: another process, for which sockets were given; they are not touched.
    """

    http: GivenSocket | None = None
    control: GivenSocket | None = None
    meant_for: str = ""

    @property
    def names(self) -> list[Name]:
        given: dict[Name, GivenSocket | None] = {HTTP: self.http, CONTROL: self.control}
        return [name for name, one in given.items() if one is not None]


NONE_GIVEN = GivenSockets()


def take(environ: MutableMapping[str, str], first: int = FIRST) -> GivenSockets:
    """What was given to this process. No child inherits the sockets, or variables that name them.

    Raises: ConfigError if one can't be served.
    """
    pid, count, names, _ = (environ.pop(variable, None) for variable in VARIABLES)
    if not count:
        return NONE_GIVEN
    if pid != str(os.getpid()):
        return GivenSockets(meant_for=pid or "?")
    number = number_of(count, MOST)
    if number is None:
        raise ConfigError(f"LISTEN_FDS: {count!r} is not a number of sockets, at most {MOST}")
    called_so = names.split(":") if names else [""] * number
    if len(called_so) != number:
        raise ConfigError(f"LISTEN_FDNAMES: {names!r} are not the names of {number} sockets")
    found: dict[Name, GivenSocket] = {}
    with ExitStack() as undo:
        for descriptor, called in enumerate(called_so, first):
            shown = f"the given socket {called!r} (descriptor {descriptor})"
            if called not in ("", HTTP, CONTROL):
                raise ConfigError(f"{shown} has an unknown name; {SERVED}: FileDescriptorName=")
            sock = undo.enter_context(_opened(descriptor, shown))
            name = _checked(sock, called, shown)
            if name in found:
                raise ConfigError(f"two sockets for {name!r} were given; one can be served")
            found[name] = sock
        undo.pop_all()
    return GivenSockets(found.get(HTTP), found.get(CONTROL))


def _opened(descriptor: int, shown: str) -> GivenSocket:
    """No child inherits it. Raises: ConfigError."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise ConfigError(f"{shown} is no socket")
    except OSError as exc:
        raise ConfigError(f"{shown} is not there: {exc.strerror}") from exc
    sock = GivenSocket(fileno=descriptor)
    sock.set_inheritable(False)
    # Of the socket, not of the descriptor: its holder sees it too, but does not accept.
    sock.setblocking(False)
    return sock


def _checked(sock: GivenSocket, called: str, shown: str) -> Name:
    """Its name, which its family says if its holder does not. Raises: ConfigError."""
    name = FAMILIES.get(sock.family)
    if name is None or (called or name) != name or sock.type != socket.SOCK_STREAM:
        raise ConfigError(f"{shown} is of another kind; {SERVED}, both of streams")
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ConfigError(f"{shown} does not listen; give a listening one (Accept=no)")
    if name == CONTROL:
        _check_permissions(sock)
    return name


def _check_permissions(control: GivenSocket) -> None:
    """Raises: ConfigError if it has no file, or one that everybody may open."""
    path = control.getsockname()
    if not isinstance(path, str) or not path:
        raise ConfigError("the given control socket has no file, so that everybody could open it")
    try:
        mode = os.stat(path).st_mode
    except OSError as exc:
        raise ConfigError(f"the given control socket {path}: {exc.strerror}") from exc
    if mode & stat.S_IWOTH:
        raise ConfigError(
            f"everybody may open the given control socket {path}, and who may is an administrator:"
            " set SocketMode=0600"
        )

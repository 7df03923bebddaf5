"""A parent that holds listening sockets and gives them to one daemon after the other, as systemd
does: from descriptor 3 on, with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES.
"""

import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hookbundle.tests.program import PROGRAM, Program
from hookbundle.tests.running import Running, running

GIVING = (sys.executable, "-m", "hookbundle.tests.daemon.restarts.giving")
PATIENT = (sys.executable, "-m", "hookbundle.tests.daemon.restarts.patient")


@dataclass(frozen=True, slots=True)
class Held:
    """Open sockets by their names."""

    sockets: dict[str, socket.socket]

    @property
    def url(self) -> str:
        host, port = self.sockets["http"].getsockname()
        return f"http://{host}:{port}"

    @property
    def descriptors(self) -> list[int]:
        return [each.fileno() for each in self.sockets.values()]

    def command(self, *program: str) -> list[str]:
        numbers = ",".join(map(str, self.descriptors))
        names = ":".join(self.sockets)
        return [*GIVING, numbers, names, *program]

    @asynccontextmanager
    async def daemon(self, program: Program, *starts: str) -> AsyncIterator[Running]:
        """A daemon that was given them and is ready. Where it listens, no setting says.

        `starts`: the program, such as `PATIENT`, if it is not the installed one.
        """
        env = {name: value for name, value in program.env.items() if name != "HOOKBUNDLE_LISTEN"}
        command, descriptors = self.command(*(starts or (PROGRAM,))), self.descriptors
        async with running(Program(env), command=command, descriptors=descriptors) as daemon:
            yield daemon


def listening(backlog: int = 4096) -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    sock.setblocking(False)
    return sock


def listening_at(path: Path, mode: int = 0o600) -> socket.socket:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    path.chmod(mode)
    sock.listen(64)
    return sock


@contextmanager
def held(**sockets: socket.socket) -> Iterator[Held]:
    try:
        yield Held(sockets)
    finally:
        for each in sockets.values():
            each.close()

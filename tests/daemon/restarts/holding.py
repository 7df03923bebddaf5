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

# In the child, so that LISTEN_PID is the daemon's own: exec keeps the pid.
GIVE = """
import fcntl, os, sys
given = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 100) for each in sys.argv[1].split(",")]
for number, descriptor in enumerate(given, 3):
    os.dup2(descriptor, number)
    os.close(descriptor)
names, pid = sys.argv[2], os.getpid()
os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=str(pid), LISTEN_FDNAMES=names)
os.execv(sys.argv[3], sys.argv[3:])
"""
# `hookbundle`, which at its end gives connections so much time that no busy machine needs longer.
PATIENT = (
    sys.executable,
    "-c",
    """
from hookbundle.cli import main
from hookbundle.server.http.sockets import handing_over

handing_over.FRESH_S = handing_over.IDLE_S = 60.0
main(prog_name="hookbundle")
""",
)


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
        return [sys.executable, "-ISc", GIVE, numbers, names, *program]

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

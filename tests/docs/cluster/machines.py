"""The machines of docs/cluster.md, each a folder: log servers n1, n2, n3, and nodes a, b, c, …

What is typed at them is what stands on the page, but for ports, paths, and the name by which all of
them are this machine. systemctl, scp and the daemon's user are stand-ins.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hookbundle.tests.docs.terminal import Terminal
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.server import BINARY
from hookbundle.tests.program import PROGRAM
from hookbundle.tests.shared_work.systemctl import Manager

DESK = "desk"
LOG_SERVERS = ("n1", "n2", "n3")
NODES = ("a", "b", "c", "d", "e")
PLACES = (
    "root",
    "run/hookbundle",
    "etc/nats",
    "etc/hookbundle",
    "var/lib/nats",
    "var/lib/hookbundle",
    "var/lib/hookbundle-backups",
)
HERE = "localhost"  # the name of all machines, and of their certificates
OF_HOST = re.compile(r"\b(n\d|[a-e])\.example:(\d{4})\b")
OWN_PORT = re.compile(r"^(\s*)port: (\d{4})$", re.MULTILINE)
OF_THIS_HOST = re.compile(r"\b127\.0\.0\.1:(\d{4})\b")
OWN_NAME = re.compile(r'^(server_name: |  advertise: "|node = ")(?:n1|a)\b', re.MULTILINE)
PATHS = re.compile(r"(?<![\w/.])/(etc|root|run|var/lib)(?![\w-])")
OF_USER = re.compile(r" -o hookbundle -g hookbundle\b")

SERVICES = {
    "hookbundle": [PROGRAM, "run"],
    "nats-server": [str(BINARY), "-c", "$ROOT/etc/nats/nats-server.conf"],
}
# The path is one of the machine from which it is copied: it goes to the same place of the other.
SCP = """#!/bin/sh
[ "$1" = -p ] && shift
while [ $# -gt 1 ]; do from="$from $1"; shift; done
to=${1%%.example:*}
path=${1#*:}
exec cp -p $from "$ROOT/../$to${path#$ROOT}"
"""


@dataclass(slots=True)
class Machine:
    """`root`: the folder that is its disk."""

    name: str
    root: Path
    terminal: Terminal

    @property
    def socket_path(self) -> Path:
        return self.root / "run" / "hookbundle" / "control.sock"

    @property
    def data(self) -> Path:
        return self.root / "var" / "lib" / "hookbundle"

    @property
    def copies(self) -> Path:
        return self.data / "partitions"

    @property
    def is_running(self) -> bool:
        """Whether its node runs."""
        pid = self._pid("hookbundle")
        return pid is not None and _lives(pid)

    def kill(self, unit: str) -> None:
        """As if the machine's power were gone, but for what the kernel holds."""
        pid = self._pid(unit)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def log(self, unit: str) -> str:
        return (self.root / f"{unit}.log").read_text(encoding="utf-8", errors="replace")

    def _pid(self, unit: str) -> int | None:
        path = self.root / f"{unit}.pid"
        return int(path.read_text()) if path.exists() and path.read_text().strip() else None


@dataclass(slots=True)
class Machines:
    folder: Path
    stack: ExitStack
    known: dict[str, Machine] = field(default_factory=dict)
    ports: dict[tuple[str, str], int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Machine:
        """Somebody sits at it from now on."""
        if name not in self.known:
            root = self.folder / name
            terminal = self.stack.enter_context(Terminal(self._environment(name), root / "root"))
            self.known[name] = Machine(name, root, terminal)
        return self.known[name]

    @property
    def nodes(self) -> list[Machine]:
        """Machines with nodes, whether they run or not."""
        return [each for name, each in self.known.items() if name in NODES]

    def port(self, name: str, there: str) -> int:
        return self.ports.setdefault((name, there), free_port())

    def urls(self) -> tuple[str, ...]:
        return tuple(f"tls://{HERE}:{self.port(name, '4222')}" for name in LOG_SERVERS)

    def placed(self, name: str, text: str) -> str:
        """What stands on the page, as it is on the machine of that name."""
        text = OWN_NAME.sub(lambda found: f"{found[1]}{name}", text)
        text = OF_HOST.sub(lambda found: f"{HERE}:{self.port(found[1], found[2])}", text)
        text = text.replace("DNS:$name.example", f"DNS:{HERE}")
        text = OF_THIS_HOST.sub(lambda found: f"127.0.0.1:{self.port(name, found[1])}", text)
        text = OWN_PORT.sub(
            lambda found: f"{found[1]}listen: 127.0.0.1:{self.port(name, found[2])}", text
        )
        text = OF_USER.sub("", text)
        return PATHS.sub(lambda found: f"{self.folder / name}/{found[1]}", text)

    def _environment(self, name: str) -> dict[str, str]:
        root = self.folder / name
        settings = {
            "LISTEN": f"127.0.0.1:{self.port(name, '8470')}",
            "DELIVERY__ALLOW_NETWORKS": "127.0.0.0/8",
            "DELIVERY__BACKOFF": "100ms",
            "STORAGE__FLOOR": "0KiB",
            "STORAGE__RESERVE": "64KiB",
        }
        return {
            "PATH": f"{self.folder}/tools:{os.environ['PATH']}",
            "ROOT": str(root),
            "HOME": str(root / "root"),
            "XDG_CONFIG_HOME": str(root / "etc"),
            "GOMEMLIMIT": "256MiB",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            **{f"HOOKBUNDLE_{key}": value for key, value in settings.items()},
        }


def _lives(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def machines() -> Iterator[Machines]:
    """What was started at them ends with them. The paths of control sockets are short."""
    with TemporaryDirectory(prefix="cl-") as folder, ExitStack() as stack:
        tools = Path(folder) / "tools"
        tools.mkdir()
        manager = stack.enter_context(closing(Manager(SERVICES)))
        for name, text in {"systemctl": manager.script, "scp": SCP}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o700)
        for name, path in {"hookbundle": PROGRAM, "nats-server": str(BINARY)}.items():
            (tools / name).symlink_to(path)
        for name in (DESK, *LOG_SERVERS, *NODES):
            for each in PLACES:
                (Path(folder) / name / each).mkdir(parents=True)
        yield Machines(Path(folder), stack)

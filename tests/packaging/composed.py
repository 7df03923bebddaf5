"""The services of packaging/compose-cluster.yml as processes of this machine.

Commands, environment, files and health checks are those of the file and of the image. What differs
stands here: a service's root is a folder, its ports are free ones of this machine, and there is
more room for data than the setting of the floor wants.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hookbundle.tests.docs.proxied import program
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.server import BINARY
from hookbundle.tests.packaging.building import ROOT
from hookbundle.tests.packaging.dockerfile import entry_point, variables
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Ran

FILE = ROOT / "packaging" / "compose-cluster.yml"
HOST_AND_PORT = re.compile(r"\b(localhost|127\.0\.0\.1|0\.0\.0\.0|n\d|[a-c]):(\d{4})\b")
OWN_PORT = re.compile(r"^(\s*)(http_)?port: (\d{4})$", re.MULTILINE)
SITE = re.compile(r"^:(\d{4}) \{$", re.MULTILINE)
PATHS = re.compile(r'(?<![\w./])/(etc|run|data|var/lib)(?=[/"\s]|$)')
FOR_TESTS = {
    "HOOKBUNDLE_STORAGE__FLOOR": "0KiB",
    "HOOKBUNDLE_STORAGE__RESERVE": "64KiB",
    "HOOKBUNDLE_DELIVERY__ALLOW_NETWORKS": "127.0.0.0/8",
}
# Of images that are not ours.
OTHERS = {"caddy": ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]}
# Asks as wget does; there may be none here.
WGET = "#!{python}\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[-1])\n"
LOOK_S = 0.1


def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


@dataclass(slots=True)
class Composed:
    """`folder`: has the service's roots, and a short name, because of the paths of sockets.
    `secrets`: where those of the file are."""

    folder: Path
    secrets: Path
    services: dict[str, Any] = field(default_factory=lambda: document()["services"])
    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "wget").write_text(WGET.format(python=sys.executable))
        (tools / "wget").chmod(0o700)
        programs = {
            "hookbundle": PROGRAM,
            "python": sys.executable,
            "nats-server": BINARY,
            "caddy": program("caddy"),
        }
        for name, path in programs.items():
            if path is not None:
                (tools / name).symlink_to(str(path))

    @property
    def has_proxy(self) -> bool:
        return (self.folder / "tools" / "caddy").exists()

    def port(self, service: str, port: str = "8470") -> int:
        return self.ports.setdefault((service, port), free_port())

    def start(self, name: str) -> None:
        with self._log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command(name), env=self.environment(name), stdout=log, stderr=log
            )

    async def run(self, name: str, *command: str) -> Ran:
        """What `docker compose exec` gives, or `run` if no command is named."""
        process = await asyncio.create_subprocess_exec(
            *(self.command(name) if not command else [self._here(name, each) for each in command]),
            env=self.environment(name),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def healthy(self, *names: str) -> None:
        """The health checks of the services end well. Raises: TimeoutError, AssertionError."""
        async with asyncio.timeout(TIMEOUT_S):
            for name in names:
                check = self.services[name]["healthcheck"]["test"]
                assert check[0] == "CMD"
                while (await self.run(name, *check[1:])).code != 0:
                    assert self.processes[name].poll() is None, self._log(name).read_text()
                    await asyncio.sleep(LOOK_S)

    async def stop(self, *names: str) -> list[int]:
        """Exit codes of services that were told to stop at once."""
        for name in names:
            self.processes[name].terminate()
        return [await asyncio.to_thread(self.processes[name].wait, TIMEOUT_S) for name in names]

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def environment(self, name: str) -> dict[str, str]:
        service = self.services[name]
        given: Mapping[str, str] = service.get("environment", {})
        image = variables() if service["image"] == "hookbundle" else {}
        here = {key: self._here(name, value) for key, value in {**image, **given}.items()}
        root = self._root(name)
        homes = {key: str(root / "home") for key in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        return {**here, **FOR_TESTS, **homes, "PATH": f"{self.folder}/tools:{os.environ['PATH']}"}

    # ---- one service

    def command(self, name: str) -> list[str]:
        service = self.services[name]
        image = service["image"].partition(":")[0]
        entry, default = entry_point() if image == "hookbundle" else ([], OTHERS.get(image, []))
        command = [self._here(name, each) for each in [*entry, *service.get("command", default)]]
        path = shutil.which(command[0], path=str(self.folder / "tools"))
        assert path is not None, command
        return [path, *command[1:]]

    def _root(self, name: str) -> Path:
        root = self.folder / name
        if not root.exists():
            root.mkdir()
            self._mount(name, root)
        return root

    def _mount(self, name: str, root: Path) -> None:
        made, service = document(), self.services[name]
        for config in service.get("configs", []):
            source = FILE.parent / made["configs"][config["source"]]["file"]
            self._copy(name, source, root / config["target"].lstrip("/"))
        for secret in service.get("secrets", []):
            source = self.secrets / Path(made["secrets"][secret]["file"]).name
            self._copy(name, source, root / "run" / "secrets" / secret)
        for each in [*service.get("volumes", []), *service.get("tmpfs", [])]:
            path = next(part for part in each.split(":") if part.startswith("/"))
            (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, name: str, source: Path, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(self._here(name, source.read_text("utf-8")), encoding="utf-8")
        to.chmod(0o400)

    def _here(self, name: str, text: str) -> str:
        """What stands in the file, with the paths and ports of this machine."""

        def port_of(found: re.Match[str]) -> str:
            service = found[1] if found[1] in self.services else name
            return f"127.0.0.1:{self.port(service, found[2])}"

        def own(found: re.Match[str]) -> str:
            word = "http" if found[2] else "listen"
            return f"{found[1]}{word}: 127.0.0.1:{self.port(name, found[3])}"

        text = HOST_AND_PORT.sub(port_of, text)
        text = OWN_PORT.sub(own, text)
        text = SITE.sub(lambda found: f":{self.port(name, found[1])} {{", text)
        return PATHS.sub(lambda found: f"{self.folder / name}/{found[1]}", text)

    def _log(self, name: str) -> Path:
        return self._root(name) / "log"

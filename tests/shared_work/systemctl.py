"""A stand-in for systemctl, which has this process start and stop the services of a machine.

So their programs are started as those of all tests are: a daemon is a fork of one that is imported
(`forks.py`). The machine is a folder, ROOT in the environment in which `systemctl` is typed; a
service has its process's number in UNIT.pid there, and its log in UNIT.log. `start` waits until the
daemon is ready, `stop` until it has ended; what else there is does nothing.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from hookbundle.tests.program import PROGRAM, TIMEOUT_S

READY = b'"event": "ready"'
LOOK_S = 0.05
OF_A_TERMINAL = ("LANG", "LC_CTYPE", "TERM", "COLUMNS")  # which a service does not have
SCRIPT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({path!r})
    asked.sendall(json.dumps([sys.argv[1:], dict(os.environ)]).encode())
    asked.shutdown(socket.SHUT_WR)
    sys.exit(int(asked.recv(8) or b"1"))
"""


class Manager:
    """`commands`: what is run for each unit; `$ROOT` in them is the machine's folder."""

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self._commands = commands
        self._started: dict[int, subprocess.Popen[bytes]] = {}
        self._folder = TemporaryDirectory(prefix="systemctl-")
        self._socket = socket.socket(socket.AF_UNIX)
        path = str(Path(self._folder.name, "asked"))
        self._socket.bind(path)
        self._socket.listen()
        self.script = SCRIPT.format(python=sys.executable, path=path)
        self._serving = Thread(target=self._serve)
        self._serving.start()

    def close(self) -> None:
        """Whatever runs still has ended."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        self._socket.close()
        for process in self._started.values():
            process.kill()
            process.wait()
        self._folder.cleanup()

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self._socket.accept()
            except OSError:
                return
            with asked, asked.makefile("rb") as sent:
                words, env = json.load(sent)
                asked.sendall(b"%d" % self._does(words[0], words[-1], env))

    def _does(self, verb: str, unit: str, env: dict[str, str]) -> int:
        """The exit code."""
        root = Path(env["ROOT"])
        if verb in ("stop", "disable", "restart") and not self._stops(root / f"{unit}.pid"):
            return 1
        if verb in ("start", "enable", "restart"):
            return self._start(root, unit, env)
        return 0

    def _stops(self, pid_file: Path) -> bool:
        if not pid_file.exists():
            return True
        pid, until_s = int(pid_file.read_text()), time.monotonic() + TIMEOUT_S
        if self._lives(pid):
            os.kill(pid, signal.SIGTERM)
        while self._lives(pid) and time.monotonic() < until_s:
            time.sleep(LOOK_S)
        return not self._lives(pid)

    def _start(self, root: Path, unit: str, env: dict[str, str]) -> int:
        command = [word.replace("$ROOT", str(root)) for word in self._commands[unit]]
        of_service = {name: each for name, each in env.items() if name not in OF_A_TERMINAL}
        said = root / f"{unit}.log"
        with said.open("ab") as log:
            begin = log.tell()
            process = subprocess.Popen(
                command, env=of_service, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._started[process.pid] = process
        (root / f"{unit}.pid").write_text(f"{process.pid}\n")
        while command[0] == PROGRAM and READY not in said.read_bytes()[begin:]:
            if process.poll() is not None:
                return 1
            time.sleep(LOOK_S)
        return 0

    def _lives(self, pid: int) -> bool:
        if pid in self._started:
            return self._started[pid].poll() is None
        return Path(f"/proc/{pid}").exists()

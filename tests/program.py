"""The installed program in separate processes: a daemon, and the commands that talk to it.

    with serving(tmp_path) as program:
        listed = await program("chats", "list", "--json")
        assert listed.document == []

The daemon is ready when its log says so. The program does not see the caller's own configuration.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any

import msgspec

PROGRAM = str(Path(sys.executable).with_name("hookbundle"))
TIMEOUT_S = 60.0  # starting a process takes long on a busy machine

NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its output as JSON; the command must not have failed."""
        assert self.code == 0, self
        return msgspec.json.decode(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """Its output as plain lines; the command must not have failed."""
        assert self.code == 0, self
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Program:
    """The program with an environment that points to the test's folder, and nothing else."""

    env: dict[str, str]

    @property
    def socket_path(self) -> Path:
        return Path(self.env["HOOKBUNDLE_SOCKET"])

    async def __call__(
        self, *arguments: str, given: bytes = b"", env: Mapping[str, str] = NO_VARIABLES
    ) -> Ran:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, env={**self.env, **env}, stdin=pipe, stdout=pipe, stderr=pipe
        )
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate(given)
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def asked(self, *arguments: str, answer: str) -> Ran:
        """The command on a terminal at which somebody types the answer."""
        pipe = asyncio.subprocess.PIPE
        ours, theirs = os.openpty()
        try:
            os.write(ours, f"{answer}\n".encode())
            process = await asyncio.create_subprocess_exec(
                PROGRAM, *arguments, env=self.env, stdin=theirs, stdout=pipe, stderr=pipe
            )
            async with asyncio.timeout(TIMEOUT_S):
                out, err = await process.communicate()
        finally:
            os.close(ours)
            os.close(theirs)
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())


def program_in(folder: Path, **settings: str) -> Program:
    """`settings` are environment variables without their `HOOKBUNDLE_`."""
    given = {
        "SOCKET": str(folder / "run" / "control.sock"),
        "DATA": str(folder / "data"),
        "LISTEN": "off",
        "DELIVERY__ALLOW_NETWORKS": "127.0.0.0/8",
        "STORAGE__FLOOR": "0KiB",
        "STORAGE__RESERVE": "64KiB",
        **settings,
    }
    if os.environ.get("CLUSTER"):
        from hookbundle.tests.log_servers.instead import clusters

        given |= clusters.settings(folder)
    variables = {f"HOOKBUNDLE_{name}": value for name, value in given.items()}
    homes = {name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return Program({"PATH": os.environ["PATH"], **homes, **variables})


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Program]:
    """A daemon runs, and the program's commands use it; at the end it stops with exit code 0."""
    program = program_in(folder, **settings)
    with subprocess.Popen([PROGRAM, "run"], env=program.env, stderr=subprocess.PIPE) as daemon:
        assert daemon.stderr is not None
        log: list[bytes] = []
        for line in daemon.stderr:
            log.append(line)
            if b'"event": "ready"' in line:
                break
        # The pipe has to be read on, or a daemon that logs a lot would block on it.
        reading = Thread(target=_read, args=(daemon.stderr, log))
        reading.start()
        try:
            with _owned_elsewhere(folder, program):
                yield program
        finally:
            daemon.terminate()
            code = daemon.wait(TIMEOUT_S)
            reading.join(TIMEOUT_S)
    assert code == 0, b"".join(log).decode()


@contextmanager
def _owned_elsewhere(folder: Path, program: Program) -> Iterator[None]:
    if not os.environ.get("ELSEWHERE"):
        yield
        return
    from hookbundle.tests.log_servers.instead import owner_of_all

    with owner_of_all(folder, PROGRAM, program.env):
        yield


def _read(log: IO[bytes], lines: list[bytes]) -> None:
    lines.extend(log)

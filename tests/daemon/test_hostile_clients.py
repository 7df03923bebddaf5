"""Many clients that mean no good, against a daemon in a process with a low limit of open files."""

import asyncio
import signal
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import program_in

DESCRIPTORS = "1024"
LIMITED = (sys.executable, "-m", "hookbundle.tests.daemon.machine.limited", DESCRIPTORS)
SOCKETS = 2_000
LARGE = 8 * 1024 * 1024
HALF_A_HEAD = b"POST /v1/workspaces/acme/messages HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_A_FORM = (
    b"POST /console/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nform_token="
)
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
SENT = {
    "half a head": ALIVE + b"".join(b"X-%d: %b\r\n" % (n, b"x" * 8_000) for n in range(120)),
    "requests ahead": (ALIVE + b"Content-Length: 60000\r\n\r\n" + b"x" * 60_000) * 40,
    "no request": b"x" * 2_000_000,
    "no request after an upgrade": (
        ALIVE + b"Connection: upgrade\r\nUpgrade: x\r\n\r\n" + b"x" * 2_000_000
    ),
}


@dataclass(slots=True)
class Scene:
    """A daemon in a process of its own, a token for intake, and clients that hold connections."""

    operator: Api
    pid: int
    address: tuple[str, int]
    token: str
    slow: list[asyncio.StreamWriter] = field(default_factory=list)

    async def hold(self, count: int, request: bytes) -> None:
        """So many clients send that much, as far as it is taken, and then nothing."""
        for _ in range(count // 100):
            self.slow += await asyncio.gather(*(self._held(request) for _ in range(100)))

    async def accept(self, *events: dict[str, Any]) -> list[int]:
        """The statuses of the events' requests, each sent with the token."""
        url = "http://{}:{}/v1/workspaces/acme/messages".format(*self.address)
        headers = {"Authorization": f"Bearer {self.token}"}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as honest:
            return [(await honest.post(url, json=one)).status for one in events]

    @property
    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1_024

    async def _held(self, request: bytes) -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(request)
        with suppress(ConnectionError, TimeoutError):
            # Taken whole, or answered: then no more of it will be taken.
            async with asyncio.timeout(TIMEOUT_S):
                taking = asyncio.ensure_future(writer.drain())
                answered = asyncio.ensure_future(reader.read(1))
                if len(request) < 10_000:
                    await taking
                else:
                    await asyncio.wait({taking, answered}, return_when=FIRST_COMPLETED)
                for task in (taking, answered):
                    task.cancel()
        return writer


@asynccontextmanager
async def scene_in(folder: Path) -> AsyncIterator[Scene]:
    program = program_in(folder, LISTEN="127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        *(*LIMITED, "run"), env=program.env, stderr=asyncio.subprocess.PIPE
    )
    scene: Scene | None = None
    try:
        assert process.stderr is not None
        ready: dict[str, Any] = {"event": "nothing yet"}
        while ready["event"] != "ready":  # warnings about the settings come first
            ready = msgspec.json.decode(await process.stderr.readline())
        async with receiving() as receiver, connected(program.socket_path) as session:
            operator = Api(session)
            await operator.make("acme", receiver)
            wanted = {"scope": "intake", "workspace": "acme"}
            token = (await operator.ask("POST", "/v1/tokens", wanted)).document["token"]
            scene = Scene(operator, process.pid, (ready["tcp"][0], ready["tcp"][1]), token)
            yield scene
        process.send_signal(signal.SIGTERM)
        rest = (await asyncio.wait_for(process.communicate(), TIMEOUT_S))[1].decode()
    finally:
        for writer in scene.slow if scene else ():
            writer.transport.abort()
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0, rest
    assert "Too many open files" not in rest
    assert '"level": "error"' not in rest, rest


@pytest.mark.parametrize("request_", [HALF_A_HEAD, HALF_A_FORM], ids=["heads", "forms"])
async def test_two_thousand_slow_sockets_leave_honest_clients_served(
    tmp_path: Path, request_: bytes
) -> None:
    async with scene_in(tmp_path) as scene:
        await scene.hold(SOCKETS, request_)

        statuses = await scene.accept(*(event(f"m{number}") for number in range(5)))

        metrics = (await scene.operator.ask("GET", "/metrics")).body.decode()

    assert statuses == [202] * 5
    assert 'hookbundle_http_connections_cut_total{reason="crowded_out"}' in metrics
    assert 'reason="refused"' not in metrics


@pytest.mark.parametrize("way", SENT)
async def test_what_clients_send_and_nobody_reads_takes_little_memory(
    tmp_path: Path, way: str
) -> None:
    """Each of 300 clients without a token sends a megabyte or two of it."""
    async with scene_in(tmp_path) as scene:
        before_mib = scene.memory_mib

        await scene.hold(300, SENT[way])

        assert await scene.accept(event("m1")) == [202]
        assert scene.memory_mib - before_mib < 100


async def test_bodies_that_are_never_finished_take_little_memory(tmp_path: Path) -> None:
    """Each of 100 clients with a good token sends all of 8 MiB but the last byte."""
    async with scene_in(tmp_path) as scene:
        before_mib = scene.memory_mib
        head = (
            "POST /v1/workspaces/acme/messages HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {scene.token}\r\nContent-Length: {LARGE}\r\n\r\n"
        )

        await scene.hold(100, head.encode() + b" " * (LARGE - 1))

        assert await scene.accept(event("m1")) == [202]
        assert scene.memory_mib - before_mib < 150
        metrics = (await scene.operator.ask("GET", "/metrics")).body.decode()
        assert 'hookbundle_limit_refused_total{limit="body_bytes",whose="workspace"}' in metrics

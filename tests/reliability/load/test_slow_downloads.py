"""Ten slow readers of one large log: what they cost the daemon."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hookbundle.tests.in_process import Api, connected, event, facts_of, receiving
from hookbundle.tests.program import Program, serving

ENTRIES = 30
READERS = 8  # as many as one owner may have
TEXT = "x" * 65_000
GROWTH_BYTES_MAX = 100 * 1024 * 1024  # one entry is 0.8 MB; the log 24 MB, so that eight are 190


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with serving(tmp_path, LISTEN="127.0.0.1:0") as program:
        yield program


async def test_slow_readers_of_a_large_log_take_little_memory(program: Program) -> None:
    async with receiving() as receiver, connected(program.socket_path) as session:
        api = Api(session)
        await api.make("acme", receiver, aggregation="24h")
        for number in range(ENTRIES):
            texts = (event(f"m{n}", f"c{number}", text=TEXT) for n in range(6))
            await api.accept("acme", *texts)
            await api.ask("POST", f"/v1/workspaces/acme/chats/c{number}/flush")
        async with facts_of(program.socket_path) as facts:
            await facts.until("delivery.delivered", ENTRIES)
        status = await api.get("/v1/status")
        before = resident_bytes(status["pid"])
        with ExitStack() as readers:
            for _ in range(READERS):
                sock = readers.enter_context(socket.socket(socket.AF_UNIX))
                await begun(sock, program.socket_path)
            assert (await api.get("/healthz"))["status"] == "alive"
            while_reading = resident_bytes(status["pid"])
        entries = await api.get("/v1/workspaces/acme/log")

    assert len(entries) == ENTRIES
    assert while_reading - before < GROWTH_BYTES_MAX, (before, while_reading)


async def begun(sock: socket.socket, path: Path) -> None:
    """A download has begun; its reader takes the first bytes and no more."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    await loop.sock_connect(sock, str(path))
    await loop.sock_sendall(
        sock, b"GET /v1/workspaces/acme/log HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    taken = b""
    while len(taken) < 1_000:  # its head, and the beginning of an entry
        taken += await loop.sock_recv(sock, 1_000)


def resident_bytes(pid: int) -> int:
    (line,) = (
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) * 1_024

"""A daemon does not grow with the time that it works.

In each round new chats collect messages, are sealed and delivered, and become idle; webhooks fail
now and then and recover; one reader of the feed has stopped reading. After each round everything is
delivered and the process is measured. `make soak` does many large rounds.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hookbundle.tests.feed_readers import connected
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import event
from hookbundle.tests.program import TIMEOUT_S, program_in
from hookbundle.tests.reliability.harness.battery import FULL, size
from hookbundle.tests.running import Running, running

ROUNDS = int(os.environ.get("SOAK_ROUNDS", size("5", "12")))
CHATS = int(os.environ.get("SOAK_CHATS", size("40", "400")))  # new ones a round, in each workspace
EACH = 5  # messages a chat
WORKSPACES = {"bundled": "1s", "alone": "none", "failing": "1s"}
STUCK = b'{"hello":1,"format":"ndjson","since":"oldest"}\n'
HELLO = b'{"hello":1,"format":"ndjson","types":["delivery.delivered"]}\n'

# Growth up to these limits is no leak: Python allocates memory in arenas, and the numbers of pooled
# connections and threads vary.
GROWN_BYTES_MAX = size(12, 8) * 2**20
CHAT_BYTES = 1_100  # of a chat's actor that was used in the last minute; their number is bounded
GROWN_FILES_MAX = 4
GROWN_THREADS_MAX = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """The size of a process between two rounds; `private_bytes` without the chats in memory."""

    private_bytes: int
    chats: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int, chats: int) -> "Measured":
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return cls(
            private_bytes=int(fields["RssAnon"].split()[0]) * 1024 - chats * CHAT_BYTES,
            chats=chats,
            files=len(os.listdir(f"/proc/{pid}/fd")),
            threads=int(fields["Threads"]),
        )


async def test_a_daemon_that_worked_for_long_is_no_larger_than_after_a_while(
    tmp_path: Path,
) -> None:
    program = program_in(tmp_path, DELIVERY__BACKOFF="1s", FEED__KEEP_EVENTS="5000")
    feed_path = str(program.socket_path.with_name("feed.sock"))
    found: list[Measured] = []
    async with HookReceiver() as receiver, running(program) as daemon:
        for ws, aggregation in WORKSPACES.items():
            await daemon.make(ws, receiver, ws, aggregation=aggregation)
        async with stuck_reader(feed_path) as stuck, connected(feed_path, HELLO) as delivered:
            for number in range(ROUNDS):
                if number % 2:
                    receiver.answers(503, 200)  # the first attempt of the round fails
                left = await work(daemon, number)
                while left:
                    left -= (await delivered.hear_of("delivery.delivered"))["data"]["messages"]
                receiver.posts.clear()
                chats = (await daemon.get("/v1/status"))["residents"]["chats"]
                found.append(Measured.of(daemon.process.pid, chats))
                print(number, found[-1])
            if FULL:
                await ended(stuck)
        status = await daemon.get("/v1/status")

    warm, last = found[ROUNDS // 3], found[-1]
    assert (status["windows"], status["queued"], status["quarantined"]) == (0, 0, [])
    assert last.private_bytes - warm.private_bytes <= GROWN_BYTES_MAX, found
    assert last.files - warm.files <= GROWN_FILES_MAX, found
    assert last.threads - warm.threads <= GROWN_THREADS_MAX, found


async def work(daemon: Running, number: int) -> int:
    """Sends EACH messages to each new chat of the round. Returns how many were sent."""
    sent = 0
    for ws in WORKSPACES:
        for turn in range(EACH):
            messages = [event(f"r{number}t{turn}c{c}", f"r{number}c{c}") for c in range(CHATS)]
            answer = await daemon.accept(ws, *messages)
            sent += int(answer["accepted"])
    assert sent == len(WORKSPACES) * EACH * CHATS
    return sent


@asynccontextmanager
async def stuck_reader(feed_path: str) -> AsyncIterator[socket.socket]:
    """A subscriber to all events that never reads from its socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, feed_path)
        await loop.sock_sendall(sock, STUCK)
        yield sock


async def ended(stuck: socket.socket) -> None:
    """The daemon has closed the connection; what was in the socket is read first."""
    async with asyncio.timeout(TIMEOUT_S):
        with suppress(ConnectionResetError):
            while await asyncio.get_running_loop().sock_recv(stuck, 2**16):
                pass

"""Intake load: `python bench/processes/load.py ADDRESS CONNECTIONS REQUESTS KIND TAG [--first N]`.

ADDRESS is the path of a Unix socket, or HOST:PORT, where `--token` is sent with each request; or
several with commas between them, which get as many connections each.
KIND is one of these, each message of a chat that is always in the same workspace:

    single   a message a request
    many     100 messages, each of another chat
    ten      100 messages of ten chats
    one      100 messages of one chat
    new      100 messages, each of a chat that no other request has
    spread   100 messages to chats that lie far apart

Requests go to the workspaces in turn. They are made beforehand and written as bytes: on two
processors, a generator as slow as the server would measure itself. `cpu_s` says how much it took.
Each connection sends its next request after the answer to the previous one.
"""

import argparse
import asyncio
import json
import time
from functools import partial
from itertools import cycle

from hookbundle.bench.harness import percentile

BATCH = 100
STRIDE = 7_919  # a prime, so that steps of this size reach every chat
ACCEPTED = b"HTTP/1.1 202 "

EVENT = (
    '{"whatsapp_account":{"full_name":"Ann Account","email":"ann@example.com",'
    '"phone":"+1 555 0100"},"chat":{"full_name":"Chat %(chat)d","responsible_name":"Rae Teammate",'
    '"responsible_email":"rae@example.com","chat_url":"https://inbox.example/chats/%(chat)d",'
    '"chat_id":"15550100-%(chat)d@c.us","is_new_chat":false,"is_group":false,'
    '"phone":"+1 555 0199"},"message":{"direction":"received","timestamp":1767225600,'
    '"message_id":"%(tag)s-%(number)d","sender":{"full_name":"Sam Sender","phone":"+1 555 0199"},'
    '"recipient":{"full_name":"Ann Account","phone":"+1 555 0100"},'
    '"text":"What about Thursday, then? I could be at the office by nine, or call you."}}'
)


def chats_of(kind: str, number: int, chats: int, workspaces: int) -> list[int]:
    """The chats of the messages of a request; all are in workspace `number % workspaces`."""
    first = number * BATCH
    match kind:
        case "single":
            return [number % chats]
        case "many":
            return [(first + index) % chats for index in range(BATCH)]
        case "ten":
            return [(first + index // 10) % chats for index in range(BATCH)]
        case "one":
            return [number % chats] * BATCH
        case "new":
            return [first + index for index in range(BATCH)]
        case "spread":
            # As with `new`, each hundred chats in a row share a workspace.
            own, turn = chats // workspaces, number // workspaces * BATCH
            positions = [(turn + index) * STRIDE % own for index in range(BATCH)]
            start = number % workspaces * BATCH
            return [p // BATCH * BATCH * workspaces + start + p % BATCH for p in positions]
    raise ValueError(kind)


def request(
    kind: str,
    tag: str,
    number: int,
    chats: int = 10_000,
    workspaces: int = 10,
    token: str = "",
) -> bytes:
    """The bytes of one request; `tag` makes the message ids of each run different."""
    first = number * BATCH
    events = [
        EVENT % {"chat": chat, "tag": tag, "number": first + index}
        for index, chat in enumerate(chats_of(kind, number, chats, workspaces))
    ]
    content = (events[0] if kind == "single" else f"[{','.join(events)}]").encode()
    head = (
        f"POST /v1/workspaces/ws{number % workspaces}/messages HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    )
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    return f"{head}\r\n".encode() + content


class Connection(asyncio.Protocol):
    """A connection that sends the rest of `waiting`, one request after the other."""

    transport: asyncio.Transport

    def __init__(self, waiting: list[bytes], took_s: list[float]) -> None:
        self.waiting = waiting
        self.took_s = took_s
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self) -> None:
        if not self.waiting:
            self.transport.close()
            self.done.set_result(None)
            return
        self._sent_s = time.perf_counter()
        self.transport.write(self.waiting.pop())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, content = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(content) < int(length):
            return
        if not head.startswith(ACCEPTED):
            self.done.set_exception(RuntimeError(f"answered {self._received!r}"))
            return
        self.took_s.append(time.perf_counter() - self._sent_s)
        self._received = b""
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


async def load(address: str, connections: int, waiting: list[bytes]) -> dict[str, float]:
    took_s: list[float] = []
    given = cycle(address.split(","))
    opened = [await _opened(next(given), waiting, took_s) for _ in range(connections)]
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for connection in opened:
        connection.send()
    await asyncio.gather(*(connection.done for connection in opened))
    seconds = time.perf_counter() - began_s
    took_s.sort()
    return {
        "requests": len(took_s),
        "seconds": seconds,
        "cpu_s": time.process_time() - cpu_s,
        "p50_ms": percentile(took_s, 50) * 1_000,
        "p99_ms": percentile(took_s, 99) * 1_000,
    }


async def _opened(address: str, waiting: list[bytes], took_s: list[float]) -> Connection:
    loop, (host, colon, port) = asyncio.get_running_loop(), address.rpartition(":")
    made = partial(Connection, waiting, took_s)
    if colon:
        return (await loop.create_connection(made, host, int(port)))[1]
    return (await loop.create_unix_connection(made, address))[1]


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("address")
    given.add_argument("connections", type=int)
    given.add_argument("requests", type=int)
    given.add_argument("kind")
    given.add_argument("tag")
    given.add_argument("--first", type=int, default=0)
    given.add_argument("--chats", type=int, default=10_000)
    given.add_argument("--workspaces", type=int, default=10)
    given.add_argument("--token", default="")
    want = given.parse_args()
    made = [
        request(want.kind, want.tag, number, want.chats, want.workspaces, want.token)
        for number in reversed(range(want.first, want.first + want.requests))
    ]
    print(json.dumps(asyncio.run(load(want.address, want.connections, made))), flush=True)


if __name__ == "__main__":
    main()

"""Intake load: `python bench/load.py SOCKET CONNECTIONS REQUESTS KIND TAG [FIRST]`.

KIND is `single` (a message a request), `many` (100 messages, each of another chat), `one` (100
messages of one chat) or `new` (100 messages, each of a chat that no other request has); FIRST is
the number of the first request. Requests are made beforehand and written as bytes: on two
processors a generator that took as long as the server would measure itself. Each connection sends
its next request when the answer to the last one is there.
"""

import asyncio
import json
import sys
import time

CHATS = 10_000
WORKSPACES = 10
BATCH = 100
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


def body(kind: str, tag: str, number: int) -> str:
    if kind == "single":
        return EVENT % {"chat": number % CHATS, "tag": tag, "number": number}
    first = number * BATCH
    if kind == "many":
        chats = [(first + index) % CHATS for index in range(BATCH)]
    elif kind == "one":
        chats = [number % CHATS] * BATCH
    elif kind == "new":  # every message opens a window
        chats = [first + index for index in range(BATCH)]
    else:
        raise ValueError(kind)
    events = (
        EVENT % {"chat": chat, "tag": tag, "number": first + index}
        for index, chat in enumerate(chats)
    )
    return f"[{','.join(events)}]"


def request(kind: str, tag: str, number: int) -> bytes:
    content = body(kind, tag, number).encode()
    head = (
        f"POST /v1/workspaces/ws{number % WORKSPACES}/messages HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Connection(asyncio.Protocol):
    """Sends what `waiting` has left, one request after the other."""

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
            self.done.set_exception(exc or ConnectionError("the server has hung up"))


async def load(path: str, connections: int, waiting: list[bytes]) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    took_s: list[float] = []
    opened = [
        (await loop.create_unix_connection(lambda: Connection(waiting, took_s), path))[1]
        for _ in range(connections)
    ]
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
        "p50_ms": took_s[len(took_s) // 2] * 1_000,
        "p99_ms": took_s[len(took_s) * 99 // 100] * 1_000,
    }


if __name__ == "__main__":
    socket, connections, requests, kind, tag, *first = sys.argv[1:]
    start = int(first[0]) if first else 0
    numbers = reversed(range(start, start + int(requests)))
    made = [request(kind, tag, number) for number in numbers]
    print(json.dumps(asyncio.run(load(socket, int(connections), made))), flush=True)

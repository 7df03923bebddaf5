"""The receiver all contestants deliver to: `python bench/rivals/receiver.py [REFUSE_EVERY]`.

It answers at once. At an empty line it says what has come since the last one: of each POST when it
came, whether it was accepted, and the ids of its messages. With REFUSE_EVERY each so manyth POST is
answered with 503.
"""

import asyncio
import json
import re
import sys
import time

ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"
IDS = re.compile(rb'"message_id":"([^"]+)"')


class Receiving(asyncio.Protocol):
    refuse_every = 0
    count = 0
    posts: tuple[list[float], list[bool], list[bytes]] = ([], [], [])

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, found, content = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(content) < length:
                return
            self._received = content[length:]
            self.transport.write(_answer(content[:length]))


def _answer(body: bytes) -> bytes:
    kind = Receiving
    kind.count += 1
    accepted = not kind.refuse_every or kind.count % kind.refuse_every != 0
    at_s, was_accepted, bodies = kind.posts
    at_s.append(time.monotonic())
    was_accepted.append(accepted)
    bodies.append(body)
    return ACCEPTED if accepted else REFUSED


def tell() -> None:
    if not sys.stdin.readline():
        asyncio.get_running_loop().remove_reader(sys.stdin)
        return
    posts, Receiving.posts = Receiving.posts, ([], [], [])
    said = [
        (at_s, accepted, [found.decode() for found in IDS.findall(body)])
        for at_s, accepted, body in zip(*posts, strict=True)
    ]
    print(json.dumps({"posts": said}), flush=True)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiving, "127.0.0.1", 0, backlog=4_096)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}/hook"}), flush=True)
    loop.add_reader(sys.stdin, tell)
    await asyncio.Event().wait()


if __name__ == "__main__":
    Receiving.refuse_every = int(sys.argv[1]) if sys.argv[1:] else 0
    asyncio.run(main())

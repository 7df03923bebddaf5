"""The receiver and the baselines of other benchmarks: `python bench/processes/peers.py ROLE ...`.

handler SOCKET                   an aiohttp server, there and on TCP, that reads a request and
                                 stores nothing
receiver                         a webhook receiver that answers at once
client URL CONNECTIONS REQUESTS  a bare aiohttp client loop: so many requests on each
"""

import asyncio
import sys
import time

import aiohttp
from aiohttp import web

from hookbundle.bench import harness

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BODY = b'{"text":"' + b"x" * 600 + b'"}'
HEADERS = {"Content-Type": "application/json", "webhook-id": "dlv_1", "webhook-signature": "x" * 48}


async def handler(path: str) -> None:
    async def accept(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(
            status=202,
            body=b'{"accepted":1,"duplicate":0,"skipped":[]}',
            content_type="application/json",
        )

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/workspaces/{ws}/messages", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, path).start()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[-1][:2]
    harness.say({"socket": path, "tcp": f"{host}:{port}"})
    await asyncio.Event().wait()


def whole_request(received: bytes) -> int:
    """The length of the first request, 0 if it has not come whole."""
    head, found, content = received.partition(b"\r\n\r\n")
    if not found:
        return 0
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return len(head) + len(found) + length if len(content) >= length else 0


class Receiving(asyncio.Protocol):
    count = 0
    connections = 0
    first_s = 0.0
    last_s = 0.0

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        Receiving.connections += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._one():
            self.transport.write(ANSWER)

    def _one(self) -> bool:
        """Removes and counts one complete request from the buffer; False if there is none."""
        length = whole_request(self._received)
        if not length:
            return False
        self._received = self._received[length:]
        Receiving.last_s = time.monotonic()
        Receiving.first_s = Receiving.first_s or Receiving.last_s
        Receiving.count += 1
        return True


async def receiver() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiving, "127.0.0.1", 0, backlog=4_096)
    port = server.sockets[0].getsockname()[1]
    harness.say({"url": f"http://127.0.0.1:{port}/hook"})

    def count() -> None:
        if not sys.stdin.readline():
            loop.remove_reader(sys.stdin)
            return
        kind = Receiving
        harness.say(
            {
                "count": kind.count,
                "connections": kind.connections,
                "seconds": kind.last_s - kind.first_s,
            }
        )
        kind.count, kind.connections, kind.first_s = 0, 0, 0.0

    loop.add_reader(sys.stdin, count)
    await asyncio.Event().wait()


async def client(url: str, connections: int, requests: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send() -> None:
            for _ in range(requests):
                async with session.post(url, data=BODY, headers=HEADERS) as answer:
                    await answer.read()

        await asyncio.gather(*(send() for _ in range(connections)))
    harness.say({"cpu_s": time.process_time()})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["handler", path]:
            asyncio.run(handler(path))
        case ["receiver"]:
            asyncio.run(receiver())
        case ["client", url, connections, requests]:
            asyncio.run(client(url, int(connections), int(requests)))
        case _:
            sys.exit(__doc__)

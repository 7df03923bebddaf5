"""A receiver that holds its answers back: `python bench/instructions/holding.py`.

It reports its URL. A line `ANSWERS REQUESTS` lets it answer so many requests of each connection,
those of before included. It reports the count when as many requests have come in all. So a sender
can be stopped between two deliveries: it has done all that it does for the first, and for the
second it waits for the answer.
"""

import asyncio
import sys

from hookbundle.bench import harness
from hookbundle.bench.processes.peers import ANSWER, whole_request


class Holding(asyncio.Protocol):
    all: "list[Holding]" = []  # noqa: RUF012
    may_answer = 0
    wanted = 0

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""
        self.came = 0
        self._answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        Holding.all.append(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while length := whole_request(self._received):
            self._received = self._received[length:]
            self.came += 1
        self.answer()
        report()

    def answer(self) -> None:
        while self._answered < min(self.came, Holding.may_answer):
            self._answered += 1
            self.transport.write(ANSWER)


def report() -> None:
    count = sum(each.came for each in Holding.all)
    if Holding.wanted and count >= Holding.wanted:
        Holding.wanted = 0
        harness.say({"count": count})


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Holding, "127.0.0.1", 0, backlog=4_096)
    harness.say({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"})

    def told() -> None:
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
            return
        Holding.may_answer, Holding.wanted = map(int, line.split())
        for each in Holding.all:
            each.answer()
        report()

    loop.add_reader(sys.stdin, told)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

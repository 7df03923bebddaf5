"""Load whose every message is known: `python bench/rivals/traffic.py SOCKET PLAN`.

PLAN is the JSON of a `Plan`. Says `{"ready": true}` when all requests are made, goes at an empty
line, and says which messages were answered with 202, and when they were sent. That the server hangs
up ends a connection and nothing else: what was on its way then was not acknowledged.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

from hookbundle.bench.processes import load

Kept = list[tuple[list[str], float, float]]  # the ids of a request, when it was sent, and answered


@dataclass(frozen=True, slots=True)
class Plan:
    """So many messages, by turns to so many chats, which are spread over the workspaces."""

    tag: str
    messages: int
    batch: int
    chats: int
    workspaces: int
    connections: int
    per_s: float = 0.0  # 0: as fast as they are answered


@dataclass(frozen=True, slots=True)
class Request:
    ids: list[str]
    content: bytes


def requests_of(plan: Plan) -> list[Request]:
    each = plan.chats // plan.workspaces
    made = []
    for number in range(plan.messages // plan.batch):
        ws, turn = number % plan.workspaces, number // plan.workspaces * plan.batch
        chats = [ws + plan.workspaces * ((turn + place) % each) for place in range(plan.batch)]
        first = number * plan.batch
        made.append(_request(plan.tag, ws, first, chats, as_array=plan.batch > 1))
    return made


def _request(tag: str, ws: int, first: int, chats: list[int], *, as_array: bool) -> Request:
    ids, events = [], []
    for number, chat in enumerate(chats, first):
        prefix = f"{tag}.{ws}.{chat}"
        ids.append(f"{prefix}-{number}")
        events.append(load.EVENT % {"chat": chat, "tag": prefix, "number": number})
    content = (f"[{','.join(events)}]" if as_array else events[0]).encode()
    head = (
        f"POST /v1/workspaces/ws{ws}/messages HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return Request(ids, head.encode() + content)


@dataclass(slots=True)
class Work:
    """What is still to be sent; connections that find nothing wait here for more."""

    waiting: list[Request]
    idle: "list[Caller]"
    kept: Kept
    took_s: list[float]
    over: bool = False


class Caller(load.Connection):
    def __init__(self, work: Work) -> None:
        super().__init__([], work.took_s)
        self._work = work
        self._under_way: Request | None = None
        self._went_s = 0.0

    def send(self) -> None:
        if self._under_way is not None:
            self._work.kept.append((self._under_way.ids, self._went_s, time.monotonic()))
            self._under_way = None
        if self._work.waiting:
            self._under_way = self._work.waiting.pop()
            self._went_s, self._sent_s = time.monotonic(), time.perf_counter()
            self.transport.write(self._under_way.content)
        elif self._work.over:
            self.transport.close()
            self.done.set_result(None)
        else:
            self._work.idle.append(self)


async def pace(work: Work, made: list[Request], per_s: float) -> None:
    began_s = time.monotonic()
    for number, request in enumerate(made):
        await asyncio.sleep(began_s + number / per_s - time.monotonic())
        work.waiting.insert(0, request)
        if work.idle:
            work.idle.pop().send()
    work.over = True
    while work.idle:
        work.idle.pop().send()


async def run(path: str, plan: Plan) -> dict[str, object]:
    made = requests_of(plan)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    work = Work([], [], [], [])
    if not plan.per_s:
        work.waiting, work.over = made[::-1], True
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_unix_connection(lambda: Caller(work), path))[1]
        for _ in range(plan.connections)
    ]
    for caller in callers:
        caller.send()
    if plan.per_s:
        await pace(work, made, plan.per_s)
    ended = await asyncio.gather(*(caller.done for caller in callers), return_exceptions=True)
    errors = [repr(error) for error in ended if error is not None]
    return {"kept": work.kept, "errors": errors[:1], "took_s": sorted(work.took_s)}


if __name__ == "__main__":
    socket, plan_json = sys.argv[1:]
    print(json.dumps(asyncio.run(run(socket, Plan(**json.loads(plan_json))))), flush=True)

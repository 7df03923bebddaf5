"""Plain Pykka: `python -m hookbundle.bench.rivals.pykka_threads.serve DATA URL WINDOW_S`.

One process. Messages are in the log, and synced, before their chat's actor is told of them and the
request is answered; a restart reads the log and tells the actors again.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any

from hookbundle.bench.rivals import door
from hookbundle.bench.rivals.pykka_threads import journal
from hookbundle.bench.rivals.pykka_threads.actors import Clock, Collect, Deliver, House
from hookbundle.bench.rivals.pykka_threads.journal import Append, Journal
from hookbundle.bench.rivals.shape import Taken


class Intake:
    def __init__(self, house: House, window_s: float) -> None:
        self._house = house
        self._window_ms = round(window_s * 1_000)
        self._loop = asyncio.get_running_loop()

    async def take(self, ws: str, taken: Sequence[Taken]) -> None:
        due_ms = time.time_ns() // 1_000_000 + self._window_ms
        chats: dict[str, list[str]] = {}
        for chat, member in taken:
            chats.setdefault(chat, []).append(member.decode())
        lines = [
            ["m", ws, chat, due_ms, event] for chat, events in chats.items() for event in events
        ]
        kept: asyncio.Future[None] = self._loop.create_future()

        def then() -> None:
            # In the journal's thread, so that a chat hears of its messages in the log's order.
            error: RuntimeError | None = None
            try:
                for chat, events in chats.items():
                    self._house.tell_chat(ws, chat, Collect(due_ms, events))
            except RuntimeError as exc:
                error = exc
            self._loop.call_soon_threadsafe(answer, error)

        def answer(error: RuntimeError | None) -> None:
            if error is not None:
                kept.set_exception(door.CantTake(str(error)))
            elif not kept.done():
                kept.set_result(None)

        self._house.journal.tell(Append(lines, then))
        await kept


def resume(house: House, left: journal.Left) -> None:
    """The actors know what the log has left to do."""
    for number, (ws, events) in left.bundles.items():
        house.webhook(ws).tell(Deliver(number, events))
    for (ws, chat), messages in left.chats.items():
        due_ms = messages[0][0]
        house.tell_chat(ws, chat, Collect(due_ms, [event for _, event in messages]))


async def main() -> None:
    asked = door.asked()
    path = asked.data / "journal"
    left = journal.read(path)
    clock = Clock()
    clock.start()
    ref: Any = Journal.start(path)
    house = House(clock, ref, asked.url, itertools.count(left.last_bundle + 1))
    resume(house, left)
    await door.serve(asked.socket_path, Intake(house, asked.window_s).take)


if __name__ == "__main__":
    asyncio.run(main())

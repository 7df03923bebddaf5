"""A run of `listen`: the receiver is opened, what is to be set is said, and requests are shown."""

import asyncio
import os
from dataclasses import dataclass

from hookbundle.commands.listening import pointing, shown
from hookbundle.commands.listening.checks import Check
from hookbundle.commands.listening.receiver import HOST, Receiver
from hookbundle.commands.listening.shown import Received
from hookbundle.commands.listening.wire import Request
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, CommandFailure, printable
from hookbundle.commands.terminal.options import Shared
from hookbundle.engine.clock import SystemClock


@dataclass(frozen=True, slots=True)
class Plan:
    """Where it listens, and whose requests it is for; `ws` empty: anybody's."""

    ws: str
    webhook: str
    port: int
    set_url: bool


@dataclass(slots=True)
class Listening:
    """What is done with each request. `statuses` take turns; `most`: requests until the end.

    `is_read`: whether somebody reads what is shown.
    """

    check: Check
    statuses: tuple[int, ...]
    delay_s: float
    most: int | None
    as_json: bool
    taken: int = 0
    answered: int = 0
    is_read: bool = True

    async def take(self, request: Request) -> int:
        """The request is shown. Returns the status of its answer."""
        number, self.taken = self.taken, self.taken + 1
        status = self.statuses[number % len(self.statuses)]
        checked = await asyncio.to_thread(self.check, request)
        received = Received(number + 1, SystemClock().wall_ms(), request, checked, status)
        self.is_read &= shown.show_json(received) if self.as_json else shown.show(received)
        await asyncio.sleep(self.delay_s)
        return status

    def ends_after(self) -> bool:
        """A request was answered; whether it was the last one."""
        self.answered += 1
        return not self.is_read or (self.most is not None and self.answered >= self.most)


def run(shared: Shared, plan: Plan, listening: Listening) -> None:
    """Raises: Failure; KeyboardInterrupt."""
    asyncio.run(_run(shared, plan, listening))


async def _run(shared: Shared, plan: Plan, listening: Listening) -> None:
    ended = asyncio.Event()

    def answered() -> None:
        if listening.ends_after():
            ended.set()

    def refused(why: str) -> None:
        output.say(f"refused: {printable(why)}")

    receiver = Receiver(listening.take, answered, refused)
    try:
        port = await receiver.open(plan.port)
    except OSError as exc:
        why = os.strerror(exc.errno).lower() if exc.errno else "the operating system refused it"
        raise CommandFailure(
            f"port {plan.port} can't be used: {why}; --port 0 takes a free one", FAILED
        ) from exc
    try:
        url = f"http://{HOST}:{port}/"
        if plan.set_url:
            await asyncio.to_thread(pointing.point, shared, plan.ws, plan.webhook, url)
        else:
            await asyncio.to_thread(
                pointing.say_what_to_set, shared, plan.ws, plan.webhook, url, port
            )
        output.say(f"listening on {url} (Ctrl-C ends)")
        await ended.wait()
    finally:
        await receiver.close()

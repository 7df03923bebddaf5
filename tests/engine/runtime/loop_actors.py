"""Loop actors for tests, and how to begin, ask and stop them."""

import asyncio
from typing import Any

from hookbundle.engine.runtime.loop_actor import LoopActor

SOON_S = 10


class Quitter(BaseException):
    pass


class Walker(LoopActor):
    """All its hooks are async; it waits at its gate for each message."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.arrived = asyncio.Event()
        self.failed: asyncio.Future[BaseException | None] = (
            asyncio.get_running_loop().create_future()
        )

    async def on_receive(self, message: Any) -> Any:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.arrived.set()
        try:
            await self.gate.wait()
            if isinstance(message, BaseException):
                raise message
            self.seen.append(message)
            return message
        finally:
            self.at_once -= 1

    def on_failure(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.failed.set_result(error)


class Echo(LoopActor):
    def on_receive(self, message: Any) -> Any:
        if isinstance(message, BaseException):
            raise message
        return message


def begun(actor: LoopActor) -> Any:
    actor.begin()
    return actor.actor_ref


async def asked(ref: Any, message: Any) -> Any:
    return await asyncio.wait_for(ref.ask(message, block=False), SOON_S)


async def stopped(ref: Any) -> Any:
    return await asyncio.wait_for(ref.stop(block=False), SOON_S)

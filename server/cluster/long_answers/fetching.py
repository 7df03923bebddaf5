"""Long answers at the node that has the client: the next part is asked for when one was passed on.

A part whose answer is lost is asked for again. If the node that makes the answer is gone, or has
failed over it, the client's connection is cut: what came is not taken for all of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import web
from multidict import CIMultiDict

from hookbundle.engine.errors import HookbundleError
from hookbundle.server.cluster.asked import Answered, AnswerLost, Asked, NotAsked
from hookbundle.server.cluster.long_answers.held import REST
from hookbundle.server.http.large_answers import LARGE_ANSWERS

AGAIN_S = (0.1, 0.4, 1.0)  # for each part; a connection that was lost is there again by then

Ask = Callable[[Asked], Awaitable[Answered]]


async def passed_on(request: web.Request, answered: Answered, ask: Ask) -> web.StreamResponse:
    """The answer, sent to the client as it comes. `ask`: the node that has begun it.

    Raises: TooManyRequests; Overloaded; AnswerLost when the client has a part of it, and is cut
        off.
    """
    response = web.StreamResponse(status=answered.status, headers=CIMultiDict(answered.headers))
    rest = _Rest(answered, ask)
    try:
        return await request.app[LARGE_ANSWERS].streamed(request, response, rest.parts())
    finally:
        await rest.drop()


class _Rest:
    def __init__(self, answered: Answered, ask: Ask) -> None:
        self._answered = answered
        self._ask = ask

    async def parts(self) -> AsyncIterator[bytes]:
        """Raises: AnswerLost."""
        number = 0
        yield self._answered.body
        while self._answered.rest:
            number += 1
            self._answered = await self._asked(f"{REST}{self._answered.rest}/{number}")
            yield self._answered.body

    async def drop(self) -> None:
        """What was not asked for is not made."""
        if self._answered.rest:
            asked = Asked("DELETE", f"{REST}{self._answered.rest}", ())
            with suppress(HookbundleError):  # then it is given up by itself, a while later
                await self._ask(asked)

    async def _asked(self, target: str) -> Answered:
        for pause_s in (*AGAIN_S, None):
            try:
                answered = await self._ask(Asked("GET", target, ()))
            except (AnswerLost, NotAsked):
                if pause_s is None:
                    break
                await asyncio.sleep(pause_s)
                continue
            if answered.status == 200:
                return answered
            break
        raise AnswerLost.of(AnswerLost.other)

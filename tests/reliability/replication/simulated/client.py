"""Senders of the simulated cluster: each has a chat, and posts one request after the other.

As the systems that send messages do: a request that is not answered in time, or with an error, is
sent again, to any node, with the same ids. So the messages of a chat are stored in the order in
which they were acknowledged, each once, and what was given up is stored once or not at all.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.erasing import ChatDeleted, DeleteChat
from hookbundle.storage.transitions.sealing import SealWindow
from hookbundle.storage.transitions.table import Transition
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.storage.scratch import PRODUCT, incoming

ANSWER_WITHIN_S = 3.0
TRIES = 4


class Client:
    """Of one chat of a workspace. `acknowledged`: ids, in the order of their answers.

    `deletes`: it deletes its chat now and then, so nothing can be said of what is stored. It erases
    what is left, as the timer of a partition would.
    """

    def __init__(
        self,
        chat: str,
        nodes: Callable[[], Sequence[Node]],
        clock: Clock,
        rng: Random,
        *,
        deletes: bool = False,
    ) -> None:
        self.chat = chat
        self.deletes = deletes
        self.acknowledged: list[str] = []
        self.given_up: list[str] = []
        self.stopped = False
        self._nodes = nodes
        self._clock = clock
        self._rng = rng
        self._count = 0

    async def run(self) -> None:
        while not self.stopped:
            await asyncio.sleep(self._rng.choice((0.0, 0.01, 0.3, 1.5)))
            await self._post()
            if self._rng.random() < 0.2:
                await self._ask(self._sealing())
            if self.deletes and self._rng.random() < 0.1:
                await self.delete()

    async def delete(self) -> bool:
        """The chat is deleted and erased; False if that was not answered, or not to its end."""
        if not isinstance(await self._ask(self._deleting()), ChatDeleted):
            return False
        step = EraseStep(row=Due(0, DueKind.ERASE, 1), most=5, now_ms=self._clock.now_ms())
        for _ in range(TRIES):
            erased = await self._ask(step)
            if isinstance(erased, Erased) and erased.finished:
                return True
        return False

    async def _post(self) -> None:
        count = self._rng.choice((1, 1, 2, 12))
        ids = [f"{self.chat}{self._count + n}" for n in range(count)]
        self._count += count
        text = f"canary of {self.chat} " + "x" * self._rng.choice((5, 5, 300))
        for _ in range(TRIES):
            messages = tuple(incoming(id_, self._clock.now_ms(), text=text) for id_ in ids)
            answer = await self._ask(self._accepting(messages))
            if isinstance(answer, Accepted):
                self.acknowledged += ids
                return
            await asyncio.sleep(0.2)
        self.given_up += ids

    async def _ask(self, transition: Transition) -> Any:
        """The answer, an error, or None if there was none in time."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def told(result: Any) -> None:
            if not answer.done():
                answer.set_result(result)

        takers = [node for node in self._nodes() if node.queue is not None]
        self._rng.shuffle(takers)
        try:
            if not any(node.submit(transition, told) for node in takers):
                return None
            return await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        except (TimeoutError, HookbundleError):
            return None

    def _accepting(self, messages: Any) -> AcceptMessages:
        return AcceptMessages(
            workspace_number=1,
            chat_id=self.chat,
            messages=messages,
            skipped=(),
            now_ms=self._clock.now_ms(),
            product_name=PRODUCT,
            quota=Quota(),
        )

    def _deleting(self) -> DeleteChat:
        return DeleteChat(
            workspace_id="acme",
            chat_id=self.chat,
            now_ms=self._clock.now_ms(),
            caller="operator",
        )

    def _sealing(self) -> SealWindow:
        return SealWindow(
            workspace_number=1,
            chat_id=self.chat,
            now_ms=self._clock.now_ms(),
            product_name=PRODUCT,
        )

    def check(self, events: Sequence[FeedEvent]) -> None:
        """Raises: AssertionError if something is lost, twice, out of order, or invented."""
        stored = [
            id_
            for event in events
            if event.type == "message.received" and event.chat == self.chat
            for id_ in event.data["accepted"]
        ]
        twice = [id_ for id_ in set(stored) if stored.count(id_) > 1]
        assert not twice, f"stored twice: {twice}"
        lost = set(self.acknowledged) - set(stored)
        assert not lost, f"acknowledged and lost: {sorted(lost)}"
        known = set(self.acknowledged)
        order = [id_ for id_ in stored if id_ in known]
        assert order == self.acknowledged, f"out of order: {order} for {self.acknowledged}"
        # A request that was under way at the end was neither acknowledged nor given up.
        rest = [id_ for id_ in stored if id_ not in known and id_ not in self.given_up]
        assert len(rest) <= 12, f"never sent: {rest}"

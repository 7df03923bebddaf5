"""What a command asks of nodes: one thing of one node, which is done or not."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from hookbundle.engine.replication.beats import Beat
from hookbundle.server.cluster.asked import Answered, AnswerLost, Asked, NotAsked

POLL_S = 0.05
DONE, NOT_YET = 204, 202  # what a node answers; the latter is asked again
JSON = (("Content-Type", "application/json"),)


class Nodes(Protocol):
    """What is heard of the nodes, this one too, and the way to ask them."""

    def live(self) -> Mapping[str, Beat]: ...

    async def ask(self, node: str, asked: Asked) -> Answered:
        """Raises: NotAsked; AnswerLost."""


async def told(nodes: Nodes, node: str, path: str, what: msgspec.Struct) -> int:
    """The status of its answer. Raises: NotAsked; AnswerLost."""
    answered = await nodes.ask(node, Asked("POST", path, JSON, msgspec.json.encode(what)))
    return answered.status


async def is_done(nodes: Nodes, node: str, path: str, what: msgspec.Struct) -> bool:
    """Whether it says so; else, also if nobody knows, it may be asked once more."""
    try:
        return await told(nodes, node, path, what) == DONE
    except (NotAsked, AnswerLost):
        return False


async def becomes(is_so: Callable[[], bool], within_s: float) -> bool:
    """Whether it is so within the time."""
    try:
        async with asyncio.timeout(within_s):
            while not is_so():
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return False
    return True

"""Partitions are given to other nodes by command: one of them, or all of a node.

The node that is asked looks whether it can be done, tells the node that it concerns, and waits
until beats say that it is done. What was told is in the beats of that node from then on, so that
all assign partitions by it (engine/replication/assignment.py:as_given).

If the answer of that node is lost it may have been told, so it is waited for all the same. A caller
hears that a partition is not moved only if the node has said that it does not take it any more.
"""

import asyncio

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict, NotFound, Overloaded
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.members import behind
from hookbundle.engine.replication.roles import BEHIND_MAX, BUSY
from hookbundle.server.cluster.asked import AnswerLost, NotAsked
from hookbundle.server.cluster.assigning import Assigning
from hookbundle.server.cluster.commanding.asking import DONE, Nodes, becomes, is_done, told
from hookbundle.server.cluster.partitions.holding import owner_at
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import DrainedOut, DrainIn, MovedOut, MoveIn

TAKE = "/cluster/take"
KEEP_NONE = "/cluster/keep-none"
WITHIN_S = 30.0
SOON_S = 5.0
TAKEN_BACK_WITHIN_S = 20.0
AGAIN_S = 0.25


class TakeIn(msgspec.Struct, frozen=True):
    """`epoch`: in which the partition was when it was given. `undo`: it is not given after all."""

    partition: int
    epoch: int = 0
    undo: bool = False


class KeepNoneIn(msgspec.Struct, frozen=True):
    undo: bool = False


class Giving:
    """`node`: this one, to which `assigning` belongs. `nodes`: all, this one too."""

    def __init__(self, node: str, partitions: int, nodes: Nodes, assigning: Assigning) -> None:
        self._node = node
        self._partitions = partitions
        self._nodes = nodes
        self._assigning = assigning

    def between_nodes(self) -> list[Route]:
        """What the others ask of this one."""
        return [
            Route(method="POST", path=TAKE, handler=self._take, summary=""),
            Route(method="POST", path=KEEP_NONE, handler=self._keep_none, summary=""),
        ]

    # ---- one partition

    async def move(self, wanted: MoveIn) -> MovedOut:
        number, to = wanted.partition, wanted.node
        before, epoch = await self._given_by(number, to)
        await self._is_told(to, TAKE, TakeIn(number, epoch))
        if not await becomes(lambda: self._owner_of(number) == to, WITHIN_S):
            if not await self._takes_no_more(to, number):
                raise AnswerLost.of(AnswerLost.other)
            raise Overloaded.of(Code.NOT_MOVED, partition=number, node=to, within=round(WITHIN_S))
        return MovedOut(number, to, before)

    async def _given_by(self, number: int, to: str) -> tuple[str, int]:
        """The partition's owner and epoch. If it is just on its way from one node to another, or
        its log goes on in a new generation, it is waited for.

        Raises: NotFound, Conflict if it can't be given.
        """
        live = self._nodes.live()
        if number >= self._partitions:
            raise NotFound.of(Code.NO_PARTITION, partition=number)
        if to not in live:
            raise NotFound.of(Code.NO_NODE, node=to)
        if live[to].leaves:
            raise Conflict.of(Code.NODE_LEAVES, node=to)
        await becomes(lambda: self._can_give(number, to) is not None, SOON_S)
        if (found := self._can_give(number, to)) is None:
            raise Conflict.of(Code.NO_FRESH_COPY, node=to, partition=number)
        return found

    def _can_give(self, number: int, to: str) -> tuple[str, int] | None:
        """The partition's owner and epoch; None if the other node could not go on at once."""
        live = self._nodes.live()
        held = {name: beat.held for name, beat in live.items()}
        owner = owner_at(live, number)
        is_fresh = behind(held).get((number, to), BEHIND_MAX) < BEHIND_MAX
        if owner is None or not (owner == to or is_fresh):
            return None
        return owner, held[owner][number].epoch

    async def _takes_no_more(self, node: str, number: int) -> bool:
        """Whether the node has said so. One that is gone for a moment is asked again: it would take
        the partition when it is back."""
        undone = TakeIn(number, undo=True)
        try:
            async with asyncio.timeout(TAKEN_BACK_WITHIN_S):
                while not await is_done(self._nodes, node, TAKE, undone):
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            return False
        return True

    def _owner_of(self, number: int) -> str | None:
        return owner_at(self._nodes.live(), number)

    # ---- all of a node

    async def drain(self, wanted: DrainIn) -> DrainedOut:
        node, live = wanted.node or self._node, self._nodes.live()
        if node not in live:
            raise NotFound.of(Code.NO_NODE, node=node)
        others = [name for name, beat in live.items() if name != node and not beat.leaves]
        if not others and not wanted.undo:
            raise Conflict.of(Code.NOBODY_STAYS, node=node)
        is_told = await self._is_told(node, KEEP_NONE, KeepNoneIn(wanted.undo))
        await becomes(lambda: self._has_done(wanted, node), WITHIN_S)
        now = self._nodes.live().get(node)
        if now is None:
            raise NotFound.of(Code.NO_NODE, node=node)
        if not is_told and now.leaves == wanted.undo:
            raise AnswerLost.of(AnswerLost.other)
        return DrainedOut(node, now.leaves, _owns(now))

    def _has_done(self, wanted: DrainIn, node: str) -> bool:
        """Whether its beats say so; or there is no such node any more."""
        beat = self._nodes.live().get(node)
        if beat is None:
            return True
        return not beat.leaves if wanted.undo else beat.leaves and not _owns(beat)

    # ---- between nodes

    async def _is_told(self, node: str, path: str, what: msgspec.Struct) -> bool:
        """False if nobody knows. Raises: NotFound if the node is not there, Conflict if it does not
        do it."""
        try:
            async with asyncio.timeout(WITHIN_S):
                status = await told(self._nodes, node, path, what)
        except (AnswerLost, TimeoutError):
            return False
        except NotAsked:
            raise NotFound.of(Code.NO_NODE, node=node) from None
        if status != DONE:
            raise Conflict.of(Code.NODE_REFUSES, node=node)
        return True

    async def _take(self, request: web.Request) -> web.Response:
        wanted = await body_of(request, TakeIn)
        if wanted.undo:
            self._assigning.take_no_more(wanted.partition)
        elif wanted.partition < self._partitions:
            self._assigning.take(wanted.partition, wanted.epoch)
        return web.Response(status=DONE)

    async def _keep_none(self, request: web.Request) -> web.Response:
        wanted = await body_of(request, KeepNoneIn)
        await self._assigning.keep_none(undo=wanted.undo)
        return web.Response(status=DONE)


def _owns(beat: Beat) -> int:
    """How many partitions the node works on: also those that it is about to."""
    return sum(held.role in BUSY for held in beat.held.values())

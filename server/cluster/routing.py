"""The way of a request: to the partition that it is for, on this node or on another one.

    owned here       its handler is called, as a daemon alone would
    owned elsewhere  the node is asked, and its answer passed on
    owned by nobody  waits until somebody has taken over, or is refused: 503; at once, if its log
                     has lost something, so that nobody may take over

A node that is asked and does not own the partition says 421 before it does anything; then this one
looks again. An answer that is lost after a request that may not be done twice is a 504.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

from aiohttp import web

from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import HookbundleError, NotOwner
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.cluster.asked import (
    Answered,
    AnswerLost,
    Asked,
    NotAsked,
    asked_of,
    asked_of_source,
    in_parts,
    may_be_repeated,
    response_of,
)
from hookbundle.server.cluster.long_answers import fetching
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.http.bodies import owner_of
from hookbundle.server.http.problems import SOURCES_PATH
from hookbundle.server.http.routes import Route

OWNER_WITHIN_S = 5.0
LOOK_EVERY_S = 0.05
LOOK_EVERY_MAX_S = 0.4  # at a node that has refused several times: a body is sent again each time
PASSED_ON_MAX = 1_000  # requests under way at other nodes, half of what each of those takes
MISDIRECTED = 421
STREAM = "text/event-stream"


class PartitionStopped(NotOwner):
    """Nobody owns the partition until a person has seen to it."""

    other = Code.PARTITION_STOPPED
    retry_after_s = 60


class OtherNodes(Protocol):
    """What is known of the other nodes, and the way to ask them."""

    def owner_of(self, partition: int) -> str | None:
        """The live node that owns it, as far as is known; "" if it is this one."""

    def is_doubtful(self, partition: int) -> bool:
        """Whether others may own by now what this node owns, as far as it knows itself."""

    def is_stopped(self, partition: int) -> bool:
        """Whether its log has lost what copies have, so that nobody will own it by itself."""

    async def ask(self, node: str, asked: Asked) -> Answered:
        """Raises: NotAsked; AnswerLost."""


class Posters(Protocol):
    async def let_in(self, number: int, request: web.Request) -> None:
        """The source that the request is for is its caller. Raises: NotFound, and others."""


class Router:
    """`owned`: the partitions of this node, by their numbers; it changes all the time.

    `passed_on`: requests of callers under way at other nodes, of which each workspace has a share.
    """

    here: "Here"
    """Answers what was read of a request already from the partitions of this node."""
    posters: Posters
    """Sources whose partitions other nodes own."""

    def __init__(self, partitions: int, owned: Mapping[int, Owned], others: OtherNodes) -> None:
        self.partitions = partitions
        self._owned = owned
        self._others = others
        self.passed_on: FairLimit[str] = FairLimit("passed_on", Term.PASSED_ON, PASSED_ON_MAX)

    def placed(self, route: Route) -> Route:
        """The route of a path that names its partition, answered by its owner."""

        async def handle(request: web.Request) -> web.StreamResponse:
            number = placing.of_path(request, self.partitions)
            assert number is not None, f"{route.path} names no partition"
            return await self.handled(number, request, route)

        return replace(route, handler=handle)

    def answered_here(self, route: Route) -> Route:
        """The same for what another node asks: 421 if the partition is not owned here."""

        async def handle(request: web.Request) -> web.StreamResponse:
            owned = self.owned_for(request)
            if owned is None:
                return web.Response(status=MISDIRECTED)
            return await self._handled_here(owned, request, route)

        return replace(route, handler=handle)

    def owned_for(self, request: web.Request) -> Owned | None:
        """The partition that another node asks for, if this node owns it."""
        number = placing.of_path(request, self.partitions)
        if number is None:
            number = placing.of_header(request)
        return self.owned_at(number)

    def owned_at(self, number: int) -> Owned | None:
        """The partition, if this node surely owns it."""
        return None if self._others.is_doubtful(number) else self._owned.get(number)

    def owns(self, number: int) -> bool:
        return self.owned_at(number) is not None

    async def handled(self, number: int, request: web.Request, route: Route) -> web.StreamResponse:
        """Raises: HookbundleError as the handler; NotOwner; AnswerLost."""
        node = await self.owner_of(number)
        if node == "":
            return await self._handled_here(self._owned[number], request, route)
        if route.media == STREAM:
            raise HookbundleError.of(Code.NOT_IN_A_CLUSTER, what="stream of another node's events")
        is_of_source = route.path.startswith(SOURCES_PATH)
        if is_of_source:
            await self.posters.let_in(number, request)
        read = asked_of_source if is_of_source else asked_of
        asked = placing.at(number, await read(request))
        if asked.method == "GET":
            asked = in_parts(asked)
        with self.passed_on.holding(owner_of(request)):
            answered = await self._asked_again(number, node, asked)
            if answered is None:
                answered = await self.here(asked)
        if not answered.rest:
            return response_of(answered)
        return await fetching.passed_on(request, answered, partial(self._ask, answered.node))

    async def _ask(self, node: str, asked: Asked) -> Answered:
        return await (self._others.ask(node, asked) if node else self.here(asked))

    async def _handled_here(
        self, owned: Owned, request: web.Request, route: Route
    ) -> web.StreamResponse:
        """Raises: as the handler, and for a change as `UnderWay.answer`."""
        handler = owned.handlers[route.method, route.path].handler
        if route.method == "GET":
            return await handler(request)
        return await owned.under_way.answer(handler(request))

    async def asked(self, number: int, asked: Asked) -> Answered:
        """What the owner of the partition answers, be it this node or another.

        Raises: NotOwner; AnswerLost.
        """
        asked = placing.at(number, asked)
        node = await self.owner_of(number)
        answered = None if node == "" else await self._asked_again(number, node, asked)
        return await self.here(asked) if answered is None else answered

    async def owner_of(self, number: int) -> str:
        """Who owns the partition; "" is this node. Raises: NotOwner if nobody does for a while."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + OWNER_WITHIN_S
        while True:
            if number in self._owned and not self._others.is_doubtful(number):
                return ""
            node = self._others.owner_of(number)
            if node:
                return node
            if self._others.is_stopped(number):
                raise PartitionStopped.of(Code.PARTITION_STOPPED, partition=number)
            if loop.time() >= until_s:
                raise NotOwner.of(Code.NO_OWNER, partition=number)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _asked_again(self, number: int, node: str, asked: Asked) -> Answered | None:
        """None if this node has become the owner meanwhile. Raises: NotOwner; AnswerLost."""
        loop = asyncio.get_running_loop()
        until_s, pause_s = loop.time() + OWNER_WITHIN_S, LOOK_EVERY_S
        while True:
            try:
                answered = await self._others.ask(node, asked)
            except NotAsked:
                answered = None
            except AnswerLost:
                # What may be done twice is, by the owner of the partition now.
                if not may_be_repeated(asked):
                    raise
                answered = None
            if answered is not None and answered.status != MISDIRECTED:
                return replace(answered, node=node) if answered.rest else answered
            # Nothing was done: the node is gone, or has given the partition away.
            if loop.time() >= until_s:
                raise NotOwner.of(Code.NO_OWNER, partition=number)
            await asyncio.sleep(pause_s)
            before, node = node, await self.owner_of(number)
            if node == "":
                return None
            pause_s = min(2 * pause_s, LOOK_EVERY_MAX_S) if node == before else LOOK_EVERY_S


Here = Callable[[Asked], Awaitable[Answered]]

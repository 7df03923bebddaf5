"""The lane of a node: plain requests with messages for partitions that it owns (server/http/lane/).

All others, and those for the partitions of other nodes, are aiohttp's. What is different from the
lane of a daemon alone is that the log may not decide, and that a partition may be given away:

    the log does not decide   its caller is told after a while, and gets 503. The places in the
                              Store's queue are held until it is decided all the same
    given away                is done when the lane's requests are answered, too
    a token                   is one that was found here before: the others are aiohttp's
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hookbundle.actors.chat import ReplyTo
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, Overloaded
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.server.cluster.partitions.under_way import UnderWay
from hookbundle.server.cluster.routing import Router
from hookbundle.server.cluster.tokens import NodeTokens
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import Guard
from hookbundle.server.http.lane.connection import LaneConnection
from hookbundle.server.http.lane.heads import Asked
from hookbundle.server.http.lane.lane import HELD_S, AnyLane, Taken, taken_by
from hookbundle.server.http.wire import MakeConnection
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.storage.transitions.sealing import Sealed


class TakenHere(Taken, frozen=True):
    """`waits`: for what becomes of it; in `under_way` of its partition."""

    under_way: UnderWay
    waits: "Waits"


class Waits:
    """Between a chat and a connection, which may have been told already that nobody knows."""

    __slots__ = ("is_told", "made", "reply", "taken")

    def __init__(self) -> None:
        self.made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_told = False

    def begin(self, taken: TakenHere, reply: ReplyTo) -> None:
        self.taken, self.reply = taken, reply
        taken.under_way.begin(self.made, self._tell)

    def answer(self, result: Accepted | Sealed | ChangesMade) -> None:
        if self._is_awaited():
            self.reply.answer(result)

    def fail(self, error: HookbundleError) -> None:
        if self._is_awaited():
            self.reply.fail(error)

    def _is_awaited(self) -> bool:
        """What became of it is known now. Whether its caller still waits."""
        if self.made.done():
            return False  # the lane has failed over it
        self.made.set_result(None)
        if self.is_told:
            _give_back(self.taken)
        return not self.is_told

    def _tell(self) -> None:
        if not self.is_told and not self.made.done():
            self.is_told = True
            self.reply.fail(Overloaded.of(Code.LOG_WAITS))


@dataclass(frozen=True, slots=True)
class NodeLane(AnyLane):
    router: Router

    def take(self, asked: Asked, body: bytes, *, ndjson: bool) -> Taken | None:
        owned = self._owned_for(asked.workspace_id)
        if owned is None or not owned.under_way.is_open:
            return None
        taken = taken_by(owned.intake, asked, body, ndjson=ndjson)
        if taken is None:
            return None
        return TakenHere(
            taken.intake,
            taken.workspace_number,
            taken.chat_id,
            taken.messages,
            taken.skipped,
            taken.places,
            owned.under_way,
            Waits(),
        )

    def tell(self, taken: Taken, reply: ReplyTo) -> None:
        assert isinstance(taken, TakenHere)
        taken.waits.begin(taken, reply)
        try:
            AnyLane.tell(self, taken, taken.waits)
        except BaseException:
            taken.waits.made.cancel()
            raise

    def give_back(self, taken: Taken) -> None:
        """As soon as it is known what became of it."""
        assert isinstance(taken, TakenHere)
        if taken.waits.made.done():
            _give_back(taken)

    def _owned_for(self, workspace_id: str) -> Owned | None:
        router = self.router
        return router.owned_at(of_workspace(workspace_id, router.partitions))


def _give_back(taken: Taken) -> None:
    taken.intake.store.places.give_back(taken.workspace_number, taken.places)


class KnownHere:
    """Tokens that this node has found before: one dict to look into, for a request that may be
    anybody's. aiohttp's way finds the others."""

    def __init__(self, tokens: NodeTokens) -> None:
        self._tokens = tokens

    def find(self, digest: bytes) -> Token | None:
        return self._tokens.remembered(digest)


class OfNode(Protocol):
    """What the lane needs of a node."""

    @property
    def clock(self) -> Clock: ...

    @property
    def guard(self) -> Guard: ...

    @property
    def meters(self) -> Meters: ...


def connections(node: OfNode, router: Router, tokens: NodeTokens, body_s: float) -> MakeConnection:
    """What makes the connections of a node."""
    lane = NodeLane(
        TokenCheck(KnownHere(tokens), node.clock, tokens.used),
        node.guard,
        node.meters,
        asyncio.get_running_loop().time,
        min(HELD_S, body_s),
        router,
    )
    return partial(LaneConnection, lane)

"""Which source a request is for that another node will answer: known before its body is read.

A daemon alone finds the source first, so that its workspace pays for the connection and the body,
and nobody reads what was posted to an address that leads nowhere. A node that has no copy of the
partition asks the owner; what it was told is remembered, because the owner judges each request.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound, NotOwner
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.callers.unknown_tokens import REMEMBERED_MAX, address_of
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.tokens import Copies
from hookbundle.server.http.authentication import Caller, is_token, let_in
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.storage.transitions.tokens import digest_of

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node
    from hookbundle.server.cluster.routing import Router

PATH = "/cluster/sources/{digest}"


class Poster(msgspec.Struct, frozen=True, array_like=True):
    """A source, and the workspace that pays for what it posts."""

    source: str
    workspace_id: str


class Posters:
    """`limit`: of questions for addresses that lead nowhere, by who tries them. `wrong_token` hears
    of each one that does."""

    def __init__(
        self,
        ask: Ask,
        copies: Copies,
        limit: FairLimit[str],
        clock: Clock,
        wrong_token: Callable[[str], None],
    ) -> None:
        self._ask = ask
        self._copies = copies
        self._limit = limit
        self._clock = clock
        self._wrong_token = wrong_token
        self._known: dict[bytes, Poster] = {}

    async def let_in(self, number: int, request: web.Request) -> None:
        """The source is the caller from now on.

        Raises: NotFound if its token leads to none; NotOwner; AnswerLost; TooManyRequests,
            Overloaded if its workspace may have no connection more, or the client no question.
        """
        token = request.match_info["token"]
        found = await self._found(number, request, digest_of(token)) if is_token(token) else None
        if found is None:
            self._wrong_token("source")
            raise NotFound.of(Code.NO_SOURCE)
        let_in(request, Caller(found.source, "intake", found.workspace_id))

    async def _found(self, number: int, request: web.Request, digest: bytes) -> Poster | None:
        found = self._known.get(digest) or self._in_copy(number, digest)
        if found is None:
            with self._limit.holding(address_of(request)):
                asked = Asked("GET", PATH.format(digest=digest.hex()), ())
                answered = await self._ask(number, asked)
            if answered.status == 404:
                return None
            if answered.status != 200:  # its owner can't say: its sender would give up for good
                raise NotOwner.of(Code.NO_OWNER, partition=number)
            found = msgspec.msgpack.decode(answered.body, type=Poster)
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[digest] = found
        return found

    def _in_copy(self, number: int, digest: bytes) -> Poster | None:
        copy = self._copies.followed(number)
        return None if copy is None else _poster_in(copy, digest, self._clock.now_ms())


def posters_at(node: "Node", router: "Router") -> Posters:
    """Of a node; their questions and those for tokens are of one limit."""
    return Posters(
        router.asked, node, node.unknown_tokens.limit, node.clock, node.meters.wrong_token
    )


async def answer(owned: Owned, request: web.Request) -> web.Response:
    """`GET /cluster/sources/{digest}`, of another node."""
    try:
        digest = bytes.fromhex(request.match_info["digest"])
    except ValueError:
        return web.Response(status=404)
    found = _poster_in(owned.partition.env, digest, owned.clock.now_ms())
    if found is None:
        return web.Response(status=404)
    return web.Response(body=msgspec.msgpack.encode(found))


def _poster_in(env: Environment, digest: bytes, now_ms: int) -> Poster | None:
    found = SourceReads(env).addressed(digest, now_ms)
    return None if found is None else Poster(found.source.id, found.workspace_id)

"""A token that nobody here knows is asked of the owners of partitions; how many is bounded.

Anybody can invent tokens. A daemon alone looks into its database once; a node has many partitions,
and what it does not own is a question to another node. So first it looks where the token would be
that the request needs: in the partition of its path, and where those for all are. For whatever more
is to be done each address has its turns (turns.py), and for questions a share of few places. A
token that was found once takes neither again.

A stream of events lasts longer than an answer is true. So where its token is not known here, be it
that it never was or that the copy is being rewritten, the owner is asked again and again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Middleware

from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import HookbundleError, TooManyRequests
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.cluster.asked import Ask
from hookbundle.server.cluster.callers.turns import Turns
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.cluster.partitions.placing import OF_ALL
from hookbundle.server.cluster.tokens import NodeTokens, asked_for
from hookbundle.server.cluster.watching import looking
from hookbundle.server.feed.sse import EVENTS_PATH
from hookbundle.server.http.authentication import bearer_in, is_on_socket, needs_no_token
from hookbundle.server.http.problems import Handler, answer_for
from hookbundle.server.http.requests import hint_of
from hookbundle.server.http.responses import add_common_headers
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import digest_of

PLACES = 64
LOOK_S = 1.0  # whether the token of a stream is still there
REMEMBERED_MAX = 4_096
NETWORK_BITS = 64  # of an IPv6 address; of the rest one client may have all


def places() -> FairLimit[str]:
    """For questions of unauthenticated clients, by their addresses."""
    return FairLimit("unknown_tokens", Term.UNKNOWN_TOKENS, PLACES)


@dataclass(slots=True)
class UnknownTokens:
    """`owns`: whether this node surely owns the partition. `limit`: of questions at once, `turns`:
    one after the other. `elsewhere`: where tokens are that were found by asking."""

    tokens: NodeTokens
    ask: Ask
    partitions: int
    owns: Callable[[int], bool]
    limit: FairLimit[str] = field(default_factory=places)
    turns: Turns = field(default_factory=Turns)
    elsewhere: dict[bytes, int] = field(default_factory=dict)

    def asked_first(self) -> Middleware:
        """Before a request is looked at: a token that nobody here knows is asked for."""

        @web.middleware
        async def ask_first(request: web.Request, handler: Handler) -> web.StreamResponse:
            if is_on_socket(request) or needs_no_token(request):
                return await handler(request)
            bearer = bearer_in(hint_of(request, "Authorization"))
            if not bearer:
                return await handler(request)
            digest, is_stream = digest_of(bearer), request.path == EVENTS_PATH
            try:
                token = await self._known(request, digest)
                is_known = token is not None
                token = token or await self._asked(request, digest)
            except HookbundleError as exc:
                # Nobody can say whether the token is good: that is no 401.
                response = answer_for(exc)
                add_common_headers(response)
                return response
            if is_known and not is_stream:
                return await handler(request)
            if token is None:
                self.tokens.ended(digest)
                with self.tokens.nowhere(digest):
                    return await handler(request)
            with self.tokens.having(digest, token):
                if not is_stream:
                    return await handler(request)
                async with self._watched(token, digest):
                    return await handler(request)

        return ask_first

    async def _known(self, request: web.Request, digest: bytes) -> Token | None:
        """The token, if this node knows it. Raises: TooManyRequests."""
        token = self.tokens.remembered(digest)
        token = token or self.tokens.found_in(digest, self._places(request))
        if token is not None or digest in self.elsewhere:
            return token
        await self._turn(address_of(request))
        # Wherever it is: who may not do this with it is told so.
        token = self.tokens.known(digest)
        if token is not None:
            self.turns.give_back(address_of(request))
        return token

    def _places(self, request: web.Request) -> tuple[int, ...]:
        """Where a token is with which the request may be made."""
        number = placing.of_path(request, self.partitions)
        return (OF_ALL,) if number in (None, OF_ALL) else (number, OF_ALL)

    async def _turn(self, address: str) -> None:
        """Raises: TooManyRequests."""
        wait_s = self.turns.wait_s(address, asyncio.get_running_loop().time())
        if wait_s is None:
            self.limit.refused_owner += 1
            raise TooManyRequests.of(Code.SHARE_USED, what=Term.UNKNOWN_TOKENS)
        if wait_s:
            await asyncio.sleep(wait_s)

    async def _asked(self, request: web.Request, digest: bytes) -> Token | None:
        """Raises: NotOwner; AnswerLost; TooManyRequests; Overloaded."""
        place = self.elsewhere.get(digest)
        if place is not None:
            token = await asked_for(self.ask, place, digest)
            if token is None:
                self.elsewhere.pop(digest, None)
            return token
        # What this node owns it has looked at just now.
        others = [each for each in self._places(request) if not self.owns(each)]
        if not others:
            return None
        with self.limit.holding(address_of(request)):
            for place in others:
                token = await asked_for(self.ask, place, digest)
                if token is not None:
                    self.turns.give_back(address_of(request))
                    if len(self.elsewhere) >= REMEMBERED_MAX:
                        self.elsewhere.clear()
                    self.elsewhere[digest] = place
                    return token
        return None

    @asynccontextmanager
    async def _watched(self, token: Token, digest: bytes) -> AsyncIterator[None]:
        """It is held to be good only as long as it is there, here or at its owner's."""
        place = self.tokens.partition_of(token)

        async def look() -> None:
            is_known = self.tokens.known(digest) is not None
            if not is_known and not await asked_for(self.ask, place, digest):
                self.tokens.ended(digest)

        async with looking(look, LOOK_S, "token of a stream"):
            yield


def address_of(request: web.Request) -> str:
    """Where the request comes from; of IPv6 the network."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple):
        return ""
    address = ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, NETWORK_BITS), strict=False))
    return str(address)

"""A token that nobody here knows is asked of the owners of partitions; how many at once is bounded.

Anybody can invent tokens, and each is a question to another node, where a daemon alone would look
into its own database. So unauthenticated clients have few places for such questions, and each
address a share of them. A token that was found once takes no place again.

A stream of events lasts longer than an answer is true. So where its token is not known here, be it
that it never was or that the copy is being rewritten, the owner is asked again and again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web
from aiohttp.typedefs import Middleware

from hookbundle.engine.error_codes import Term
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.cluster.asked import Ask
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
    """`limit`: of questions at once. `elsewhere`: where tokens are that were found by asking."""

    tokens: NodeTokens
    ask: Ask
    partitions: int
    limit: FairLimit[str] = field(default_factory=places)
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
            digest = digest_of(bearer)
            token, is_stream = self.tokens.known(digest), request.path == EVENTS_PATH
            if token is not None and not is_stream:
                return await handler(request)
            try:
                token = token or await self._found(request, digest)
            except HookbundleError as exc:
                # Nobody can say whether the token is good: that is no 401.
                response = answer_for(exc)
                add_common_headers(response)
                return response
            if token is None:
                self.tokens.ended(digest)
                return await handler(request)
            with self.tokens.having(digest, token):
                if not is_stream:
                    return await handler(request)
                async with self._watched(token, digest):
                    return await handler(request)

        return ask_first

    async def _found(self, request: web.Request, digest: bytes) -> Token | None:
        """Raises: NotOwner; AnswerLost; TooManyRequests; Overloaded."""
        place = self.elsewhere.get(digest)
        if place is not None:
            token = await asked_for(self.ask, place, digest)
            if token is None:
                self.elsewhere.pop(digest, None)
            return token
        number = placing.of_path(request, self.partitions)
        with self.limit.holding(address_of(request)):
            for place in dict.fromkeys((OF_ALL if number is None else number, OF_ALL)):
                token = await asked_for(self.ask, place, digest)
                if token is not None:
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

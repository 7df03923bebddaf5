"""The API of bearer tokens: create, list, revoke. A token is shown once, to its creator."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import CURSOR, LIMIT, body_of, cursor_of, limit_of, position_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.tokens import TokenIn, TokenOut, TokensOut, token_out
from hookbundle.storage.database.records import Token
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.tokens import CreateToken, RevokeToken, digest_of, token_id

PREFIX = "hbt_"  # by which a scanner for leaked secrets knows one
RANDOM_BYTES = 32
TOKENS_AT_ONCE = 250  # read in one slice


@dataclass(frozen=True, slots=True)
class Tokens:
    reads: Reads
    store: StoreQueue
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/v1/tokens",
                handler=self.create,
                summary="Make a bearer token; it is in this answer, and never shown again",
                body=TokenIn,
                answer=TokenOut,
                status=201,
                refusals=(404, 422, 503, 507),
            ),
            Route(
                method="GET",
                path="/v1/tokens",
                handler=self.index,
                summary="The tokens that are good, the oldest first",
                answer=TokensOut,
                query=(LIMIT, CURSOR),
                refusals=(422, 429),
            ),
            Route(
                method="DELETE",
                path="/v1/tokens/{id}",
                handler=self.revoke,
                summary="Revoke a token; it is good for nothing from the next request on",
                status=204,
                refusals=(404, 503),
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/tokens`"""
        wanted = await body_of(request, TokenIn)
        text = new_token(self.random_bytes(RANDOM_BYTES))
        digest = digest_of(text)
        now_ms = self.clock.now_ms()
        token = Token(token_id(digest), wanted.scope, wanted.workspace or "", now_ms)
        await self.store.done(
            CreateToken(
                digest=digest,
                scope=token.scope,
                workspace_id=token.workspace_id,
                now_ms=now_ms,
                caller=caller_of(request),
            )
        )
        return json_response(token_out(token, text), status=201)

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/tokens?limit=&cursor=`"""
        limit, position = limit_of(request, 100), position_of(request)
        oldest = _Oldest(self.reads, limit, position)
        await request.app[LISTS].whole(request, oldest.read_on)
        end = _position(oldest.found[-1]) if len(oldest.found) == limit else None
        return json_response(TokensOut(list(map(token_out, oldest.found)), cursor_of(end)))

    async def revoke(self, request: web.Request) -> web.Response:
        """`DELETE /v1/tokens/{id}`"""
        await self.store.done(
            RevokeToken(
                token_id=request.match_info["id"],
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            )
        )
        return web.Response(status=204)


@dataclass(slots=True)
class _Oldest:
    """The tokens that follow a position, the oldest of all those that were read so far."""

    reads: Reads
    limit: int
    position: bytes
    found: list[Token] = field(default_factory=list)
    after: bytes = b""

    def read_on(self) -> bool:
        """Reads a slice. True if there are more; they are stored in the order of their digests."""
        page = self.reads.tokens(TOKENS_AT_ONCE, self.after)
        younger = [token for token in page.found if _position(token) > self.position]
        self.found = sorted([*self.found, *younger], key=_position)[: self.limit]
        self.after = page.after
        return bool(page.after)


def new_token(random_bytes: bytes) -> str:
    """The token as people copy it."""
    return PREFIX + base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")


def _position(token: Token) -> bytes:
    return token.created_ms.to_bytes(8, "big") + token.id.encode()

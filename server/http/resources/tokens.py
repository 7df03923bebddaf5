"""The API of bearer tokens: create, list, revoke. A token is shown once, to its creator."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.requests import CURSOR, LIMIT, body_of, cursor_of, limit_of, position_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.tokens import TokenIn, TokenOut, TokensOut, token_out
from hookbundle.storage.database.records import Token
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.tokens import CreateToken, RevokeToken, digest_of, token_id

PREFIX = "hbt_"  # by which a scanner for leaked secrets knows one
RANDOM_BYTES = 32


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
                refusals=(422,),
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
        tokens = sorted(self.reads.tokens(), key=_position)
        page = [token for token in tokens if _position(token) > position][:limit]
        end = _position(page[-1]) if len(page) == limit else None
        return json_response(TokensOut(list(map(token_out, page)), cursor_of(end)))

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


def new_token(random_bytes: bytes) -> str:
    """The token as people copy it."""
    return PREFIX + base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")


def _position(token: Token) -> bytes:
    return token.created_ms.to_bytes(8, "big") + token.id.encode()

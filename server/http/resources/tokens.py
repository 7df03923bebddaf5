"""The API of bearer tokens: create, list, revoke. A token is shown once, to its creator."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.parameters.names import name_of
from hookbundle.server.http.requests import CURSOR, LIMIT, body_of, cursor_of, limit_of, position_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.times import iso, ms_of
from hookbundle.server.http.schemas.tokens import TokenIn, TokenOut, TokensOut, token_out
from hookbundle.storage.database.settings import Token
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.tokens import CreateToken, RevokeToken, digest_of, token_id

PREFIX = "hbt_"  # by which a scanner for leaked secrets knows one
RANDOM_BYTES = 32
LIST = "tokens"
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
                name="create_token",
                summary="Make a bearer token; it is in this answer, and never shown again",
                body=TokenIn,
                answer=TokenOut,
                status=201,
                refusals=(404, 503, 507),
            ),
            Route(
                method="GET",
                path="/v1/tokens",
                handler=self.index,
                name="list_tokens",
                summary="All tokens, the oldest first; those that have expired too",
                answer=TokensOut,
                query=(LIMIT, CURSOR),
                refusals=(422, 429),
            ),
            Route(
                method="GET",
                path="/v1/tokens/{id}",
                handler=self.show,
                name="get_token",
                summary="A token by its id: until when it is good, when it was last used",
                answer=TokenOut,
                refusals=(404,),
            ),
            Route(
                method="DELETE",
                path="/v1/tokens/{id}",
                handler=self.revoke,
                name="revoke_token",
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
        expires_ms = 0 if wanted.expires_at is None else _end_of(wanted.expires_at, now_ms)
        token = Token(
            id=token_id(digest),
            scope=wanted.scope,
            workspace_id=wanted.workspace or "",
            created_ms=now_ms,
            name=name_of(wanted.name),
            expires_ms=expires_ms,
        )
        await self.store.done(
            CreateToken(
                digest=digest,
                scope=token.scope,
                workspace_id=token.workspace_id,
                now_ms=now_ms,
                caller=caller_of(request),
                name=token.name,
                expires_ms=expires_ms,
            )
        )
        where = f"/v1/tokens/{token.id}"
        return json_response(token_out(token, text), status=201, location=where)

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/tokens/{id}`"""
        return json_response(token_out(self.reads.token_named(request.match_info["id"])))

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/tokens?limit=&cursor=`"""
        limit, position = limit_of(request, 100), position_of(request, LIST)
        oldest = _Oldest(self.reads, limit, position)
        await request.app[LISTS].whole(request, oldest.read_on)
        end = _position(oldest.found[-1]) if len(oldest.found) == limit else None
        return json_response(TokensOut(list(map(token_out, oldest.found)), cursor_of(end, LIST)))

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


def _end_of(text: str, now_ms: int) -> int:
    """When the token expires. Raises: InvalidInput for what is no time of the next ten years."""
    expires_ms = ms_of(text)
    if expires_ms is None:
        raise InvalidInput((fault("expires_at", FaultCode.NOT_A_TIME, got=quoted(text)),))
    if expires_ms <= now_ms:
        raise InvalidInput((fault("expires_at", FaultCode.PAST_TIME, now=iso(now_ms)),))
    if expires_ms - now_ms > limits.TOKEN_LIFE_MS_MAX:
        days = limits.TOKEN_LIFE_MS_MAX // 86_400_000
        raise InvalidInput((fault("expires_at", FaultCode.FAR_TIME, days=days, now=iso(now_ms)),))
    return expires_ms


def new_token(random_bytes: bytes) -> str:
    """The token as people copy it."""
    return PREFIX + base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")


def _position(token: Token) -> bytes:
    return token.created_ms.to_bytes(8, "big") + token.id.encode()

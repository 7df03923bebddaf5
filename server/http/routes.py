"""A path of the API: its handler, and what the OpenAPI document says of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parameter of the query string, or of the headers. `kind` is what msgspec can describe.

    `repeated`: it may be given more than once. `required`: without it the request is refused.
    """

    name: str
    meaning: str
    kind: Any = str
    repeated: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`body` and `answer` are types that msgspec can describe; None: nothing, or no JSON.

    `refusals` are the statuses of problem documents, beside those that every path may answer with.
    `name`: the operation, for generated clients: a verb first; empty of what is no API (pages).
    `also_status`: other statuses of success; `also_media`, `also_body_media`: what else than JSON
    the answer may be, or the body; `also_refusal_media`: what else than a problem a refusal may be.
    `open`: needs no token.
    `etag`: the answer has the ETag of its version. `headers`: If-Match and such, if it honours
    them. `ignores_query`: any parameters may come, and mean nothing.
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    name: str = ""
    body: Any = None
    answer: Any = None
    status: int = 200
    media: str = "application/json"
    query: tuple[Query, ...] = ()
    refusals: tuple[int, ...] = ()
    also_status: tuple[int, ...] = ()
    also_media: tuple[str, ...] = ()
    also_body_media: tuple[str, ...] = ()
    also_refusal_media: tuple[str, ...] = ()
    headers: tuple[Query, ...] = ()
    example: Any = None
    open: bool = False
    etag: bool = False
    ignores_query: bool = False

"""The paths of the contract: the document, and the page that shows it. Neither needs a token.

Both are made when somebody first asks, in a thread, and once: most daemons run for months and are
never asked, and a client that asks all day costs no more than the bytes that it is sent: 50 KB, or
without compression a large answer, of which callers without a token have a share.
"""

import asyncio
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.server.http.authentication import CONTRACT_PATH, REFERENCE_PATH
from hookbundle.server.http.contract.document import document
from hookbundle.server.http.contract.page import POLICY, page
from hookbundle.server.http.parameters.etags import IF_NONE_MATCH
from hookbundle.server.http.requests import header_of
from hookbundle.server.http.routes import Route

PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as its bytes, also compressed, and the tag by which a reader knows it again."""

    plain: bytes
    compressed: bytes
    tag: str

    @classmethod
    def of(cls, plain: bytes) -> "Rendered":
        compressed = gzip.compress(plain, mtime=0)
        return cls(plain, compressed, f'"{sha256(plain).hexdigest()[:16]}"')


@dataclass(slots=True, eq=False)
class Once:
    """What is made by the first who asks; those who ask meanwhile wait for the same."""

    make: Callable[[], bytes]
    _making: asyncio.Task[Rendered] | None = field(default=None, init=False)

    async def rendered(self) -> Rendered:
        if self._making is None or (self._making.done() and self._making.exception()):
            self._making = asyncio.create_task(asyncio.to_thread(self._render))
        return await asyncio.shield(self._making)

    def _render(self) -> Rendered:
        return Rendered.of(self.make())

    async def answer(
        self, request: web.Request, media: str, headers: dict[str, str]
    ) -> web.Response:
        """304 if the caller has it already."""
        found = await self.rendered()
        headers = {
            "Content-Type": media,
            "ETag": found.tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            **headers,
        }
        if found.tag in header_of(request, "If-None-Match"):
            del headers["Content-Type"]
            return web.Response(status=304, headers=headers)
        if "gzip" in header_of(request, "Accept-Encoding"):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=found.compressed, headers=headers)
        return web.Response(body=found.plain, headers=headers)


def contract(routes: Sequence[Route], version: str) -> list[Route]:
    """The path of the document of all paths, its own included; and that of its page."""

    async def show(request: web.Request) -> web.Response:
        return await as_json.answer(request, "application/json", {})

    async def show_page(request: web.Request) -> web.Response:
        return await as_page.answer(request, "text/html; charset=utf-8", PAGE_HEADERS)

    own = Route(
        method="GET",
        path=CONTRACT_PATH,
        handler=show,
        summary="This document",
        name="get_openapi",
        answer=dict[str, Any],
        also_status=(304,),
        headers=(IF_NONE_MATCH,),
        open=True,
        etag=True,
    )
    of_page = Route(
        method="GET",
        path=REFERENCE_PATH,
        handler=show_page,
        summary="The reference of the API, for people",
        media="text/html",
        open=True,
        ignores_query=True,
    )
    described = [*routes, own]
    as_json = Once(lambda: msgspec.json.encode(document(described, version)))
    as_page = Once(lambda: page(document(described, version)))
    return [own, of_page]

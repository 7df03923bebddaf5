"""What names no workspace, over all partitions: lists, the one that has an id, checks.

Each partition is asked, here or at its owner. One that does not answer makes the answer a refusal
that names it: an answer never leaves something out in silence. A list goes through the partitions
one after the other, in the order of each; its cursor has the partition's number and its own place.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, InvalidInput, NotOwner
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.cluster import figures
from hookbundle.server.cluster.asked import Answered, Ask, Asked, asked_of, response_of
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.cluster.tokens import of_token
from hookbundle.server.http.requests import limit_of, number_of
from hookbundle.server.http.schemas.status import StatusOut

LIMIT = 100  # entries of a page, if nobody says how many
AT_ONCE = 8  # partitions that are asked for one caller
NOT_THERE = (404, 410)


class Merging:
    """`ask` gets a partition's answer, wherever it is; `here` says which are owned here."""

    def __init__(self, partitions: int, ask: Ask, here: Callable[[], Sequence[int]]) -> None:
        self._partitions = partitions
        self._ask = ask
        self._here = here

    def listed(self, key: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A list, whose entries stand under the key."""

        async def handle(request: web.Request) -> web.Response:
            limit = limit_of(request, LIMIT)
            partition, cursor = _place_of(request, self._partitions)
            asked = await asked_of(request)
            found: list[Any] = []
            document: dict[str, Any] = {}
            while partition < self._partitions:
                page = _paged(asked, request, limit - len(found), cursor)
                answered = await self._answer(partition, page)
                if answered.status != 200:
                    return response_of(answered)
                document = msgspec.json.decode(answered.body)
                found += document[key]
                cursor = document["cursor"] or ""
                if not cursor:
                    partition += 1
                if cursor or len(found) >= limit:
                    break
            place = _cursor(partition, cursor) if partition < self._partitions else None
            return _json({**document, key: found, "cursor": place})

        return handle

    async def first_found(self, request: web.Request) -> web.Response:
        """What has an id that says nothing of where it is."""
        asked = await asked_of(request)
        here = self._here()
        answered: Answered | None = None
        for partition in (*here, *(set(range(self._partitions)) - set(here))):
            before, answered = answered, await self._answer(partition, asked)
            if answered.status not in NOT_THERE:
                break
            if before is not None and before.status == 410:
                answered = before
        assert answered is not None
        return response_of(answered)

    async def by_body_id(self, request: web.Request) -> web.Response:
        """A new workspace, whose id stands in the body."""
        asked = await asked_of(request)
        workspace_id = _field(asked.body, "id")
        number = placing.of_workspace(workspace_id, self._partitions)
        return response_of(await self._answer(number, asked))

    async def by_body_workspace(self, request: web.Request) -> web.Response:
        """A new token, of a workspace or for all."""
        asked = await asked_of(request)
        number = of_token(_field(asked.body, "workspace"), self._partitions)
        return response_of(await self._answer(number, asked))

    async def documents(self, asked: Asked) -> list[dict[str, Any]]:
        """What each partition says. Raises: HookbundleError that names those that did not."""
        turn = asyncio.Semaphore(AT_ONCE)
        missing: list[str] = []

        async def one(partition: int) -> dict[str, Any]:
            async with turn:
                try:
                    answered = await self._ask(partition, asked)
                except HookbundleError:
                    answered = Answered(503, (), b"")
            if answered.status != 200:
                missing.append(str(partition))
                return {}
            found: dict[str, Any] = msgspec.json.decode(answered.body)
            return found

        documents = await asyncio.gather(*map(one, range(self._partitions)))
        if missing:
            raise HookbundleError.of(Code.PARTS_MISSING, missing=", ".join(missing))
        return list(documents)

    async def summed(self, request: web.Request, empty: StatusOut) -> web.Response:
        """`GET /v1/status`; `empty` is what the node says of itself."""
        documents = await self.documents(await asked_of(request))
        parts = [msgspec.convert(each, StatusOut) for each in documents]
        return _json(figures.status_of(parts, empty))

    async def checked(self, request: web.Request) -> web.Response:
        """`GET /v1/check`"""
        documents = await self.documents(await asked_of(request))
        findings = [
            {**each, "where": f"partition {number}: {each['where']}"}
            for number, document in enumerate(documents)
            for each in document["findings"]
        ]
        records = sum(document["records"] for document in documents)
        return _json({"records": records, "findings": findings})

    async def _answer(self, partition: int, asked: Asked) -> Answered:
        """Raises: HookbundleError that names the partition if it does not answer."""
        try:
            return await self._ask(partition, asked)
        except NotOwner as exc:
            raise _missing(partition) from exc


def _missing(partition: int) -> NotOwner:
    return NotOwner.of(Code.PARTS_MISSING, missing=str(partition))


def _paged(asked: Asked, request: web.Request, limit: int, cursor: str) -> Asked:
    url = request.rel_url.without_query_params("cursor").update_query(limit=str(limit))
    if cursor:
        url = url.update_query(cursor=cursor)
    return replace(asked, target=str(url))


def _cursor(partition: int, cursor: str) -> str:
    return base64.urlsafe_b64encode(f"{partition}:{cursor}".encode()).decode().rstrip("=")


def _place_of(request: web.Request, partitions: int) -> tuple[int, str]:
    """Raises: InvalidInput for a cursor that is none of a list over all partitions."""
    given = request.query.get("cursor", "")
    if not given:
        return 0, ""
    try:
        text = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    written, colon, cursor = text.partition(":")
    number = number_of(written, partitions - 1)
    if not colon or number is None:
        raise InvalidInput((fault("cursor", FaultCode.NO_CURSOR),))
    return number, cursor


def _field(body: bytes, name: str) -> str:
    """The text under the name; empty if there is none, which the partition will say better."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""


def _json(document: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")

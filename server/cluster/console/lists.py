"""What pages of the console show of all partitions: each is asked, here or at its owner.

    GET /cluster/workspaces   a page of the list of workspaces, searched
    GET /cluster/look         the status, and since when the oldest delivery waits

One that does not answer makes it a refusal that names it: no page leaves something out in silence.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web
from yarl import URL

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, NotFound, NotOwner
from hookbundle.server.cluster import figures
from hookbundle.server.cluster.asked import Answered, Ask, Asked, asked_of
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.console.pages.workspaces import PAGE_MAX, Found, Wanted, searching
from hookbundle.server.console.samples import Look, look_at
from hookbundle.server.http.requests import number_of
from hookbundle.server.http.resources.workspaces import reading
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.storage.reads.workspace_view import WorkspaceView

WORKSPACES = "/cluster/workspaces"
LOOK = "/cluster/look"
AT_ONCE = 8


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Of one partition. `after`: where its next page begins; empty at its end."""

    found: list[WorkspaceView]
    after: str


class Looked(msgspec.Struct, frozen=True, array_like=True):
    status: StatusOut
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Everywhere:
    """`own`: what the node's status says of no partition."""

    partitions: int
    ask: Ask
    own: Callable[[], StatusOut]

    async def workspaces(self, request: web.Request, wanted: Wanted) -> Found:
        """A page of those that match: partition after partition, in the order of their ids.

        Raises: NotOwner that names a partition which does not answer.
        """
        number, after = _place_of(wanted.after, self.partitions)
        asked = await asked_of(request)
        found: list[WorkspaceView] = []
        while number < self.partitions and len(found) < PAGE_MAX:
            query = {"words": wanted.words, "state": wanted.state, "after": after}
            query["most"] = str(PAGE_MAX - len(found))
            target = str(URL(WORKSPACES).with_query(query))
            page = Asked("GET", target, (), caller=asked.caller)
            answered = await self._answer(number, page)
            part = msgspec.msgpack.decode(answered.body, type=Part)
            found += part.found
            after = part.after
            if after and len(found) < PAGE_MAX:
                break  # so many were looked at that the visitor should see something
            number += not after
        return found, f"{number}:{after}" if number < self.partitions else ""

    async def owner_of(self, delivery_id: str) -> str:
        """The workspace of the delivery. Raises: NotFound; NotOwner."""
        asked = Asked("GET", f"/v1/deliveries/{delivery_id}", ())
        for answered in await self._answers(asked, also=(404, 410)):
            if answered.status == 200:
                return str(msgspec.json.decode(answered.body)["workspace"])
        raise NotFound.of(Code.NO_PAGE)

    async def look(self) -> Look:
        """Raises: NotOwner that names those that did not answer."""
        answers = await self._answers(Asked("GET", LOOK, ()))
        parts = [msgspec.msgpack.decode(each.body, type=Looked) for each in answers]
        status = figures.status_of([each.status for each in parts], self.own())
        oldest = [each.oldest_ms for each in parts if each.oldest_ms]
        return Look(status, min(oldest, default=0))

    async def _answers(self, asked: Asked, also: tuple[int, ...] = ()) -> list[Answered]:
        """Of all partitions. Raises: NotOwner."""
        turn, missing = asyncio.Semaphore(AT_ONCE), list[str]()

        async def one(number: int) -> Answered:
            async with turn:
                try:
                    answered = await self.ask(number, asked)
                except HookbundleError:
                    answered = Answered(503, (), b"")
            if answered.status not in (200, *also):
                missing.append(str(number))
            return answered

        found = await asyncio.gather(*map(one, range(self.partitions)))
        if missing:
            raise NotOwner.of(Code.PARTS_MISSING, missing=", ".join(missing))
        return found

    async def _answer(self, number: int, asked: Asked) -> Answered:
        try:
            answered = await self.ask(number, asked)
        except NotOwner:
            answered = Answered(503, (), b"")
        if answered.status != 200:
            raise NotOwner.of(Code.PARTS_MISSING, missing=str(number))
        return answered


async def workspaces(owned: Owned, request: web.Request) -> web.Response:
    """Of the owner."""
    query = request.query
    most = number_of(query["most"], PAGE_MAX) or 1
    wanted = Wanted(query["words"], query["state"], query["after"])
    search = searching(reading(owned.partition.reads), most)
    found, after = await search(request, wanted)
    return web.Response(body=msgspec.msgpack.encode(Part(found, after)))


async def look(owned: Owned, request: web.Request) -> web.Response:
    """Of the owner."""
    found = await look_at(owned.status(), owned.partition.reads)
    return web.Response(body=msgspec.msgpack.encode(Looked(found.status, found.oldest_ms)))


def _place_of(after: str, partitions: int) -> tuple[int, str]:
    """Where a page begins; what no page of this list has said is its beginning."""
    number, colon, place = after.partition(":")
    found = number_of(number, partitions - 1) if colon else None
    return (0, "") if found is None else (found, place)

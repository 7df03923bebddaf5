"""The API that tries a filter: what it would keep of the newest messages, before it is saved."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from hookbundle.engine.checked import out_of_range
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.fairness.loop_share import with_rests
from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.filters.parsing import parse
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.filters import (
    LAST_MAX,
    FilterTestIn,
    FilterTestOut,
    JudgedOut,
    judged_out,
    tested_out,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.past.messages import PastMessages

JUDGED_AT_ONCE = 16  # texts may be long


@dataclass(frozen=True, slots=True)
class FilterTests:
    env: Environment
    reads: Reads

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{at}/filter-test",
                handler=self.test,
                name=name,
                summary="Try a filter on the newest messages that are here; nothing is changed",
                body=FilterTestIn,
                answer=FilterTestOut,
                refusals=(404, 422, 429, 503),
            )
            for at, name in ((ONE, "test_filter"), (ONLY, "test_outbound_filter"))
        ]

    async def test(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/filter-test`"""
        wanted = await body_of(request, FilterTestIn)
        tested = await self.tested(
            request, request.match_info["ws"], webhook_of(request), wanted.filter, wanted.last
        )
        return json_response(tested)

    async def tested(
        self,
        request: web.Request,
        workspace_id: str,
        webhook_id: str,
        wanted: dict[str, Any] | UnsetType | None,
        last: int,
    ) -> FilterTestOut:
        """What the filter, or without one the webhook's own, makes of the `last` messages.

        Raises: NotFound; InvalidInput with every fault; TooManyRequests.
        """
        webhook = self.reads.workspace(workspace_id).named(webhook_id).webhook
        judge = self._judge(webhook.filter, wanted, last)
        past = PastMessages(self.env, workspace_id, last)

        def read() -> Generator[None, None, FilterTestOut]:
            yield from past.read()
            judged = list[JudgedOut]()
            for message in past.found:
                judged.append(judged_out(message, judge))
                if len(judged) % JUDGED_AT_ONCE == 0:
                    yield
            return tested_out(judged, past.searched_to_ms)

        return await request.app[LISTS].in_thread(request, lambda: with_rests(read()))

    def _judge(self, own: bytes, wanted: dict[str, Any] | UnsetType | None, last: int) -> Filter:
        """Raises: InvalidInput with the faults of the filter and of `last`."""
        faults = out_of_range("last", last, LAST_MAX)
        try:
            judge = parse(msgspec.json.decode(own or b"{}") if wanted is UNSET else wanted)
        except InvalidInput as exc:
            raise InvalidInput.with_faults([*exc.faults, *faults]) from None
        if faults:
            raise InvalidInput(faults)
        return judge

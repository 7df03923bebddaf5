"""The API that says what a filter would keep and drop of the last messages, before it is saved."""

from collections.abc import Generator
from dataclasses import dataclass

from aiohttp import web
from msgspec import UNSET

from hookbundle.engine.fairness.loop_share import with_rests
from hookbundle.engine.filters.compiled import compiled
from hookbundle.engine.filters.conditions import Filter
from hookbundle.engine.filters.parsing import parse
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.filter_tests import (
    EXAMPLE,
    FilterTestedOut,
    FilterTestIn,
    judged_out,
    tested_out,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.past.messages import PastMessages

JUDGED_AT_ONCE = 16


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
                name=f"test_filter_of_{name}",
                summary="Say what a filter would keep and drop of the last messages",
                body=FilterTestIn,
                answer=FilterTestedOut,
                refusals=(404, 422, 429),
                example=EXAMPLE,
            )
            for at, name in ((ONE, "webhook"), (ONLY, "outbound"))
        ]

    async def test(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/filter-test`: nothing is changed."""
        asked = await body_of(request, FilterTestIn)
        workspace_id = request.match_info["ws"]
        webhook = self.reads.workspace(workspace_id).named(webhook_of(request)).webhook
        wanted = parse(asked.filter) if asked.filter is not UNSET else _own(webhook.filter)
        answer = await self.judge(request, workspace_id, wanted, asked.last)
        return json_response(answer)

    async def judge(
        self, request: web.Request, workspace_id: str, wanted: Filter, last: int
    ) -> FilterTestedOut:
        """Bodies are read for it, up to megabytes: in a thread that rests, one at a time for an
        owner. Raises: NotFound; TooManyRequests; Overloaded."""

        def work() -> Generator[None, None, FilterTestedOut]:
            past = PastMessages(self.env, workspace_id, last)
            yield from past.read()
            judged = []
            for number, message in enumerate(past.found):
                judged.append(judged_out(wanted, message))
                if number % JUDGED_AT_ONCE == 0:
                    yield
            return tested_out(wanted, past, judged)

        return await request.app[LISTS].in_thread(request, lambda: with_rests(work()))


def _own(stored: bytes) -> Filter:
    return compiled(stored) if stored else Filter()

"""The API of resends and replays: what was sent, or given up as a dead letter, once more."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import body_of, number_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.replays import (
    EXAMPLE,
    NOTE,
    ReplayAskedOut,
    ReplayIn,
    ReplayOut,
    ReplaysOut,
    ResentOut,
    asked_out,
    replay_out,
    wanted_of,
)
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads import replays
from hookbundle.storage.reads.replays import Count
from hookbundle.storage.transitions.repeating.replaying import (
    CancelReplay,
    Replaying,
    StartReplay,
)
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent

NUMBER_MAX = 2**53


@dataclass(frozen=True, slots=True)
class Replays:
    env: Environment
    store: StoreQueue
    clock: Clock
    wake: Callable[[int], None]

    def routes(self) -> list[Route]:
        of_workspace = "/v1/workspaces/{ws}"
        one = f"{of_workspace}/replay/{{job}}"
        return [
            Route(
                method="POST",
                path=f"{of_workspace}/deliveries/{{id}}/resend",
                handler=self.resend,
                name="resend_delivery",
                summary="Send a delivered delivery once more, with the same id and bytes",
                answer=ResentOut,
                refusals=(404, 409, 410, 503),
            ),
            Route(
                method="POST",
                path=f"{of_workspace}/replay",
                handler=self.start,
                name="start_replay",
                summary="Count what a filter means; with `dry_run` false, send all of it once more",
                body=ReplayIn,
                answer=ReplayAskedOut,
                status=202,
                also_status=(200,),
                refusals=(404, 409, 422, 429, 503),
                example=EXAMPLE,
            ),
            Route(
                method="GET",
                path=f"{of_workspace}/replay",
                handler=self.index,
                name="list_replays",
                summary="The last 20 replays of a workspace, newest first",
                answer=ReplaysOut,
                refusals=(404,),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show,
                name="get_replay",
                summary="How far a replay is",
                answer=ReplayOut,
                refusals=(404,),
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.cancel,
                name="cancel_replay",
                summary="Take back what a replay has queued and was not sent yet",
                answer=ReplayOut,
                refusals=(404, 409, 503),
            ),
        ]

    async def resend(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/deliveries/{id}/resend`"""
        workspace_id, delivery_id = request.match_info["ws"], request.match_info["id"]
        resent = await self.send_again(workspace_id, delivery_id, caller_of(request))
        return json_response(ResentOut(delivery_id, resent.chat_id, resent.messages, True, NOTE))

    async def send_again(self, workspace_id: str, delivery_id: str, caller: str) -> Resent:
        """Raises: NotFound; Conflict."""
        resend = ResendDelivery(
            workspace_id=workspace_id,
            delivery_id=delivery_id,
            now_ms=self.clock.now_ms(),
            caller=caller,
        )
        resent = await self.store.do(resend, Resent)
        for webhook in resent.wake:
            self.wake(webhook)
        return resent

    async def start(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/replay`"""
        asked = await body_of(request, ReplayIn)
        wanted = wanted_of(asked, self.clock.now_ms())
        workspace_id = request.match_info["ws"]
        count = await self.counted(request, workspace_id, wanted, asked.webhook)
        job = None
        if count.found and not asked.dry_run:
            job = await self.begin(workspace_id, wanted, count, caller_of(request))
        answer = asked_out(wanted, count.found, count.messages, job)
        return json_response(answer, status=200 if job is None else 202)

    async def counted(
        self,
        request: web.Request,
        workspace_id: str,
        wanted: ReplayFilter,
        webhook_id: str = OUTBOUND,
    ) -> Count:
        """What the filter means now, of what the webhook has.

        Raises: NotFound, also for an unknown webhook; TooManyRequests; Overloaded; ConnectionError
        if the caller has left.
        """
        count = Count(self.env, workspace_id, wanted, webhook_id)
        await request.app[LISTS].whole(request, count.read_on)
        return count

    async def begin(
        self, workspace_id: str, wanted: ReplayFilter, count: Count, caller: str
    ) -> int:
        """The number of the replay, which has begun. Raises: NotFound; Conflict."""
        start = StartReplay(
            workspace_id=workspace_id,
            webhook_id=count.webhook_id,
            wanted=wanted,
            deliveries=count.found,
            messages=count.messages,
            now_ms=self.clock.now_ms(),
            caller=caller,
        )
        return (await self.store.do(start, Replaying)).replay.number

    async def index(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/replay`"""
        found = replays.all_of(self.env, request.match_info["ws"])
        return json_response(ReplaysOut([replay_out(*each) for each in found]))

    async def show(self, request: web.Request) -> web.Response:
        """`GET /v1/workspaces/{ws}/replay/{job}`"""
        found = replays.one(self.env, request.match_info["ws"], _job_of(request))
        return json_response(replay_out(*found))

    async def cancel(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}/replay/{job}`"""
        cancel = CancelReplay(
            workspace_id=request.match_info["ws"],
            number=_job_of(request),
            now_ms=self.clock.now_ms(),
            caller=caller_of(request),
        )
        cancelled = await self.store.do(cancel, Replaying)
        return json_response(replay_out(cancelled.replay, cancelled.webhook_id))


def _job_of(request: web.Request) -> int:
    """Raises: NotFound for what is no number."""
    text = request.match_info["job"]
    number = number_of(text, NUMBER_MAX)
    if not number:
        raise NotFound.of(Code.NO_REPLAY, replay=text, workspace=request.match_info["ws"])
    return number

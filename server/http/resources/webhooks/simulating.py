"""The API that simulates a window: how many calls it had made of the last days' messages."""

from dataclasses import dataclass

from aiohttp import web
from msgspec import UNSET, UnsetType

from hookbundle.engine import limits
from hookbundle.engine.checked import out_of_range
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.fairness.loop_share import with_rests
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.rule import WindowSetting
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.windows.simulations import (
    SimulatedOut,
    SimulateIn,
    Window,
    simulated_out,
)
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.past.simulating import simulated


@dataclass(frozen=True, slots=True)
class Simulations:
    env: Environment
    reads: Reads
    clock: Clock

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{at}/simulate",
                handler=self.simulate,
                name=name,
                summary="Say what a window had made of the last days' messages; nothing is changed",
                body=SimulateIn,
                answer=SimulatedOut,
                refusals=(404, 422, 429, 503),
            )
            for at, name in ((ONE, "simulate_window"), (ONLY, "simulate_outbound_window"))
        ]

    async def simulate(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/simulate`"""
        wanted = await body_of(request, SimulateIn)
        found = await self.simulated(
            request, request.match_info["ws"], webhook_of(request), wanted.window, wanted.days
        )
        return json_response(found)

    async def simulated(
        self,
        request: web.Request,
        workspace_id: str,
        webhook_id: str,
        window: Window | UnsetType,
        days: int,
    ) -> SimulatedOut:
        """What the webhook's own window, and this one, had made of its messages.

        It is read in a thread, one at a time for each owner, that rests as long as it works.
        Raises: NotFound; InvalidInput with every fault; TooManyRequests; Overloaded.
        """
        self.reads.workspace(workspace_id).named(webhook_id)
        wanted, now_ms = _wanted(window, days), self.clock.now_ms()

        def read() -> SimulatedOut:
            found = simulated(self.env, workspace_id, webhook_id, wanted, days, now_ms)
            return simulated_out(with_rests(found))

        return await request.app[LISTS].in_thread(request, read)


def _wanted(window: Window | UnsetType, days: int) -> WindowSetting | None:
    """Raises: InvalidInput with the faults of the window and of `days`."""
    faults, setting = list(out_of_range("days", days, limits.ARRIVALS_DAYS)), None
    try:
        setting = None if window is UNSET else parse(window)
    except InvalidInput as exc:
        faults = [*exc.faults, *faults]
    if faults:
        raise InvalidInput.with_faults(faults)
    return setting

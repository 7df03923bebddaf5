"""The API that tries the settings of a source on a body, before anything is made."""

from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.fairness.loop_share import Rests
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.intake import trying
from hookbundle.engine.sources.intake.trying import Tried
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.sources.paths import ALL
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.sources.trying import (
    TRY_EXAMPLE,
    TriedSourceOut,
    TrySourceDoc,
    TrySourceIn,
    tried_out,
)
from hookbundle.storage.reads.lookup import Reads

BODY_BYTES_MAX = limits.SOURCE_REQUEST_BYTES_MAX


@dataclass(frozen=True, slots=True)
class SourceTrials:
    reads: Reads
    clock: Clock

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{ALL}/try",
                handler=self.test,
                name="test_source_settings",
                summary="Try the settings of a source on a body; nothing is stored or learned",
                body=TrySourceDoc,
                answer=TriedSourceOut,
                example=TRY_EXAMPLE,
                refusals=(404, 422, 429, 503),
            )
        ]

    async def test(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/sources/try`"""
        wanted = await body_of(request, TrySourceIn)
        settings, body = _settings_and_body(wanted)
        workspace_id = request.match_info["ws"]
        tried = await self.tried(request, workspace_id, wanted.kind, settings, body)
        return json_response(tried_out(tried))

    async def tried(
        self,
        request: web.Request,
        workspace_id: str,
        kind: str,
        settings: SourceSettings,
        body: bytes,
    ) -> Tried:
        """What would come of the body, read in a thread, one at a time for each owner.

        Raises: NotFound; InvalidInput if the body is too long; TooManyRequests; Overloaded.
        """
        self.reads.workspace_number(workspace_id)
        if faults := _too_long(body):
            raise InvalidInput(faults)
        now_ms = self.clock.now_ms()

        def read() -> Tried:
            rest = Rests()
            asked = SourceRequest(body=body, arrived_ms=now_ms, rest=rest)
            found = trying.tried(kind, settings, asked)
            rest()
            return found

        return await request.app[LISTS].in_thread(request, read)


def _settings_and_body(wanted: TrySourceIn) -> tuple[SourceSettings, bytes]:
    """Raises: InvalidInput with the faults of both."""
    body = _bytes_of(wanted.body)
    faults = _too_long(body)
    try:
        settings = source_settings.parse(wanted.kind, wanted.settings)
    except InvalidInput as exc:
        raise InvalidInput.with_faults([*exc.faults, *faults]) from None
    if faults:
        raise InvalidInput(faults)
    return settings, body


def _bytes_of(body: Any) -> bytes:
    return body.encode("utf-8", "replace") if isinstance(body, str) else msgspec.json.encode(body)


def _too_long(body: bytes) -> tuple[Fault, ...]:
    if len(body) <= BODY_BYTES_MAX:
        return ()
    return (fault("body", FaultCode.TOO_LONG_AS_BYTES, most=BODY_BYTES_MAX, size=len(body)),)

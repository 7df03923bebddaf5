"""The API that checks a request's signature for a receiver that has no secret of its own.

The request is passed on as it came: its body, and its three headers. The secrets stay in the
daemon: a caller learns only whether one of them fits.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.signing import (
    HEADER_ID,
    HEADER_SIGNATURE,
    HEADER_TIMESTAMP,
    Verdict,
)
from hookbundle.engine.fairness.loop_share import READ_AT_ONCE_BYTES
from hookbundle.server.http.lists import LOOP_SHARE
from hookbundle.server.http.requests import hint_of, read_body
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.webhooks.verdicts import VerdictOut, verdict_out
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.lookup import Reads

OF_THE_REQUEST = tuple(
    Query(name=name, meaning="as it came with the request that is to be checked")
    for name in (HEADER_ID, HEADER_TIMESTAMP, HEADER_SIGNATURE)
)


@dataclass(frozen=True, slots=True)
class Verifications:
    reads: Reads
    clock: Clock

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{at}/verify",
                handler=self.verify,
                name=f"check_signature_of_{name}",
                summary="Check a request's signature with the webhook's secrets, which stay here",
                body=dict[str, Any],
                also_body_media=("application/octet-stream",),
                answer=VerdictOut,
                headers=OF_THE_REQUEST,
                refusals=(404, 422, 503),
            )
            for at, name in ((ONE, "webhook"), (ONLY, "outbound"))
        ]

    async def verify(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/verify`"""
        view = self.reads.workspace(request.match_info["ws"])
        webhook = view.named(webhook_of(request)).webhook
        headers = {query.name: hint_of(request, query.name) for query in OF_THE_REQUEST}
        body = await read_body(request)
        return json_response(verdict_out(await self.verdict(request, webhook, headers, body)))

    async def verdict(
        self, request: web.Request, webhook: Webhook, headers: Mapping[str, str], body: bytes
    ) -> Verdict:
        """By its secrets that are good now. Raises: Overloaded."""
        now_ms, now_s = self.clock.now_ms(), self.clock.wall_ms() // 1_000
        secrets = [
            secret.value
            for secret in webhook.secrets
            if not secret.expires_ms or secret.expires_ms > now_ms
        ]
        if len(body) > READ_AT_ONCE_BYTES:  # a hash of megabytes would hold up the loop
            async with request.app[LOOP_SHARE].large(webhook.workspace):
                return await asyncio.to_thread(signing.verify, headers, body, secrets, now_s)
        return signing.verify(headers, body, secrets, now_s)

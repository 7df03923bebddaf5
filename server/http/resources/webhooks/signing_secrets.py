"""The API that rotates a webhook's signing secret. The new one is shown once."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import signing
from hookbundle.engine.preconditions import Precondition
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.parameters.etags import IF_MATCH, IF_NONE_MATCH
from hookbundle.server.http.parameters.times import parse_keep
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, condition_of, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.signing_secrets import RotatedOut, RotateIn
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    reads: Reads
    store: StoreQueue
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{at}/rotate-secret",
                handler=self.rotate,
                name=name,
                summary="Sign with a new secret; those so far sign beside it for a while",
                body=RotateIn,
                answer=RotatedOut,
                headers=(IF_MATCH, IF_NONE_MATCH),
                refusals=(404, 409, 412, 422, 503, 507),
                etag=True,
            )
            for at, name in ((ONE, "rotate_secret"), (ONLY, "rotate_outbound_secret"))
        ]

    async def rotate(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/rotate-secret`"""
        keep_ms = parse_keep((await body_of(request, RotateIn)).keep)
        precondition, of_webhook = condition_of(request)
        rotated = await self.renew(
            request.match_info["ws"],
            keep_ms,
            caller_of(request),
            precondition,
            webhook_id=webhook_of(request),
            of_webhook=of_webhook,
        )
        return json_response(rotated, etag=rotated.version)

    async def renew(
        self,
        workspace_id: str,
        keep_ms: int,
        caller: str,
        precondition: Precondition | None = None,
        *,
        webhook_id: str = OUTBOUND,
        of_webhook: bool = False,
    ) -> RotatedOut:
        """A new secret signs; the older ones sign beside it for `keep_ms`.

        Raises: NotFound; Changed if the precondition does not hold; Conflict.
        """
        secret = signing.new_secret(self.random_bytes(signing.SECRET_BYTES))
        now_ms = self.clock.now_ms()
        rotated = await self.store.do(
            RotateSecret(
                workspace_id=workspace_id,
                webhook_id=webhook_id,
                new_secret=secret,
                keep_until_ms=now_ms + keep_ms,
                now_ms=now_ms,
                caller=caller,
                precondition=precondition,
                of_webhook=of_webhook,
            ),
            SecretRotated,
        )
        version = rotated.webhook_version if of_webhook else rotated.version
        return RotatedOut(secret, iso(now_ms + keep_ms) if keep_ms else None, version)

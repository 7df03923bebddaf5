"""A format that somebody considers: read, seen as a request for the last conversation, saved."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.actors.attempts.rendering import Rendering
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.addresses import url_faults
from hookbundle.engine.delivery.targets import target_of
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import Outcome, Rendered
from hookbundle.engine.preconditions import Precondition
from hookbundle.engine.requests.fields import credentials_name, without_accept
from hookbundle.engine.requests.request import stored
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.schemas.webhooks.formats import judged
from hookbundle.server.http.schemas.webhooks.samples import sample_job
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.past.sealed_bodies import newest

SIGNED = (signing.HEADER_ID, signing.HEADER_TIMESTAMP, signing.HEADER_SIGNATURE)


@dataclass(frozen=True, slots=True)
class Preview:
    """The request as it would leave. `host`: of the URL, empty without one; `headers`: names alone.

    `delivery_id`: whose conversation it is; empty for the sample.
    """

    method: str
    host: str
    headers: tuple[str, ...]
    made: Outcome | Resting
    delivery_id: str


@dataclass(frozen=True, slots=True)
class FormatPreviews:
    env: Environment
    reads: Reads
    webhooks: Webhooks
    rendering: Rendering
    client: GuardedClient
    clock: Clock

    async def read(self, workspace_id: str, value: Any, options: dict[str, str]) -> Format:
        """Raises: InvalidInput with every fault; NotFound; Overloaded."""
        number = self.reads.workspace_number(workspace_id)
        found = await judged(value, options, number, self.rendering)
        if isinstance(found, Format):
            return found
        raise InvalidInput(tuple(found))

    async def preview(self, workspace_id: str, webhook_id: str, wanted: Format) -> Preview:
        """Raises: NotFound; TooManyRequests; Overloaded."""
        view = self.reads.workspace(workspace_id)
        webhook = view.named(webhook_id).webhook
        last = await asyncio.to_thread(newest, self.env, workspace_id, webhook_id, 1)
        delivery_id = last[0].job.bundle.id if last else ""
        job = last[0].job if last else sample_job(view, webhook, "test", self.clock.now_ms())
        made: Outcome | Resting = Rendered(job.body)
        if not wanted.is_seed:
            job = msgspec.structs.replace(job, format=wanted.format, options=wanted.options)
            made = await self.rendering.preview(job, webhook.workspace)
        method = stored(webhook.request).method
        return Preview(method, _host_of(webhook), self._headers(webhook), made, delivery_id)

    async def save(
        self,
        workspace_id: str,
        webhook_id: str,
        wanted: Format,
        also: WebhookIn,
        caller: str,
        precondition: Precondition | None,
    ) -> None:
        """The webhook has the format, and with it the settings of `also`.

        Raises: NotFound; Changed if the precondition does not hold; InvalidInput.
        """
        changes = await self.webhooks.changes(workspace_id, webhook_id, also, whole=False)
        changes = msgspec.structs.replace(
            changes, format=wanted.format, format_options=wanted.options
        )
        await self.webhooks.apply(
            workspace_id, webhook_id, changes, caller, precondition, whole=False
        )

    def _headers(self, webhook: Webhook) -> tuple[str, ...]:
        called = stored(webhook.request)
        own = [name for name, _ in called.headers]
        credentials = credentials_name(called)
        common = without_accept(self.client.headers, called)
        return (*common, *SIGNED, *own, *([credentials] if credentials else []))


def _host_of(webhook: Webhook) -> str:
    if not webhook.url or url_faults(webhook.url):
        return ""
    return target_of(webhook.url).host

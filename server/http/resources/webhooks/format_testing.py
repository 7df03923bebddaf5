"""The API that tries a format on the sample and on the last bundles; nothing is set or sent."""

import difflib
from dataclasses import dataclass
from functools import partial

import msgspec
from aiohttp import web

from hookbundle.actors.attempts.rendering import Rendering
from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.formats.jobs import NoRecord, Outcome, Rendered, Unrenderable
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.format_tests import (
    FORMAT_TEST_EXAMPLE,
    FormatTestIn,
    FormatTestOut,
    TriedBodyOut,
)
from hookbundle.server.http.schemas.webhooks.formats import formatted
from hookbundle.server.http.schemas.webhooks.samples import sample_job
from hookbundle.server.http.schemas.webhooks.shown_formats import format_shown, options_shown
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.past.sealed_bodies import SealedBody, newest

SHOWN_CHARS_MAX = 64 * 1024  # of a body
COMPARED_BYTES_MAX = 32 * 1024  # of each of two bodies; more can't be read as a difference
COMPARED_LINES_MAX = 400


@dataclass(frozen=True, slots=True)
class FormatTests:
    env: Environment
    reads: Reads
    clock: Clock
    rendering: Rendering

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{at}/format-test",
                handler=self.test,
                name=name,
                summary="Say what a format makes of the sample and of the last bundles",
                body=FormatTestIn,
                answer=FormatTestOut,
                example=FORMAT_TEST_EXAMPLE,
                refusals=(404, 422, 429, 503),
            )
            for at, name in ((ONE, "test_format"), (ONLY, "test_outbound_format"))
        ]

    async def test(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/format-test`"""
        wanted = await body_of(request, FormatTestIn)
        workspace_id, webhook_id = request.match_info["ws"], webhook_of(request)
        return json_response(await self.tried(request, workspace_id, webhook_id, wanted))

    async def tried(
        self, request: web.Request, workspace_id: str, webhook_id: str, wanted: FormatTestIn
    ) -> FormatTestOut:
        """What the format makes of each body, one after the other.

        Raises: NotFound; InvalidInput with every fault of the format; TooManyRequests if the
            workspace looks at several already; Overloaded.
        """
        view = self.reads.workspace(workspace_id)
        webhook = view.named(webhook_id).webhook
        hook = WebhookIn(format=wanted.format, format_options=wanted.format_options)
        read = await formatted(hook, webhook, webhook.workspace, self.rendering)
        if read.faults:
            raise InvalidInput(read.faults)
        given = {name: value for name, value in read.fields.items() if value is not None}
        webhook = msgspec.structs.replace(webhook, **given)
        in_thread = partial(request.app[LISTS].in_thread, request)
        sealed: list[SealedBody] = []
        if wanted.last:
            sealed = await in_thread(
                partial(newest, self.env, workspace_id, webhook_id, wanted.last)
            )
        sample = sample_job(view, webhook, "test", self.clock.now_ms())
        found = []
        for each in (SealedBody("", sample, sample.body), *sealed):
            made = await self._made(webhook, each)
            found.append(await in_thread(partial(_out, each, made)))
        return FormatTestOut(format_shown(webhook), options_shown(webhook), found)

    async def _made(self, webhook: Webhook, sealed: SealedBody) -> Outcome | Resting:
        if not webhook.format:
            return Rendered(sealed.job.body)
        job = msgspec.structs.replace(
            sealed.job, format=webhook.format, options=webhook.format_options
        )
        return await self.rendering.preview(job, webhook.workspace)


def _out(sealed: SealedBody, made: Outcome | Resting) -> TriedBodyOut:
    out = TriedBodyOut("rests")
    match made:
        case Rendered(body=body, cut=cut):
            out = TriedBodyOut(
                "rendered",
                body=body.decode()[:SHOWN_CHARS_MAX],
                bytes=len(body),
                cut=cut,
                difference=difference(sealed.sent, body),
            )
        case NoRecord():
            out = TriedBodyOut("skipped")
        case Unrenderable(pointer=pointer, code=code, why=why):
            out = TriedBodyOut("not_rendered", pointer=pointer, code=code.value, why=why)
    if not sealed.chat_id:
        return out
    return msgspec.structs.replace(out, delivery_id=sealed.job.bundle.id, chat_id=sealed.chat_id)


def difference(before: bytes, after: bytes) -> list[str] | None:
    """The two as indented JSON, line by line; None if they are too long to be compared so."""
    if max(len(before), len(after)) > COMPARED_BYTES_MAX:
        return None
    was, now = _lines(before), _lines(after)
    if max(len(was), len(now)) > COMPARED_LINES_MAX:
        return None
    return list(difflib.unified_diff(was, now, lineterm="", n=1))[2:]


def _lines(body: bytes) -> list[str]:
    return msgspec.json.format(body, indent=2).decode().splitlines()

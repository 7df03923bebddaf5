"""The API of test requests: same path and guards as a delivery, outside queue and error count."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from hookbundle.actors.attempts.rendering import Rendering
from hookbundle.actors.attempts.sending import attempt_of, send, sending_of, without_secrets
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.rendering.resting import Resting
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery.outcomes import judged
from hookbundle.engine.delivery.success import success_of
from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import Conflict
from hookbundle.engine.fairness.allowance import Allowance
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.engine.formats.jobs import NoRecord, Rendered, Unrenderable
from hookbundle.engine.preconditions import Precondition
from hookbundle.engine.requests.request import stored
from hookbundle.server.http.parameters.etags import IF_MATCH, IF_NONE_MATCH
from hookbundle.server.http.resources.webhooks.paths import ONE, ONLY, condition_of, webhook_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.logs import ExchangeOut, exchange_out
from hookbundle.server.http.schemas.webhooks.samples import sample_job
from hookbundle.server.http.schemas.webhooks.success import proposed
from hookbundle.storage.database.delivery_records import Exchange, WebhookTest
from hookbundle.storage.database.settings import OUTBOUND, Webhook
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView
from hookbundle.storage.transitions.webhooks.conditions import check_either
from hookbundle.storage.transitions.webhooks.tests import RecordTest

ID_BYTES = 12
TESTS_PER_HOUR = 60
HOUR_MS = 3_600_000


def hourly_tests() -> Allowance[str]:
    return Allowance("test_requests_hourly", Term.HOURLY_TESTS, TESTS_PER_HOUR, HOUR_MS)


@dataclass(frozen=True, slots=True)
class TestRequests:
    __test__ = False  # its name is its subject, not a hint to the test runner

    reads: Reads
    store: StoreQueue
    client: GuardedClient
    clock: Clock
    random_bytes: Callable[[int], bytes]
    under_way: FairLimit[str]
    rendering: Rendering
    hourly: Allowance[str] = field(default_factory=hourly_tests)

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"{at}/test",
                handler=self.send,
                name=f"test_{name}",
                summary="Send a test request now, and see what came back",
                answer=ExchangeOut,
                headers=(IF_MATCH, IF_NONE_MATCH),
                refusals=(404, 409, 412, 429, 503),
            )
            for at, name in ((ONE, "webhook"), (ONLY, "outbound"))
        ]

    async def send(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/webhooks/{wh}/test`: the exchange, as in the detailed log.

        With the settings that would fit the answer, if that is beyond doubt.
        """
        precondition, of_webhook = condition_of(request)
        webhook_id = webhook_of(request)
        workspace_id = request.match_info["ws"]
        webhook = self.reads.workspace(workspace_id).named(webhook_id).webhook
        exchange = await self.send_to(workspace_id, webhook_id, precondition, of_webhook=of_webhook)
        proposal = proposed(exchange.result, webhook)
        return json_response(exchange_out(exchange, webhook_id, proposal))

    async def send_to(
        self,
        workspace_id: str,
        webhook_id: str = OUTBOUND,
        precondition: Precondition | None = None,
        *,
        of_webhook: bool = False,
    ) -> Exchange:
        """Sends a test request. Returns the exchange, which is in the detailed log too.

        Raises: NotFound; Changed if the precondition does not hold of the settings that are tested;
            Conflict without a URL, or if its format makes no body of the sample; TooManyRequests
            if the workspace has too many under way, or had its share of this hour; Overloaded if
            all have.
        """
        view = self.reads.workspace(workspace_id)
        webhook = view.named(webhook_id).webhook
        check_either(precondition, view.settings, webhook, of_webhook=of_webhook)
        if not webhook.url:
            raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=workspace_id)
        # By its id, which outlives a workspace that is deleted and made again.
        with self.under_way.holding(workspace_id):
            self.hourly.use(workspace_id, self.clock.now_ms())
            return await self._send(view, webhook)

    async def _send(self, view: WorkspaceView, webhook: Webhook) -> Exchange:
        at_ms = self.clock.now_ms()
        wall_ms = self.clock.wall_ms()
        test_id = f"test_{self.random_bytes(ID_BYTES).hex()}"
        body = await self._body(view, webhook, test_id, at_ms)
        secrets = [
            secret.value
            for secret in webhook.secrets
            if not secret.expires_ms or secret.expires_ms > at_ms
        ]
        first = self.rendering.first  # partitions number what is theirs, each for itself
        sending = sending_of(
            url=webhook.url,
            body=body,
            request=stored(webhook.request),
            delivery_id=test_id,
            secrets=secrets,
            owner=first + webhook.workspace,
            webhook=first + webhook.number,
            at_ms=at_ms,
            wall_ms=wall_ms,
        )
        await self.store.confirmed()
        result = await send(self.client, sending)
        success = success_of(webhook.success, webhook.success_rules)
        outcome = judged(
            result, success, wall_ms // 1_000, hidden=partial(without_secrets, sending, result)
        )
        attempt = attempt_of(self.client, sending, result, outcome)
        test = WebhookTest(id=test_id, body=body, attempt=attempt)
        await self.store.done(
            RecordTest(webhook=webhook.number, test=test, now_ms=self.clock.now_ms())
        )
        return Exchange(
            delivery_id=test_id, attempt=1, chat_id="", request_body=body, result=attempt
        )

    async def _body(self, view: WorkspaceView, webhook: Webhook, test_id: str, at_ms: int) -> bytes:
        """The sample, in the webhook's format. Raises: Conflict; TooManyRequests; Overloaded."""
        job = sample_job(view, webhook, test_id, at_ms)
        if not webhook.format:
            return job.body
        made = await self.rendering.preview(job, webhook.workspace)
        if isinstance(made, Rendered):
            return made.body
        raise Conflict.of(Code.SAMPLE_NOT_RENDERED, webhook=webhook.id, why=_why(made))


def _why(made: NoRecord | Unrenderable | Resting) -> str:
    if isinstance(made, Unrenderable):
        return f"{made.pointer} {made.why}".strip()
    return "the sample has no record" if isinstance(made, NoRecord) else "rendering rests"

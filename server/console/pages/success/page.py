"""A test request, sent from the page of a webhook, and the setting that its answer proposes."""

from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.errors import TooManyRequests
from hookbundle.engine.messages import parsing
from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.pages.recent.activity import ActivityPage
from hookbundle.server.console.pages.webhook import ONE, ONLY, ONLY_ACTS, path_of
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.resources.webhooks.testing import TestRequests
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.success import ProposalOut, proposed
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.lookup import Reads


@dataclass(frozen=True, slots=True)
class TestPage:
    __test__ = False  # its name is its subject, not a hint to the test runner

    access: AccessCheck
    reads: Reads
    webhooks: Webhooks
    testing: TestRequests
    activity: ActivityPage

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("POST", f"{ONLY_ACTS}/test", self.test, back="/console" + ONLY),
            page("POST", f"{ONE}/test", self.test, back="/console" + ONE),
            page("POST", f"{ONE}/success", self.set_success, back="/console" + ONE),
        ]

    async def test(self, visit: Visit) -> web.StreamResponse:
        """A test request is sent; its answer is shown, here or on its own page."""
        try:
            exchange = await self.testing.send_to(visit.ws, visit.wh)
        except TooManyRequests as exc:
            minutes = -(-exc.retry_after_s // 60)
            notice = Notice("tests_used", bad=True, count=minutes)
            return visit.done(path_of(visit.ws, visit.wh), notice)
        if visit.is_partial:
            webhook = self.reads.workspace(visit.ws).named(visit.wh).webhook
            return visit.render(
                "parts/answer.html",
                exchange=exchange,
                ws=visit.ws,
                webhook=webhook,
                proposal=proposed(exchange.result, webhook),
            )
        number = self.activity.number_of(visit.ws, exchange.delivery_id, visit.wh)
        asked = "" if visit.wh == OUTBOUND else f"?webhook={visit.wh}"
        return visit.done(f"/console/w/{visit.ws}/requests/{number}{asked}")

    async def set_success(self, visit: Visit) -> web.StreamResponse:
        """What a request proposed is set, if the settings are still those that it was made for."""
        form = visit.form
        proposal = parsing.parse_as(form.get("proposal", "").encode(), ProposalOut)
        seen = number_of(form.get("webhook_version", ""), VERSION_MAX)
        await self.webhooks.change(
            visit.ws,
            visit.wh,
            WebhookIn(success=proposal.success, success_rules=proposal.success_rules),
            visit.caller,
            at_version(seen),
            whole=False,
        )
        return visit.done(path_of(visit.ws, visit.wh), Notice("saved"))

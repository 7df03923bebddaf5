"""The page on which it is said how a webhook is called: method, headers, credentials."""

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput
from hookbundle.engine.preconditions import at_version
from hookbundle.engine.requests.request import shown, stored
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.calling import fields
from hookbundle.server.console.pages.webhook import path_of
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView


@dataclass(frozen=True, slots=True)
class CallingPage:
    access: AccessCheck
    reads: Reads
    webhooks: Webhooks

    def routes(self) -> list[Route]:
        page, at = self.access.page, "/w/{ws}/webhooks/{wh}/request"
        return [page("GET", at, self.show), page("POST", at, self.save)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        return self._page(visit, view, view.named(visit.wh).webhook)

    async def save(self, visit: Visit) -> web.StreamResponse:
        view, form = self.reads.workspace(visit.ws), visit.form
        webhook = view.named(visit.wh).webhook
        seen = number_of(form.get("webhook_version", ""), VERSION_MAX)
        try:
            request = fields.wanted(form, stored(webhook.request))
            changed = await self.webhooks.change(
                visit.ws,
                visit.wh,
                WebhookIn(request=request),
                visit.caller,
                at_version(seen),
                whole=False,
            )
        except InvalidInput as exc:
            faults = fields.faults_of(exc, form)
            return self._page(visit, view, webhook, form=form, faults=faults, status=422)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return self._page(visit, view, webhook, form=form, status=exc.status)
        if changed.dropped:
            visit.signed_in.notices.append(Notice("saved"))
            return visit.done(at_of(visit.ws, visit.wh), Notice("secret_dropped", bad=True))
        return visit.done(path_of(visit.ws, visit.wh), Notice("saved"))

    def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        webhook: Webhook,
        *,
        form: Form | None = None,
        faults: dict[str, Fault] | None = None,
        status: int = 200,
    ) -> web.Response:
        request = stored(webhook.request)
        known = {"webhook_version": str(webhook.version), **fields.shown_request(request)}
        return visit.page(
            "calling.html",
            status=status,
            form={**known, **fields.typed(form)} if form else known,
            faults=faults or {},
            rows=[name.removesuffix("_name") for name in known if _is_of_row(name)],
            present=shown(request)["auth"],
            hook=webhook,
            at=at_of(visit.ws, webhook.id),
            back=path_of(visit.ws, webhook.id),
            view=view,
            tab="outbound",
            **fields.CHOICES,
        )


def _is_of_row(name: str) -> bool:
    return name.startswith("h") and name.endswith("_name") and name[1].isdigit()


def at_of(workspace_id: str, webhook_id: str) -> str:
    """The address of the page."""
    return f"/console/w/{quote(workspace_id)}/webhooks/{quote(webhook_id)}/request"

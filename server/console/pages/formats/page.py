"""The page on which it is chosen what a webhook sends, and seen before it is saved.

What a preview shows was made of the messages of others: it is shown as text alone.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput, NotFound
from hookbundle.engine.formats.format import SEED, TEMPLATE
from hookbundle.engine.formats.jobs import NoRecord, Rendered, Unrenderable
from hookbundle.engine.formats.presets import Preset, presets
from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.formats import fields
from hookbundle.server.console.pages.webhook import acts_of, path_of
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.previewing import FormatPreviews, Preview
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.formats import brought
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView


@dataclass(frozen=True, slots=True)
class FormatPage:
    access: AccessCheck
    reads: Reads
    previews: FormatPreviews

    def routes(self) -> list[Route]:
        page, at = self.access.page, "/w/{ws}/webhooks/{wh}/format"
        return [page("GET", at, self.show), page("POST", at, self.edit)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """`?format=`: another one than the webhook has; its fields are shown."""
        view = self.reads.workspace(visit.ws)
        webhook = view.named(visit.wh).webhook
        choice = visit.request.query.get("format") or fields.chosen_of(webhook)
        if not fields.known(choice):
            raise NotFound.of(Code.NO_PAGE)
        return await self._page(visit, view, webhook, choice)

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """The form as it was filled in, with the request that it makes; or it is saved."""
        view, form = self.reads.workspace(visit.ws), visit.form
        webhook, choice = view.named(visit.wh).webhook, form.get("format", SEED)
        if not fields.known(choice):
            raise NotFound.of(Code.NO_PAGE)
        try:
            read = await self.previews.read(visit.ws, *fields.wanted(form, webhook))
            if form.get("do") == "try":
                preview = await self.previews.preview(visit.ws, visit.wh, read)
                return await self._page(visit, view, webhook, choice, form=form, preview=preview)
            seen = number_of(form.get("webhook_version", ""), VERSION_MAX)
            also = also_of(presets().get(choice), form)
            precondition = at_version(seen)
            await self.previews.save(visit.ws, visit.wh, read, also, visit.caller, precondition)
        except InvalidInput as exc:
            faults = fields.faults_of(exc)
            return await self._page(
                visit, view, webhook, choice, form=form, faults=faults, status=422
            )
        except HookbundleError as exc:
            visit.say_refused(exc)
            return await self._page(visit, view, webhook, choice, form=form, status=exc.status)
        return visit.done(path_of(visit.ws, visit.wh), Notice("saved"))

    async def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        webhook: Webhook,
        choice: str,
        *,
        form: Form | None = None,
        faults: dict[str, list[Fault]] | None = None,
        preview: Preview | None = None,
        status: int = 200,
    ) -> web.Response:
        known = fields.shown(webhook, choice)
        now = fields.chosen_of(webhook)
        words: dict[str, Any] = {
            "form": {**known, **fields.typed(form, choice)} if form else known,
            "faults": faults or {},
            "preview": preview,
            "made": kind_of(preview) if preview else "",
            "choice": choice,
            "now": now,
            "preset": presets().get(choice),
            "presets": presets(),
            "secrets_set": fields.secrets_set(webhook, choice),
            "records": fields.RECORDS,
            "hook": webhook,
            "lang": visit.language.code,
            "at": at_of(visit.ws, webhook.id),
            "acts": acts_of(visit.ws, webhook.id),
            "back": path_of(visit.ws, webhook.id),
            "view": view,
            "tab": "outbound",
        }
        if preview:  # its body may be a megabyte
            return await visit.large_page("format.html", **words)
        return visit.page("format.html", status=status, **words)


def kind_of(preview: Preview) -> str:
    """What came of it, as the template knows it."""
    match preview.made:
        case Rendered():
            return "rendered"
        case NoRecord():
            return "no_record"
        case Unrenderable():
            return "unrenderable"
        case Resting():
            return "resting"


def also_of(preset: Preset | None, form: Form) -> WebhookIn:
    """The settings that the preset's receiver wants beside the format, if they were asked for."""
    if preset is None or form.get("also") != fields.TICKED:
        return WebhookIn()
    return WebhookIn(**brought(preset))


def at_of(workspace_id: str, webhook_id: str) -> str:
    """The address of the page."""
    return f"/console/w/{quote(workspace_id)}/webhooks/{quote(webhook_id)}/format"


assert TEMPLATE not in presets()

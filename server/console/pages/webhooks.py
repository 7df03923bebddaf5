"""Webhooks: all of a workspace with their states; one is made, one is deleted.

Where there are several, the settings of the workspace stand here, too.
"""

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from hookbundle.engine import time_zones
from hookbundle.engine.errors import Changed, Conflict, Fault, HookbundleError, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.preconditions import at_version
from hookbundle.engine.windows.parsing import NONE
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.consequences import Counting
from hookbundle.server.console.pages.recent.activity import ActivityPage
from hookbundle.server.console.pages.success import fields as success
from hookbundle.server.console.pages.webhook import GRANULARITIES, path_of
from hookbundle.server.console.pages.webhook_forms import (
    faults_of,
    shown_workspace,
    version_seen,
    webhook_of,
    workspace_of,
)
from hookbundle.server.console.pages.window_rules import fields
from hookbundle.server.console.questions import Consequence, agreed_count, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.webhook import webhook_out
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView

EMPTY = {"id": "", "url": "", **success.SHOWN_NEW, **fields.shown(NONE)}
BACK = "/console/w/{ws}/webhooks"


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    access: AccessCheck
    reads: Reads
    workspaces: Workspaces
    webhooks: Webhooks
    activity: ActivityPage
    counting: Counting

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}/webhooks"
        return [
            page("GET", one, self.index),
            page("GET", f"{one}/new", self.ask),
            page("POST", f"{one}/new", self.make),
            page("POST", f"{one}/{{wh}}/delete", self.delete, back=BACK),
            page("POST", "/w/{ws}/settings", self.save),
        ]

    async def index(self, visit: Visit) -> web.StreamResponse:
        news = self.activity.of_list(visit)
        return self._page(visit, self.reads.workspace(visit.ws), news=news)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return self._form(visit, self.reads.workspace(visit.ws), EMPTY, {})

    async def make(self, visit: Visit) -> web.StreamResponse:
        form = {**EMPTY, **fields.UNTICKED, **visit.form}
        view, webhook_id = self.reads.workspace(visit.ws), form["id"].strip()
        try:
            wanted = webhook_of({**form, "enabled": "on", "was_enabled": "on"})
            made = await self.webhooks.make(visit.ws, webhook_id, wanted, visit.caller)
        except InvalidInput as exc:
            return self._form(visit, view, form, faults_of(exc, form), 422)
        except Conflict as exc:
            if view.find(webhook_id) is None:
                visit.say_refused(exc)
                return self._form(visit, view, form, {}, exc.status)
            return self._form(visit, view, form, {"id": fault("id", FaultCode.TAKEN)}, 422)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return self._form(visit, view, form, {}, exc.status)
        notice = Notice("webhook_created", text=made.secret)
        return visit.done(path_of(visit.ws, webhook_id), notice)

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Deleted, once somebody has agreed to what is lost with it."""
        if question := self._ask_to_delete(visit):
            return question
        most = agreed_count(visit.form, "dropped")
        try:
            deleted = await self.webhooks.drop(visit.ws, visit.wh, visit.caller, messages_most=most)
        except Changed:  # between the count and the commit
            if question := self._ask_to_delete(visit, has_grown=True):
                return question
            raise
        notice = Notice("webhook_deleted", text=visit.wh, count=deleted.messages)
        return visit.done(BACK.format(ws=quote(visit.ws)), notice)

    def _ask_to_delete(self, visit: Visit, *, has_grown: bool = False) -> web.Response | None:
        view = self.reads.workspace(visit.ws)
        state = view.named(visit.wh).state
        held = state.queued_messages + state.dead_letter_messages + state.buffered_messages
        found = [Consequence("erased", text=visit.wh), Consequence("dropped", held)]
        if visit.wh == OUTBOUND:
            found.append(Consequence("unnamed"))
        back = path_of(visit.ws, visit.wh)
        return unanswered(
            visit, "delete_webhook", found, back, has_grown=has_grown, view=view, tab="outbound"
        )

    async def save(self, visit: Visit) -> web.StreamResponse:
        """The workspace's own settings, where they stand apart from those of its webhooks."""
        view, form = self.reads.workspace(visit.ws), visit.form
        try:
            wanted, caller = workspace_of(form), visit.signed_in.caller
            await self.workspaces.changes(visit.ws, wanted, whole=False)
            found = await self.counting.of_zone(visit.request, view, wanted.time_zone)
            back = BACK.format(ws=quote(visit.ws))
            if question := unanswered(visit, "save", found, back, view=view, tab="outbound"):
                return question
            precondition = at_version(version_seen(form, view))
            await self.workspaces.change(visit.ws, wanted, caller, precondition, whole=False)
        except InvalidInput as exc:
            return self._page(visit, view, form=form, faults=faults_of(exc, form), status=422)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return self._page(visit, view, form=form, status=exc.status)
        return visit.done(BACK.format(ws=quote(visit.ws)), Notice("saved"))

    def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        *,
        form: Form | None = None,
        faults: dict[str, Fault] | None = None,
        status: int = 200,
        news: str = "",
    ) -> web.Response:
        shown = shown_workspace(view)
        return visit.page(
            "webhooks.html",
            status=status,
            hooks=[
                (webhook_out(each), path_of(visit.ws, each.webhook.id)) for each in view.webhooks
            ],
            form={**shown, **form} if form else shown,
            faults=faults or {},
            languages=LANGUAGES.values(),
            zones=time_zones.offered(),
            view=view,
            news=news,
            tab="outbound",
        )

    def _form(
        self,
        visit: Visit,
        view: WorkspaceView,
        form: dict[str, str],
        faults: dict[str, Fault],
        status: int = 200,
    ) -> web.Response:
        return visit.page(
            "new_webhook.html",
            status=status,
            form=form,
            faults=faults,
            granularities=GRANULARITIES,
            zones=time_zones.offered(),
            view=view,
            tab="outbound",
        )

"""A webhook's page: its settings, switched, its secret renewed. A test: success/page.py.

That of `outbound` has the settings of its workspace too, as long as it is the only one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web
from msgspec import UNSET

from hookbundle.engine import time_zones
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery.outcomes import OWN_FAULTS_MAX
from hookbundle.engine.errors import (
    Changed,
    Fault,
    HookbundleError,
    InvalidInput,
    NotFound,
)
from hookbundle.engine.formats.presets import presets
from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.forms import KEEPS, Form
from hookbundle.server.console.pages.consequences import Counting
from hookbundle.server.console.pages.formats.fields import chosen_of
from hookbundle.server.console.pages.recent.activity import ActivityPage
from hookbundle.server.console.pages.webhook_forms import (
    UNTICKED,
    faults_of,
    is_of_both,
    shown_webhook,
    shown_workspace,
    version_seen,
    webhook_of,
    workspace_of,
)
from hookbundle.server.console.pages.window_rules import fields
from hookbundle.server.console.pages.window_rules.trying import Tried, Trying
from hookbundle.server.console.questions import Consequence, agreed_count, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.console.wording import ShownError
from hookbundle.server.http.parameters.times import parse_keep
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.merging import Merges
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.resources.webhooks.signing_secrets import SigningSecrets
from hookbundle.server.http.resources.webhooks.switching import Switching
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.pace import pace_out
from hookbundle.server.http.schemas.webhooks.webhook import webhook_out
from hookbundle.server.http.schemas.windows.simulations import meter_out
from hookbundle.server.http.schemas.workspaces import workspace_out
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WebhookView, WorkspaceView

GRANULARITIES = ("none", "1h", "6h", "12h", "24h")
ONLY, ONLY_ACTS, ONE = "/w/{ws}/outbound", "/w/{ws}/webhook", "/w/{ws}/webhooks/{wh}"


@dataclass(frozen=True, slots=True)
class WebhookPage:
    """`errors_max`: how many consecutive errors are forgiven. `sends_mail`: whether SMTP is set."""

    access: AccessCheck
    reads: Reads
    workspaces: Workspaces
    webhooks: Webhooks
    secrets: SigningSecrets
    switching: Switching
    merges: Merges
    activity: ActivityPage
    counting: Counting
    trying: Trying
    clock: Clock
    errors_max: int
    sends_mail: Callable[[], bool]

    def routes(self) -> list[Route]:
        return [
            *self._routes(ONLY, ONLY_ACTS, "/console" + ONLY),
            *self._routes(ONE, ONE, "/console" + ONE),
        ]

    def _routes(self, at: str, acts: str, back: str) -> list[Route]:
        page = self.access.page
        return [
            page("GET", at, self.show),
            page("POST", at, self.save),
            page("GET", f"{at}/state", self.state),
            page("POST", f"{acts}/enable", self.enable, back=back),
            page("POST", f"{acts}/merge", self.merge, back=back),
            page("POST", f"{acts}/rotate-secret", self.rotate, back=back),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        try:
            it = view.named(visit.wh)
        except NotFound:
            if visit.wh != OUTBOUND:
                raise
            return visit.done(f"/console/w/{visit.ws}/webhooks")  # it was deleted; there are others
        return self._page(visit, view, it)

    async def state(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that tells how the webhook is doing."""
        view = self.reads.workspace(visit.ws)
        was = visit.request.query.get("was", "")
        return visit.render("parts/state.html", was=was, **self._words(view, view.named(visit.wh)))

    async def save(self, visit: Visit) -> web.StreamResponse:
        view, form = self.reads.workspace(visit.ws), visit.form
        it = view.named(visit.wh)
        if form.get("do") == "try":
            return await self._try(visit, view, it)
        try:
            hook = webhook_of(form, it.webhook)
            wanted, of_both = workspace_of(form, hook), is_of_both(visit.wh, form)
            # Before it is asked whether to do it.
            if of_both:
                await self.workspaces.changes(visit.ws, wanted, whole=False)
            else:
                await self.webhooks.changes(visit.ws, visit.wh, hook, whole=False)
            zone = wanted.time_zone if of_both else UNSET
            found = await self.counting.of_changing(visit.request, view, it, hook, zone)
            if question := self._unanswered(visit, "save", found, view):
                return question
            caller = visit.signed_in.caller
            if of_both:
                precondition = at_version(version_seen(form, view))
                dropped = (
                    await self.workspaces.change(
                        visit.ws, wanted, caller, precondition, whole=False
                    )
                ).dropped
            else:
                seen = number_of(form.get("webhook_version", ""), VERSION_MAX)
                dropped = (
                    await self.webhooks.change(
                        visit.ws, visit.wh, hook, caller.name, at_version(seen), whole=False
                    )
                ).dropped
        except InvalidInput as exc:
            return self._page(visit, view, it, form=form, faults=faults_of(exc, form), status=422)
        except HookbundleError as exc:
            notice = Notice("refused", bad=True, told=ShownError.of(exc))
            return self._page(visit, view, it, form=form, notice=notice, status=exc.status)
        notice = Notice("saved_dropped" if dropped else "saved")
        return visit.done(path_of(visit.ws, visit.wh), notice)

    async def _try(self, visit: Visit, view: WorkspaceView, it: WebhookView) -> web.Response:
        """The form as it was filled in, and what its window had made of the last days."""
        form = visit.form
        try:
            tried = await self.trying.tried(visit, it.webhook)
        except InvalidInput as exc:
            status = 200 if visit.is_partial else 422
            return self._page(
                visit, view, it, form=form, faults=faults_of(exc, form), status=status
            )
        return self._page(visit, view, it, form=form, tried=tried)

    def _unanswered(
        self,
        visit: Visit,
        act: str,
        found: tuple[Consequence, ...],
        view: WorkspaceView,
        *,
        has_grown: bool = False,
    ) -> web.Response | None:
        back = path_of(visit.ws, visit.wh)
        return unanswered(visit, act, found, back, has_grown=has_grown, view=view, tab="outbound")

    async def enable(self, visit: Visit) -> web.StreamResponse:
        discard = visit.form.get("held") == "discard"
        most = None
        if discard:
            if question := await self._ask_to_discard(visit):
                return question
            most = agreed_count(visit.form, "discarded")
        try:
            switched = await self.switching.switch_on(
                visit.ws,
                visit.caller,
                webhook_id=visit.wh,
                discard=discard,
                discard_most=most,
                merge=visit.form.get("held") == "merge",
            )
        except Changed:  # between the count and the commit
            if question := await self._ask_to_discard(visit, has_grown=True):
                return question
            raise
        if switched.merging:
            notice = Notice("merging", count=switched.merging.deliveries)
            return visit.done(path_of(visit.ws, visit.wh), notice)
        notice = Notice(
            "enabled_discarded" if discard else "enabled",
            count=switched.discarded_deliveries if discard else switched.returned,
            more=switched.discarded_messages,
        )
        return visit.done(path_of(visit.ws, visit.wh), notice)

    async def merge(self, visit: Visit) -> web.StreamResponse:
        begun = await self.merges.begin(visit.ws, visit.caller, webhook_id=visit.wh)
        return visit.done(path_of(visit.ws, visit.wh), Notice("merging", count=begun.deliveries))

    async def _ask_to_discard(
        self, visit: Visit, *, has_grown: bool = False
    ) -> web.Response | None:
        view = self.reads.workspace(visit.ws)
        found = await self.counting.of_discarding(visit.request, view, view.named(visit.wh))
        return self._unanswered(visit, "discard_held", found, view, has_grown=has_grown)

    async def rotate(self, visit: Visit) -> web.StreamResponse:
        keep = visit.form.get("keep", KEEPS[0])
        keep_ms = parse_keep(keep)
        found, view = (Consequence("resigned", text=keep),), self.reads.workspace(visit.ws)
        if question := self._unanswered(visit, "rotate", found, view):
            return question
        rotated = await self.secrets.renew(visit.ws, keep_ms, visit.caller, webhook_id=visit.wh)
        return visit.done(path_of(visit.ws, visit.wh), Notice("secret", text=rotated.secret))

    def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        it: WebhookView,
        *,
        form: Form | None = None,
        faults: dict[str, Fault] | None = None,
        notice: Notice | None = None,
        tried: Tried | None = None,
        status: int = 200,
    ) -> web.Response:
        if notice:
            visit.signed_in.notices.append(notice)
        shown = {**shown_workspace(view), **shown_webhook(it)}
        return visit.page(
            "webhook.html",
            status=status,
            form={**shown, **UNTICKED, **form} if form else shown,
            faults=faults or {},
            above=("url", *fields.FIELDS),
            tried=tried,
            granularities=GRANULARITIES,
            languages=LANGUAGES.values(),
            zones=time_zones.offered(),
            keeps=KEEPS,
            cursor=self.activity.cursor(),
            actions=self.activity.actions(view, it.webhook.id),
            was="",
            tab="outbound",
            **self._words(view, it),
        )

    def _words(self, view: WorkspaceView, it: WebhookView) -> dict[str, Any]:
        now_ms = self.clock.now_ms()
        pace, meter = pace_out(view.settings, it, now_ms), meter_out(it.state, now_ms)
        return {
            "workspace": workspace_out(view),
            "hook": webhook_out(it, pace=pace, meter=meter),
            "it": it,
            "format": chosen_of(it.webhook),
            "presets": presets(),
            "at": path_of(view.settings.id, it.webhook.id),
            "acts": acts_of(view.settings.id, it.webhook.id),
            "view": view,
            "errors_max": self.errors_max,
            "own_faults_max": OWN_FAULTS_MAX,
            "sends_mail": self.sends_mail(),
        }


def acts_of(workspace_id: str, webhook_id: str) -> str:
    """What the addresses of its forms begin with."""
    pattern = ONLY_ACTS if webhook_id == OUTBOUND else ONE
    return "/console" + pattern.format(ws=quote(workspace_id), wh=quote(webhook_id))


def path_of(workspace_id: str, webhook_id: str) -> str:
    """The address of the webhook's page."""
    pattern = ONLY if webhook_id == OUTBOUND else ONE
    return "/console" + pattern.format(ws=quote(workspace_id), wh=quote(webhook_id))

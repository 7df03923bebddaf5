"""Webhooks → Outbound: a workspace's settings, its webhook switched, tried, its secret renewed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from hookbundle.engine import time_zones
from hookbundle.engine.delivery.outcomes import OWN_FAULTS_MAX
from hookbundle.engine.errors import (
    Changed,
    Fault,
    HookbundleError,
    InvalidInput,
    TooManyRequests,
)
from hookbundle.engine.messages import parsing
from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.activity import ActivityPage
from hookbundle.server.console.pages.consequences import Counting
from hookbundle.server.console.questions import Consequence, agreed_count, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.console.wording import ShownError
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.signing_secrets import SigningSecrets, parse_keep
from hookbundle.server.http.resources.webhooks.switching import Switching
from hookbundle.server.http.resources.webhooks.testing import TestRequests
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks import WebhookIn, webhook_out
from hookbundle.server.http.schemas.workspaces import (
    Language,
    WorkspaceIn,
    workspace_out,
)
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView

GRANULARITIES = ("none", "1h", "6h", "12h", "24h")
KEEPS = ("24h", "1h", "0s")
BACK = "/console/w/{ws}/outbound"
FIELDS = {
    "id": "id",
    "name": "name",
    "owner_email": "owner_email",
    "language": "language",
    "time_zone": "time_zone",
    "webhook.url": "url",
    "webhook.aggregation": "aggregation",
    "webhook.success": "success",
}


@dataclass(frozen=True, slots=True)
class OutboundPage:
    """`errors_max`: how many consecutive errors are forgiven. `sends_mail`: whether SMTP is set."""

    access: AccessCheck
    reads: Reads
    workspaces: Workspaces
    testing: TestRequests
    secrets: SigningSecrets
    switching: Switching
    activity: ActivityPage
    counting: Counting
    errors_max: int
    sends_mail: Callable[[], bool]

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}"
        return [
            page("GET", f"{one}/outbound", self.show),
            page("POST", f"{one}/outbound", self.save),
            page("GET", f"{one}/outbound/state", self.state),
            page("POST", f"{one}/webhook/test", self.test, back=BACK),
            page("POST", f"{one}/webhook/enable", self.enable, back=BACK),
            page("POST", f"{one}/webhook/rotate-secret", self.rotate, back=BACK),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return self._page(visit, self.reads.workspace(visit.ws))

    async def state(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that tells how the webhook is doing."""
        view = self.reads.workspace(visit.ws)
        was = visit.request.query.get("was", "")
        return visit.render("parts/state.html", was=was, **self._words(view))

    async def save(self, visit: Visit) -> web.StreamResponse:
        view, form = self.reads.workspace(visit.ws), visit.form
        try:
            wanted = wanted_of(form)
            precondition = at_version(_version_seen(form, view))
            self.workspaces.changes(visit.ws, wanted)  # before it is asked whether to do it
            found = await self.counting.of_changing(visit.request, view, wanted.webhook)
            if question := self._unanswered(visit, "save", found, view):
                return question
            await self.workspaces.change(
                visit.ws, wanted, visit.signed_in.caller, precondition, whole=False
            )
        except InvalidInput as exc:
            return self._page(visit, view, form=form, faults=faults_of(exc), status=422)
        except HookbundleError as exc:
            notice = Notice("refused", bad=True, told=ShownError.of(exc))
            status = exc.status
            return self._page(visit, view, form=form, notice=notice, status=status)
        return visit.done(BACK.format(ws=visit.ws), Notice("saved"))

    def _unanswered(
        self,
        visit: Visit,
        act: str,
        found: tuple[Consequence, ...],
        view: WorkspaceView,
        *,
        has_grown: bool = False,
    ) -> web.Response | None:
        back = BACK.format(ws=visit.ws)
        return unanswered(visit, act, found, back, has_grown=has_grown, view=view, tab="outbound")

    async def test(self, visit: Visit) -> web.StreamResponse:
        """A test request is sent; its answer is shown, here or on its own page."""
        try:
            exchange = await self.testing.send_to(visit.ws)
        except TooManyRequests as exc:
            minutes = -(-exc.retry_after_s // 60)
            return visit.done(
                BACK.format(ws=visit.ws), Notice("tests_used", bad=True, count=minutes)
            )
        if visit.is_partial:
            return visit.render("parts/answer.html", exchange=exchange, ws=visit.ws)
        number = self.activity.number_of(visit.ws, exchange.delivery_id)
        return visit.done(f"/console/w/{visit.ws}/requests/{number}")

    async def enable(self, visit: Visit) -> web.StreamResponse:
        discard = visit.form.get("held") == "discard"
        most = None
        if discard:
            if question := await self._ask_to_discard(visit):
                return question
            most = agreed_count(visit.form, "discarded")
        try:
            switched = await self.switching.switch_on(
                visit.ws, visit.caller, discard=discard, discard_most=most
            )
        except Changed:  # between the count and the commit
            if question := await self._ask_to_discard(visit, has_grown=True):
                return question
            raise
        notice = Notice(
            "enabled_discarded" if discard else "enabled",
            count=switched.discarded_deliveries if discard else switched.returned,
            more=switched.discarded_messages,
        )
        return visit.done(BACK.format(ws=visit.ws), notice)

    async def _ask_to_discard(
        self, visit: Visit, *, has_grown: bool = False
    ) -> web.Response | None:
        view = self.reads.workspace(visit.ws)
        found = await self.counting.of_discarding(visit.request, view)
        return self._unanswered(visit, "discard_held", found, view, has_grown=has_grown)

    async def rotate(self, visit: Visit) -> web.StreamResponse:
        keep = visit.form.get("keep", KEEPS[0])
        keep_ms = parse_keep(keep)
        found = (Consequence("resigned", text=keep),)
        view = self.reads.workspace(visit.ws)
        if question := self._unanswered(visit, "rotate", found, view):
            return question
        rotated = await self.secrets.renew(visit.ws, keep_ms, visit.caller)
        return visit.done(BACK.format(ws=visit.ws), Notice("secret", text=rotated.secret))

    def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        *,
        form: Form | None = None,
        faults: dict[str, Fault] | None = None,
        notice: Notice | None = None,
        status: int = 200,
    ) -> web.Response:
        if notice:
            visit.signed_in.notices.append(notice)
        words = self._words(view)
        return visit.page(
            "outbound.html",
            status=status,
            form={**shown_form(view), "enabled": "", **form} if form else shown_form(view),
            faults=faults or {},
            granularities=GRANULARITIES,
            languages=LANGUAGES.values(),
            zones=time_zones.offered(),
            keeps=KEEPS,
            cursor=self.activity.cursor(),
            actions=self.activity.actions(view),
            was="",
            tab="outbound",
            **words,
        )

    def _words(self, view: WorkspaceView) -> dict[str, Any]:
        return {
            "workspace": workspace_out(view),
            "view": view,
            "errors_max": self.errors_max,
            "own_faults_max": OWN_FAULTS_MAX,
            "sends_mail": self.sends_mail(),
        }


def shown_form(view: WorkspaceView) -> dict[str, str]:
    """The settings as the form shows them."""
    workspace = workspace_out(view)
    hook = webhook_out(view.named(OUTBOUND))
    return {
        "name": workspace.name,
        "owner_email": workspace.owner_email,
        "language": workspace.language,
        "time_zone": workspace.time_zone,
        "url": hook.url,
        "aggregation": hook.aggregation,
        "success": hook.success,
        "version": str(view.settings.settings_version),
        "was_enabled": "on" if hook.enabled else "",
        "enabled": "on" if hook.enabled else "",
    }


def wanted_of(form: Form) -> WorkspaceIn:
    """The settings as the API takes them. Raises: InvalidInput.

    The switch counts only if it was moved: a form that was open while the webhook was disabled
    must not enable it again by the way.
    """
    enabled = form.get("enabled", "") == "on"
    moved = enabled != (form.get("was_enabled", "") == "on")
    success: Literal["200", "2xx"] | UnsetType = UNSET
    match form.get("success"):
        case "200":
            success = "200"
        case "2xx":
            success = "2xx"
    language: Language | UnsetType = UNSET
    match form.get("language"):
        case "en":
            language = "en"
        case "ar":
            language = "ar"
    wanted = WorkspaceIn(
        name=form.get("name", "").strip(),
        # Only the operator's form has it.
        owner_email=form["owner_email"].strip() if "owner_email" in form else UNSET,
        language=language,
        time_zone=form["time_zone"].strip() if "time_zone" in form else UNSET,
        webhook=WebhookIn(
            url=form.get("url", "").strip(),
            aggregation=form.get("aggregation") or UNSET,
            enabled=enabled if moved else UNSET,
            success=success,
        ),
    )
    return _checked(wanted)


def faults_of(error: InvalidInput) -> dict[str, Fault]:
    """What is wrong, by the field of the form."""
    return {FIELDS.get(fault.path, fault.path): fault for fault in error.faults}


def _checked(wanted: WorkspaceIn) -> WorkspaceIn:
    """As it would come in as JSON: lengths are checked by the type. Raises: InvalidInput."""
    return parsing.parse_as(msgspec.json.encode(wanted), WorkspaceIn)


def _version_seen(form: Form, view: WorkspaceView) -> int | None:
    """The version that the form was filled in on; None if it does not say.

    It is the present one if the webhook was but switched since: a form may be open for an hour, and
    the switch counts only if it was moved.
    """
    seen = number_of(form.get("version", ""), VERSION_MAX)
    if seen is None or seen != view.settings.settings_version:
        return seen
    return view.settings.version

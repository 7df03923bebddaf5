"""What was delivered, or given up as a dead letter, sent once more: one, or many by a filter.

Both are asked first, with the count. A replay is a job: its page says how far it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput
from hookbundle.engine.messages import parsing
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.decoding import decoded
from hookbundle.server.console.questions import Consequence, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.times import rfc_3339_of, zone_of
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.deliveries import Deliveries
from hookbundle.server.http.resources.replays import Replays
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.deliveries import DeliveryOut
from hookbundle.server.http.schemas.replays import ReplayIn, ReplayOut, ReplaysOut, wanted_of
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView

REPLAY = "/console/w/{ws}/replay"
STATES = {
    "dead_letter": ("dead_letter",),
    "delivered": ("delivered",),
    "both": ("dead_letter", "delivered"),
}
EMPTY = {
    "webhook": "",
    "since": "",
    "until": "",
    "states": "dead_letter",
    "chat": "",
    "http_status": "",
}
UNDER_WAY = ("queuing", "sending", "cancelling")


@dataclass(frozen=True, slots=True)
class ReplaysPage:
    """`news`: where a page hears of what changes."""

    access: AccessCheck
    reads: Reads
    deliveries: Deliveries
    replays: Replays
    news: Callable[[Visit], str]

    def routes(self) -> list[Route]:
        page, of_all = self.access.page, "/w/{ws}/replay"
        one, delivery = f"{of_all}/{{job}}", "/w/{ws}/deliveries/{id}"
        return [
            page("GET", of_all, self.ask),
            page("POST", of_all, self.start),
            page("GET", one, self.show),
            page("POST", f"{one}/cancel", self.cancel, back=f"/console{one}"),
            page("POST", f"{delivery}/resend", self.resend, back=f"/console{delivery}"),
        ]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Which ones, and what became of the last replays."""
        view, query = self.reads.workspace(visit.ws), visit.request.query
        asked = {name: query.get(name, "") for name in ("chat", "webhook")}
        return await self._form(visit, view, {**EMPTY, **asked})

    async def start(self, visit: Visit) -> web.StreamResponse:
        """Counted first; begun when somebody agreed to that count."""
        view, form = self.reads.workspace(visit.ws), {**EMPTY, **visit.form}
        try:
            wanted = _wanted_of(form, view, self.replays.clock.now_ms())
            webhook_id = form["webhook"].strip() or view.first.webhook.id
            count = await self.replays.counted(visit.request, visit.ws, wanted, webhook_id)
            if not count.found:
                return await self._form(visit, view, form, none_found=True)
            found = [Consequence("replayed", count.found, more=count.messages)]
            back = REPLAY.format(ws=quote(visit.ws))
            if question := unanswered(visit, "replay", found, back, view=view, tab="deliveries"):
                return question
            job = await self.replays.begin(visit.ws, wanted, count, visit.caller)
        except InvalidInput as exc:
            faults = {fault.path.partition("[")[0]: fault for fault in exc.faults}
            return await self._form(visit, view, form, faults, status=422)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return await self._form(visit, view, form, status=exc.status)
        return visit.done(f"{back}/{job}", Notice("replay", count=count.found))

    async def show(self, visit: Visit) -> web.StreamResponse:
        """How far a replay is."""
        news, view = self.news(visit), self.reads.workspace(visit.ws)
        found = decoded(await self.replays.show(visit.request), ReplayOut)
        words: dict[str, Any] = {
            "replay": found,
            "is_under_way": found.state in UNDER_WAY,
            "news": news if found.state in UNDER_WAY else "",
            "view": view,
        }
        return visit.page("replay.html", tab="deliveries", **words)

    async def cancel(self, visit: Visit) -> web.StreamResponse:
        cancelled = decoded(await self.replays.cancel(visit.request), ReplayOut)
        path = f"{REPLAY.format(ws=quote(visit.ws))}/{cancelled.job}"
        return visit.done(path, Notice("replay_cancelled", count=cancelled.waiting))

    async def resend(self, visit: Visit) -> web.StreamResponse:
        """One delivery, with the same id and bytes, if somebody agreed."""
        view = self.reads.workspace(visit.ws)
        shown = decoded(await self.deliveries.show(visit.request), DeliveryOut)
        back = f"/console/w/{quote(visit.ws)}/deliveries/{quote(shown.id)}"
        found = [Consequence("resent", shown.messages)]
        if question := unanswered(visit, "resend", found, back, view=view, tab="deliveries"):
            return question
        await self.replays.send_again(visit.ws, shown.id, visit.caller)
        return visit.done(back, Notice("resent"))

    async def _form(
        self,
        visit: Visit,
        view: WorkspaceView,
        form: Form,
        faults: dict[str, Fault] | None = None,
        *,
        none_found: bool = False,
        status: int = 200,
    ) -> web.Response:
        before = decoded(await self.replays.index(visit.request), ReplaysOut)
        return visit.page(
            "replays.html",
            status=status,
            tab="deliveries",
            form=form,
            faults=faults or {},
            states=STATES,
            replays=before.replays,
            none_found=none_found,
            view=view,
        )


def _wanted_of(form: Form, view: WorkspaceView, now_ms: int) -> ReplayFilter:
    """As the API takes it. Raises: InvalidInput."""
    zone = zone_of(view)
    asked = ReplayIn(
        since=rfc_3339_of(form["since"].strip(), zone) or None,
        until=rfc_3339_of(form["until"].strip(), zone) or None,
        states=STATES.get(form["states"], (form["states"],)),
        chat=form["chat"].strip() or None,
        http_status=form["http_status"].strip() or None,
    )
    checked = parsing.parse_as(msgspec.json.encode(asked), ReplayIn)
    return wanted_of(checked, now_ms)

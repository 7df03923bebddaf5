"""The list of workspaces, searched; and the page that makes a new one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from hookbundle.engine import time_zones
from hookbundle.engine.errors import Conflict, Fault, HookbundleError, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.windows.parsing import NONE
from hookbundle.server.console.pages.webhook import GRANULARITIES
from hookbundle.server.console.pages.webhook_forms import faults_of, webhook_of, workspace_of
from hookbundle.server.console.pages.window_rules import fields
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.webhook import (
    CountsOut,
    aggregation_text,
    brief_out,
    counts_of,
)
from hookbundle.storage.reads.listing import Page
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WebhookView, WorkspaceView

PAGE_MAX = 50
LOOKED_AT_MAX = 50_000
STATES = (
    "enabled",
    "backing_off",
    "over_budget",
    "merging",
    "disabled",
    "held",
    "full",
    "unconfigured",
)
EMPTY = {
    "id": "",
    "name": "",
    "owner_email": "",
    "url": "",
    "success": "200",
    **fields.shown(NONE),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search of the list. `state`: one of STATES, or empty; `after`: where the page begins."""

    words: str
    state: str
    after: str


Found = tuple[list[WorkspaceView], str]
"""A page of those that match, and where the next one begins; empty at the end."""
Search = Callable[[web.Request, Wanted], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class WorkspacesPage:
    access: AccessCheck
    reads: Reads
    workspaces: Workspaces
    search: Search

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", "/workspaces", self.index),
            page("GET", "/workspaces/new", self.ask, "operator"),
            page("POST", "/workspaces/new", self.make, "operator"),
        ]

    async def index(self, visit: Visit) -> web.StreamResponse:
        """Those whose id, name or owner contains the words, in the order of their ids."""
        query = visit.request.query
        words, state = query.get("q", "").strip()[:100], query.get("state", "")
        mine = visit.signed_in.caller.workspace_id
        if mine:
            found, after = [_Row.of(self.reads.workspace(mine))], ""
        else:
            wanted = Wanted(words, state if state in STATES else "", query.get("after", ""))
            views, after = await self.search(visit.request, wanted)
            found = [_Row.of(view) for view in views]
        template = "parts/workspaces.html" if visit.is_partial else "workspaces.html"
        shown: dict[str, Any] = {
            "found": found,
            "after": after,
            "q": words,
            "state": state,
            "states": STATES,
        }
        return await visit.list_page(template, section="workspaces", **shown)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return self._form(visit, EMPTY, {})

    async def make(self, visit: Visit) -> web.StreamResponse:
        form = {**EMPTY, **fields.UNTICKED, **visit.form}
        workspace_id = form["id"].strip()
        try:
            hook = webhook_of({**form, "enabled": "on", "was_enabled": "on"})
            wanted = workspace_of(form, hook)
            made = await self.workspaces.make(workspace_id, wanted, visit.signed_in.caller)
        except InvalidInput as exc:
            return self._form(visit, form, faults_of(exc, form), 422)
        except Conflict:
            return self._form(visit, form, {"id": fault("id", FaultCode.TAKEN)}, 422)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return self._form(visit, form, {}, exc.status)
        return visit.done(
            f"/console/w/{workspace_id}/outbound", Notice("created", text=made.secret)
        )

    def _form(
        self, visit: Visit, form: dict[str, str], faults: dict[str, Fault], status: int = 200
    ) -> web.Response:
        return visit.page(
            "new.html",
            status=status,
            section="workspaces",
            form=form,
            faults=faults,
            granularities=GRANULARITIES,
            zones=time_zones.offered(),
        )


def searching(
    read_page: Callable[[int, bytes], Page[WorkspaceView]], most: int = PAGE_MAX
) -> Search:
    """The search of one database, of up to `most` a page."""

    async def search(request: web.Request, wanted: Wanted) -> Found:
        search = _Search(
            read_page, wanted.words.casefold(), wanted.state, wanted.after.encode(), most
        )
        await request.app[LISTS].whole(request, search.read_on)
        return search.found, search.after.decode()

    return search


@dataclass(slots=True)
class _Search:
    """A page of the workspaces that match. `after`: where the next one begins; empty at the end."""

    read: Callable[[int, bytes], Page[WorkspaceView]]
    wanted: str
    state: str
    after: bytes
    most: int
    found: list[WorkspaceView] = field(default_factory=list)
    looked_at: int = 0

    def read_on(self) -> bool:
        """Looks at a slice of the workspaces. True if the page needs more."""
        page = self.read(LOOKED_AT_MAX, self.after)
        for view in page.found:
            self.after = view.settings.id.encode()
            if _Row.of(view).matches(self.wanted, self.state):
                self.found.append(view)
                if len(self.found) == self.most:
                    return False
        self.looked_at += page.seen
        if page.position is None:
            self.after = b""
            return False
        return self.looked_at < LOOKED_AT_MAX


@dataclass(slots=True)
class _Group:
    """Webhooks of a workspace that are in the same state, and as full. `held`: what they hold."""

    state: str
    full: bool
    hooks: list[WebhookView] = field(default_factory=list)

    @property
    def held(self) -> int:
        """Messages that wait until somebody enables them."""
        return counts_of(each for each in self.hooks if not each.state.enabled).held_messages


@dataclass(frozen=True, slots=True)
class _Row:
    """A workspace as the list shows it."""

    view: WorkspaceView
    groups: list[_Group]
    aggregations: list[str]
    counts: CountsOut

    @classmethod
    def of(cls, view: WorkspaceView) -> "_Row":
        by_state: dict[tuple[str, bool], _Group] = {}
        for each in view.webhooks:
            told = brief_out(each)
            found = by_state.setdefault((told.state, told.full), _Group(told.state, told.full))
            found.hooks.append(each)
        texts = dict.fromkeys(aggregation_text(it.webhook) for it in view.webhooks)
        return cls(view, list(by_state.values()), list(texts), counts_of(view.webhooks))

    def matches(self, wanted: str, state: str) -> bool:
        if state == "held":
            if not any(each.held for each in self.groups):
                return False
        elif state == "full":
            if not any(each.full for each in self.groups):
                return False
        elif state and not any(each.state == state for each in self.groups):
            return False
        settings = self.view.settings
        texts = (settings.id, settings.name, settings.owner_email)
        return not wanted or any(wanted in text.casefold() for text in texts)

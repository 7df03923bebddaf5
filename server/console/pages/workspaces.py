"""The list of workspaces, searched; and the page that makes a new one."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput, NotFound
from hookbundle.server.console.pages.outbound import GRANULARITIES, faults_of, wanted_of
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.workspaces import WorkspaceOut, workspace_out
from hookbundle.storage.reads.lookup import Reads

PAGE_MAX = 50
READ_AT_ONCE = 500
LOOKED_AT_MAX = 50_000
STATES = ("enabled", "backing_off", "disabled", "held", "unconfigured")
EMPTY = {
    "id": "",
    "name": "",
    "owner_email": "",
    "url": "",
    "aggregation": "none",
    "success": "200",
}


@dataclass(frozen=True, slots=True)
class WorkspacesPage:
    access: AccessCheck
    reads: Reads
    workspaces: Workspaces

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
            found, after = [workspace_out(self.reads.workspace(mine))], ""
        else:
            found, after = await asyncio.to_thread(
                self.search, words, state if state in STATES else "", query.get("after", "")
            )
        template = "parts/workspaces.html" if visit.is_partial else "workspaces.html"
        shown: dict[str, Any] = {
            "found": found,
            "after": after,
            "q": words,
            "state": state,
            "states": STATES,
        }
        return visit.page(template, section="workspaces", **shown)

    def search(self, words: str, state: str, after: str) -> tuple[list[WorkspaceOut], str]:
        """A page of what matches, and the id after which the next one begins, or nothing."""
        wanted = words.casefold()
        found: list[WorkspaceOut] = []
        looked_at = 0
        while looked_at < LOOKED_AT_MAX:
            page = self.reads.workspaces(READ_AT_ONCE, after)
            for view in page.found:
                after = view.settings.id
                workspace = workspace_out(view)
                if _matches(workspace, wanted, state):
                    found.append(workspace)
                    if len(found) == PAGE_MAX:
                        return found, after
            if not page.after:
                return found, ""
            looked_at += len(page.found)
        return found, after

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return self._form(visit, EMPTY, {})

    async def make(self, visit: Visit) -> web.StreamResponse:
        form = {**EMPTY, **visit.form}
        workspace_id = form["id"].strip()
        try:
            self._must_be_free(workspace_id)
            wanted = wanted_of({**form, "enabled": "on", "was_enabled": "on"})
            made = await self.workspaces.change(
                workspace_id, wanted, visit.signed_in.caller, None, whole=True
            )
        except InvalidInput as exc:
            return self._form(visit, form, faults_of(exc), 422)
        except HookbundleError as exc:
            visit.signed_in.notices.append(Notice("refused", bad=True, text=str(exc)))
            return self._form(visit, form, {}, 409)
        return visit.done(
            f"/console/w/{workspace_id}/outbound", Notice("created", text=made.secret)
        )

    def _must_be_free(self, workspace_id: str) -> None:
        """Raises: InvalidInput if there is such a workspace: a new one must not replace it."""
        try:
            self.reads.workspace(workspace_id)
        except NotFound:
            return
        raise InvalidInput((Fault("id", "is taken"),))

    def _form(
        self, visit: Visit, form: dict[str, str], faults: dict[str, str], status: int = 200
    ) -> web.Response:
        return visit.page(
            "new.html",
            status=status,
            section="workspaces",
            form=form,
            faults=faults,
            granularities=GRANULARITIES,
        )


def _matches(workspace: WorkspaceOut, wanted: str, state: str) -> bool:
    if state == "held":
        held = not workspace.webhook.enabled and workspace.counts.held_messages
        if not held:
            return False
    elif state and workspace.webhook.state != state:
        return False
    texts = (workspace.id, workspace.name, workspace.owner_email)
    return not wanted or any(wanted in text.casefold() for text in texts)

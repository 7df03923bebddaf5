"""The page on which the operator deletes a workspace: what goes with it, and its id to be typed."""

from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.deletions import Erasing
from hookbundle.server.http.routes import Route
from hookbundle.storage.reads.lookup import Reads


@dataclass(frozen=True, slots=True)
class DeletingPage:
    access: AccessCheck
    reads: Reads
    erasing: Erasing

    def routes(self) -> list[Route]:
        page, path = self.access.page, "/w/{ws}/delete"
        return [
            page("GET", path, self.ask, "operator"),
            page("POST", path, self.delete, "operator", back=f"/console{path}"),
        ]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return self._page(visit)

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Deleted, if the id was typed and the settings are those of the page that asked."""
        typed = visit.form.get("id", "").strip()
        if typed != visit.ws:
            return self._page(visit, fault="other_id", status=422)
        version = number_of(visit.form.get("version", ""), VERSION_MAX)
        deleted = await self.erasing.delete(visit.ws, at_version(version), visit.caller)
        notice = Notice("deleted", text=visit.ws, count=deleted.messages)
        return visit.done("/console/workspaces", notice)

    def _page(self, visit: Visit, fault: str = "", status: int = 200) -> web.Response:
        view = self.reads.workspace(visit.ws)
        return visit.page("delete.html", status=status, view=view, tab="", fault=fault)

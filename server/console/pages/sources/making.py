"""A new source: its kind is chosen, then its settings are filled in."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, InvalidInput, NotFound
from hookbundle.engine.messages import parsing
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.server.console.pages.sources import fields, forms, steps, trying
from hookbundle.server.console.pages.sources.trying import SourceTrying, Tried
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.sources.owning import Sources
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.sources.sources import NewSourceIn
from hookbundle.storage.reads.lookup import Reads

TAB = "sources"


@dataclass(frozen=True, slots=True)
class NewSourcePage:
    access: AccessCheck
    reads: Reads
    sources: Sources
    trying: SourceTrying

    def routes(self) -> list[Route]:
        page, at = self.access.page, "/w/{ws}/sources/new"
        return [page("GET", at, self.ask), page("POST", at, self.make)]

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """The kinds to choose from; or the form of the one that was chosen."""
        kind = visit.request.query.get("kind", "")
        if not kind:
            kinds = [(each, steps.KINDS[name]) for name, each in KINDS.items()]
            view = self.reads.workspace(visit.ws)
            return visit.page("sources/kinds.html", kinds=kinds, view=view, tab=TAB)
        return self._form(visit, _known(kind))

    async def make(self, visit: Visit) -> web.StreamResponse:
        kind = _known(visit.form.get("kind", ""))
        try:
            if trying.is_asked(visit.form):
                return self._form(visit, kind, tried=await self.trying.tried(visit, kind, None))
            settings = forms.parsed(kind, visit.form, None)
            said = {"kind": kind, "name": visit.form.get("name", ""), "settings": settings}
            wanted = parsing.parse_as(msgspec.json.encode(said), NewSourceIn)
            made = await self.sources.make(visit.ws, wanted, visit.caller)
        except InvalidInput as exc:
            return self._form(visit, kind, status=422, faults=forms.faults_of(exc, kind))
        except HookbundleError as exc:
            visit.say_refused(exc)
            return self._form(visit, kind, status=exc.status)
        url = self.sources.url_of(visit.request, made.token)
        return visit.done(path_of(visit.ws, made.source.id), Notice("source_created", text=url))

    def _form(
        self,
        visit: Visit,
        kind: str,
        *,
        status: int = 200,
        faults: dict[str, Any] | None = None,
        tried: Tried | None = None,
    ) -> web.Response:
        return visit.page(
            "sources/new.html",
            status=status,
            kind=KINDS[kind],
            about=steps.KINDS[kind],
            inputs=fields.inputs_of(kind),
            form={**forms.shown(kind), **forms.typed(kind, visit.form)},
            faults=faults or {},
            tried=tried,
            view=self.reads.workspace(visit.ws),
            tab=TAB,
        )


def _known(kind: str) -> str:
    """Raises: NotFound."""
    if kind not in KINDS:
        raise NotFound.of(Code.NO_PAGE)
    return kind


def path_of(workspace_id: str, source_id: str = "") -> str:
    """The address of the source's page; without one of that of all."""
    all_of = f"/console/w/{quote(workspace_id, safe='')}/sources"
    return f"{all_of}/{quote(source_id, safe='')}" if source_id else all_of

"""The sources of a workspace, and the page of each: what came of it, and its last requests.

What other systems post is looked at here by people, and all of it is hostile: it is shown as text
alone, escaped and isolated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput, NotFound
from hookbundle.engine.messages import parsing
from hookbundle.engine.preconditions import at_version
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.server.console.forms import KEEPS
from hookbundle.server.console.pages.sources import fields, forms, numbers, outcomes, steps, trying
from hookbundle.server.console.pages.sources.making import TAB, path_of
from hookbundle.server.console.pages.sources.trying import SourceTrying, Tried
from hookbundle.server.console.questions import Consequence, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.parameters.times import parse_keep
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.sources.owning import Sources
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.sources.sources import SourceIn, request_out, source_out
from hookbundle.storage.database.sources.records import KeptRequest
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.source_view import RequestView, SourceView

UNKNOWN_MAX = 3  # requests that are shown with their bodies on the page of the source
UNKNOWN_CHARS_MAX = 4_096
# For so long after a request the page asks again by itself, as receipts and the like are no news.
AWAKE_MS = 600_000
ONE = "/w/{ws}/sources/{source}"
BACK = f"/console{ONE}"


@dataclass(frozen=True, slots=True)
class SourcePage:
    """`news`: where a list hears of news from now on."""

    access: AccessCheck
    reads: Reads
    sources: Sources
    news: Callable[[Visit], str]
    trying: SourceTrying

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", "/w/{ws}/sources", self.index),
            page("GET", ONE, self.show),
            page("GET", f"{ONE}/settings", self.ask),
            page("POST", f"{ONE}/settings", self.save),
            page("GET", f"{ONE}/requests/{{number}}", self.request),
            page("POST", f"{ONE}/rotate-token", self.rotate, back=BACK),
            page("POST", f"{ONE}/keep-apart", self.keep_apart, back=BACK),
            page("POST", f"{ONE}/delete", self.delete, back=BACK),
        ]

    async def index(self, visit: Visit) -> web.StreamResponse:
        news = self.news(visit)
        await self._written(visit)
        rows = [
            (source_out(each), KINDS[each.source.kind].title, outcomes.grouped(each.notes.counts))
            for each in self.sources.reads.all_of(visit.ws)
        ]
        view = self.reads.workspace(visit.ws)
        most = limits.SOURCES_MAX
        return visit.page(
            "sources/sources.html", rows=rows, most=most, view=view, news=news, tab=TAB
        )

    async def show(self, visit: Visit) -> web.StreamResponse:
        news = self.news(visit)
        await self._written(visit)
        it = self._named(visit)
        read = partial(self._read, visit.ws, it, is_whole=not visit.is_partial)
        heads, unknown, seen = await visit.request.app[LISTS].in_thread(visit.request, read)
        since_ms = self.sources.clock.now_ms() - it.notes.seen_ms
        return await visit.list_page(
            "sources/source.html",
            news=news,
            asks_again=not it.notes.seen_ms or since_ms < AWAKE_MS,
            came=outcomes.grouped(it.notes.counts),
            requests=[(*each, outcomes.grouped(each[1].outcomes)) for each in heads.items()],
            unknown=unknown,
            body_most=UNKNOWN_CHARS_MAX,
            seen=seen,
            keeps=KEEPS,
            **self._words(visit, it),
        )

    async def request(self, visit: Visit) -> web.StreamResponse:
        """A request in full."""
        number = number_of(visit.request.match_info["number"], VERSION_MAX)
        await self._written(visit)
        it = self._named(visit)
        found = None if number is None else self._kept(visit.ws, it, number)
        if found is None:
            raise NotFound.of(Code.NO_PAGE)
        kept = request_out(found)
        faults = msgspec.convert(found.request.faults, list[Fault], from_attributes=True)
        return await visit.large_page(
            "sources/request.html",
            kept=kept,
            faults=faults,
            came=outcomes.grouped(kept.outcomes),
            is_cut=kept.size > limits.SOURCE_REQUEST_BYTES_MAX,
            **self._words(visit, it),
        )

    async def ask(self, visit: Visit) -> web.StreamResponse:
        return self._form(visit, self._named(visit))

    async def save(self, visit: Visit) -> web.StreamResponse:
        it, form = self._named(visit), visit.form
        kind, present = it.source.kind, source_settings.stored(it.source.settings)
        try:
            if trying.is_asked(form):
                return self._form(visit, it, tried=await self.trying.tried(visit, kind, present))
            said = {"settings": forms.parsed(kind, form, present)}
            wanted = {"name": form["name"], **said} if "name" in form else said
            change = parsing.parse_as(msgspec.json.encode(wanted), SourceIn)
            await self._change(visit, change)
        except InvalidInput as exc:
            return self._form(visit, it, faults=forms.faults_of(exc, kind), status=422)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return self._form(visit, it, status=exc.status)
        return visit.done(path_of(visit.ws, it.source.id), Notice("saved"))

    async def keep_apart(self, visit: Visit) -> web.StreamResponse:
        """Ids of chats say which of the owner's numbers they are of, once that is agreed to."""
        if question := self._unanswered(visit, "keep_apart", Consequence("apart")):
            return question
        await self._change(visit, SourceIn(settings={"chat_id": forms.APART}))
        return visit.done(path_of(visit.ws, _source_id(visit)), Notice("saved"))

    async def rotate(self, visit: Visit) -> web.StreamResponse:
        keep = visit.form.get("keep", KEEPS[0])
        keep_ms = parse_keep(keep)
        if question := self._unanswered(visit, "rotate_source", Consequence("moved_to", text=keep)):
            return question
        made = await self.sources.renew(visit.ws, _source_id(visit), keep_ms, visit.caller)
        url = self.sources.url_of(visit.request, made.token)
        return visit.done(path_of(visit.ws, made.source.id), Notice("source_moved", text=url))

    async def delete(self, visit: Visit) -> web.StreamResponse:
        source_id = _source_id(visit)
        if question := self._unanswered(
            visit, "delete_source", Consequence("source_erased", text=source_id)
        ):
            return question
        await self.sources.drop(visit.ws, source_id, visit.caller)
        return visit.done(path_of(visit.ws), Notice("source_deleted", text=source_id))

    async def _written(self, visit: Visit) -> None:
        """What came until now is on disk, where it is read."""
        await self.sources.write(visit.ws)

    def _read(
        self, ws: str, it: SourceView, *, is_whole: bool
    ) -> tuple[dict[int, KeptRequest], list[RequestView], list[str]]:
        """What is kept of requests: all of them without bodies, those that are not known, and the
        numbers they are of; these only for a whole page. Raises: NotFound.
        """
        reads, source_id = self.sources.reads, it.source.id
        heads = reads.heads(ws, source_id)
        unknown = [number for number, head in heads.items() if outcomes.is_unknown(head.outcomes)]
        bodies = (self._kept(ws, it, number) for number in unknown[:UNKNOWN_MAX])
        seen = list[str]()
        if is_whole and numbers.may_mix(it.source):
            requests = reads.requests(ws, source_id, limits.SOURCE_REQUESTS_MAX)
            seen = numbers.seen(it, requests, reads.all_of(ws))
        return heads, [each for each in bodies if each], seen

    def _kept(self, ws: str, it: SourceView, number: int) -> RequestView | None:
        """The request with its body; None if it is not kept. Raises: NotFound for the source."""
        # Those before the next one, of which it is the newest if it is there.
        found = self.sources.reads.requests(ws, it.source.id, 1, number + 1)
        return found[0] if found and found[0].number == number else None

    def _named(self, visit: Visit) -> SourceView:
        """Raises: NotFound."""
        return self.sources.reads.named(visit.ws, _source_id(visit))

    async def _change(self, visit: Visit, wanted: SourceIn) -> None:
        """Raises: Changed if it is not at the version that the form was filled in on."""
        seen = number_of(visit.form.get("version", ""), VERSION_MAX)
        await self.sources.change(
            visit.ws, _source_id(visit), wanted, visit.caller, at_version(seen)
        )

    def _unanswered(self, visit: Visit, act: str, found: Consequence) -> web.Response | None:
        """The question whether to do it. Raises: NotFound if there is no such source."""
        it = self._named(visit)
        view, back = self.reads.workspace(visit.ws), path_of(visit.ws, it.source.id)
        return unanswered(visit, act, (found,), back, view=view, tab=TAB)

    def _form(
        self,
        visit: Visit,
        it: SourceView,
        *,
        faults: dict[str, Fault] | None = None,
        status: int = 200,
        tried: Tried | None = None,
    ) -> web.Response:
        source = it.source
        settings = source_settings.stored(source.settings)
        now = forms.shown(source.kind, source.name, settings)
        typed = {**now, "version": str(source.version)}
        if visit.form:
            typed |= forms.typed(source.kind, visit.form)
        return visit.page(
            "sources/settings.html",
            status=status,
            inputs=fields.inputs_of(source.kind),
            form=typed,
            faults=faults or {},
            tried=tried,
            **self._words(visit, it),
        )

    def _words(self, visit: Visit, it: SourceView) -> dict[str, Any]:
        return {
            "source": source_out(it),
            "kind": KINDS[it.source.kind],
            "about": steps.KINDS[it.source.kind],
            "at": path_of(visit.ws, it.source.id),
            "view": self.reads.workspace(visit.ws),
            "tab": TAB,
        }


def _source_id(visit: Visit) -> str:
    return visit.request.match_info["source"]

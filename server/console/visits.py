"""A page request: who asks, for which workspace, and the check that every page goes through.

`AccessCheck.page` checks session and workspace, and for a change also origin and form token, in
this order; only then is the page's own function called. The connection guard has judged the Host
header before. An error is answered as a page too, with the headers that every answer has.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import structlog
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, NotAllowed, NotFound
from hookbundle.server.console import catalogues, security
from hookbundle.server.console.catalogues import Language
from hookbundle.server.console.forms import Form, read_form
from hookbundle.server.console.rendering import Renderer
from hookbundle.server.console.security import Origins
from hookbundle.server.console.sessions import Notice, Session, SignedIn
from hookbundle.server.console.wording import ShownError
from hookbundle.server.http import problems
from hookbundle.server.http.authentication import let_in
from hookbundle.server.http.large_answers import LARGE_ANSWERS, is_large
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.requests import cookie_of, header_of, hint_of
from hookbundle.server.http.routes import Route
from hookbundle.storage.database.settings import OUTBOUND

# Who may see a page: anybody; who has a session; only the operator. Of a file it is not looked.
Who = Literal["not asked", "anybody", "owner", "operator"]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Visit:
    """What a page's function gets. `form` is what was posted, checked already."""

    request: web.Request
    renderer: Renderer
    origins: Origins
    language: Language
    session: Session | None
    visitor: str
    form: Form = field(default_factory=dict)

    @property
    def ws(self) -> str:
        return self.request.match_info["ws"]

    @property
    def wh(self) -> str:
        """The id of the webhook that the page is about."""
        return self.request.match_info.get("wh", OUTBOUND)

    @property
    def caller(self) -> str:
        return self.signed_in.caller.name

    @property
    def signed_in(self) -> Session:
        """Raises: NotAllowed; pages for anybody must not ask."""
        if self.session is None:
            raise NotAllowed.of(Code.SIGNED_OUT)
        return self.session

    def say_refused(self, error: HookbundleError) -> None:
        """The page that is shown next says why a change was refused. Raises: NotAllowed."""
        told = ShownError.of(error)
        self.signed_in.notices.append(Notice("refused", bad=True, told=told))

    @property
    def is_partial(self) -> bool:
        """Whether a page that is already shown asks for a part of itself."""
        return header_of(self.request, "HX-Request") == "true"

    def page(self, template: str, status: int = 200, **words: Any) -> web.Response:
        """The template filled in; notices that waited for a page are on it."""
        return self.render(template, status, notices=self._notices(), **words)

    async def large_page(self, template: str, **words: Any) -> web.Response:
        """The same with a megabyte in it: the loop goes on while it is filled in."""
        return await asyncio.to_thread(self.render, template, notices=self._notices(), **words)

    async def list_page(self, template: str, **words: Any) -> web.Response:
        """The same with a list in it: one such page of its owner is filled in at a time."""
        lists = self.request.app[LISTS]
        return await lists.rendered(self.request, lambda: self.page(template, **words))

    def _notices(self) -> list[Notice]:
        return self.session.take_notices() if self.session and not self.is_partial else []

    def render(self, template: str, status: int = 200, **words: Any) -> web.Response:
        text = self.renderer.render(
            template,
            self.language,
            session=self.session,
            form_token=self.session.form if self.session else self.visitor,
            here=self.request.path_qs,
            **words,
        )
        return web.Response(status=status, text=text, content_type="text/html")

    def done(self, path: str, notice: Notice | None = None) -> web.Response:
        """A change was made: the browser goes on to a page, which says so."""
        if notice and self.session:
            self.session.notices.append(notice)
        if self.is_partial:
            return web.Response(status=204, headers={"HX-Redirect": path})
        return web.Response(status=303, headers={"Location": path})


Page = Callable[[Visit], Awaitable[web.StreamResponse]]


class AccessCheck:
    """Where every visitor is looked at first."""

    def __init__(self, sessions: SignedIn, renderer: Renderer, origins: Origins) -> None:
        self.sessions = sessions
        self._renderer = renderer
        self._origins = origins

    def page(self, method: str, path: str, page: Page, who: Who = "owner", back: str = "") -> Route:
        """The route of a page of the console; `path` is below `/console`.

        A change that is refused leads `back` to the page it was asked for on, which says why.
        """

        async def handler(request: web.Request) -> web.StreamResponse:
            visit = self._visit(request)
            try:
                visit.session = await self._session(request, who)
                response = await self._admit(visit, page, who)
                if is_large(response):
                    finish(response)
                    response = await request.app[LARGE_ANSWERS].whole(request, response)
            except HookbundleError as exc:
                response = self._refused(visit, exc, back)
            except web.HTTPException as exc:
                response = self._wrong(visit, ShownError.of(problems.of_aiohttp(exc)))
            except (ConnectionError, TimeoutError):
                raise
            except Exception as exc:
                request_id = problems.new_request_id()
                log.error("page failed", path=request.path, request_id=request_id, exc_info=exc)
                error = HookbundleError.of(Code.INTERNAL_ERROR)
                response = self._wrong(visit, ShownError.of(error, request_id))
            if not response.prepared:
                finish(response)
            if not visit.session and not cookie_of(request, security.VISITOR):
                self._set(response, security.VISITOR, visit.visitor)
            return response

        return Route(method=method, path=f"/console{path}", handler=handler, summary="", open=True)

    def _visit(self, request: web.Request) -> Visit:
        chosen = cookie_of(request, security.LANGUAGE)
        return Visit(
            request=request,
            renderer=self._renderer,
            origins=self._origins,
            language=catalogues.choose(chosen, hint_of(request, "Accept-Language")),
            session=None,
            visitor=cookie_of(request, security.VISITOR) or security.new_token(),
        )

    async def _session(self, request: web.Request, who: Who) -> Session | None:
        """Raises: HookbundleError if nobody can say now who is signed in, and it matters."""
        name = cookie_of(request, security.SESSION)
        if not name or who == "not asked":
            return None
        try:
            return await self.sessions.session(name)
        except HookbundleError:
            if who == "anybody" and request.method == "GET":
                return None
            raise

    async def _admit(self, visit: Visit, page: Page, who: Who) -> web.StreamResponse:
        if who in ("owner", "operator"):
            if visit.session is None:
                return self._to_sign_in(visit)
            _check_reach(visit, visit.session, who)
            let_in(visit.request, visit.session.caller)
        if visit.request.method == "POST":
            visit.form = await self._form(visit)
        return await page(visit)

    async def _form(self, visit: Visit) -> Form:
        """What a page of this console posted. Raises: NotAllowed, BadRequest."""
        request = visit.request
        if not self._origins.is_own(request):
            raise NotAllowed.of(Code.FOREIGN_PAGE)
        form = await read_form(request, is_known=visit.session is not None)
        wanted = visit.session.form if visit.session else cookie_of(request, security.VISITOR)
        if not wanted or not security.is_same(form.get(security.FORM_FIELD), wanted):
            raise NotAllowed.of(Code.FOREIGN_FORM)
        return form

    def _to_sign_in(self, visit: Visit) -> web.Response:
        path = "/console/sign-in"
        if visit.is_partial:
            return web.Response(status=401, headers={"HX-Redirect": path})
        if visit.request.method == "GET" and visit.request.path != security.PATH:
            path += f"?next={quote(visit.request.path_qs, safe='/')}"
        return web.Response(status=303, headers={"Location": path})

    def _refused(self, visit: Visit, error: HookbundleError, back: str) -> web.Response:
        if back and visit.session and visit.form:
            notice = Notice("refused", bad=True, told=ShownError.of(error))
            parts = {name: quote(text, safe="") for name, text in visit.request.match_info.items()}
            return visit.done(back.format(**parts), notice)
        return self._wrong(visit, ShownError.of(error), getattr(error, "retry_after_s", None))

    def _wrong(
        self, visit: Visit, told: ShownError, retry_after_s: int | None = None
    ) -> web.Response:
        response = visit.page("wrong.html", status=told.status, told=told)
        if retry_after_s is not None:
            response.headers["Retry-After"] = str(retry_after_s)
        return response

    def _set(self, response: web.StreamResponse, name: str, value: str) -> None:
        if not response.prepared:
            security.set_cookie(response, name, value, secure=self._origins.secure)


def finish(response: web.StreamResponse) -> None:
    """The answer bears what every answer of the console bears."""
    response.headers.update(security.HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    if response.content_type == "text/html":
        response.headers.setdefault("Vary", "Cookie, Accept-Language, HX-Request")


def _check_reach(visit: Visit, session: Session, who: Who) -> None:
    """Raises: NotFound for what is not this session's; it is not said whether it is there."""
    mine, wanted = session.caller.workspace_id, visit.request.match_info.get("ws")
    if mine and (who == "operator" or (wanted is not None and wanted != mine)):
        raise NotFound.of(Code.NO_PAGE)

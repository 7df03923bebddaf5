"""The way in and out: sign-in with a token, sign-out, language, the files of the pages."""

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.server.console import security
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.rendering import static_files
from hookbundle.server.console.sessions import SignedIn
from hookbundle.server.console.visits import AccessCheck, Visit, finish
from hookbundle.server.http.requests import cookie_of
from hookbundle.server.http.routes import Route

SIGN_IN = "/console/sign-in"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class SignInPage:
    access: AccessCheck
    sessions: SignedIn
    wrong_token: Callable[[str], None]

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            Route(method="GET", path="/", handler=_to_console, summary="", open=True),
            Route(method="GET", path="/console", handler=_to_console, summary="", open=True),
            page("GET", "/", self.start),
            page("GET", "/sign-in", self.ask, "anybody"),
            page("POST", "/sign-in", self.sign_in, "anybody"),
            page("POST", "/sign-out", self.sign_out, "anybody"),
            page("GET", "/language/{code}", self.speak, "anybody"),
            page("GET", "/static/{name}", self.file, "not asked"),
            page("GET", "/{rest:.+}", self.nothing, "anybody"),
        ]

    async def start(self, visit: Visit) -> web.StreamResponse:
        """The page that this visitor most likely came for."""
        mine = visit.signed_in.caller.workspace_id
        return visit.done(f"/console/w/{mine}/outbound" if mine else "/console/workspaces")

    async def ask(self, visit: Visit) -> web.StreamResponse:
        target = security.local_path(visit.request.query.get("next", security.PATH))
        if visit.session:
            return visit.done(target)
        return visit.page("sign_in.html", fault="", target=target)

    async def sign_in(self, visit: Visit) -> web.StreamResponse:
        target = security.local_path(visit.form.get("next", security.PATH))
        name = await self.sessions.sign_in(visit.form.get("token", "").strip())
        if name is None:
            self.wrong_token("console")
            return visit.page("sign_in.html", status=403, fault="unknown", target=target)
        await self._forget_former(visit)
        response = visit.done(target)
        secure = visit.origins.secure
        security.set_cookie(response, security.SESSION, name, secure=secure)
        return response

    async def sign_out(self, visit: Visit) -> web.StreamResponse:
        await self._forget_former(visit)
        response = visit.done(SIGN_IN)
        security.drop_cookie(response, security.SESSION)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def speak(self, visit: Visit) -> web.StreamResponse:
        """The pages are in that language from now on."""
        code = visit.request.match_info["code"]
        if code not in LANGUAGES:
            raise NotFound.of(Code.NO_PAGE)
        response = visit.done(security.local_path(visit.request.query.get("next", "")))
        response.set_cookie(
            security.LANGUAGE,
            code,
            path=security.PATH,
            max_age=security.LANGUAGE_S,
            httponly=True,
            samesite="Lax",  # it says nothing about anybody, and a link from a mail may honour it
        )
        return response

    async def file(self, visit: Visit) -> web.StreamResponse:
        """A style sheet, a script, a picture."""
        name = visit.request.match_info["name"]
        data = static_files().get(name)
        kind = mimetypes.guess_type(name)[0]
        if data is None or kind is None:
            raise NotFound.of(Code.NO_PAGE)
        response = web.Response(
            body=data,
            content_type=kind,
            charset="utf-8" if kind.startswith("text/") else None,
            headers={"Cache-Control": FOR_EVER},
        )
        finish(response)
        return response

    async def nothing(self, visit: Visit) -> web.StreamResponse:
        raise NotFound.of(Code.NO_PAGE)

    async def _forget_former(self, visit: Visit) -> None:
        former = cookie_of(visit.request, security.SESSION)
        if former:
            await self.sessions.sign_out(former)


async def _to_console(request: web.Request) -> web.StreamResponse:
    response = web.Response(status=303, headers={"Location": security.PATH})
    finish(response)
    return response

"""The mail server, tried by the operator: what it says to each step, with an e-mail or without."""

from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.mail_tests import MailTestOut, MailTests
from hookbundle.server.http.routes import Route

AT = "/mail"


@dataclass(frozen=True, slots=True)
class MailPage:
    access: AccessCheck
    mail_tests: MailTests

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", AT, self.show, "operator"),
            page("POST", AT, self.test, "operator", back=f"/console{AT}"),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return self._page(visit)

    async def test(self, visit: Visit) -> web.StreamResponse:
        try:
            tried = await self.mail_tests.tried(visit.form.get("to", "").strip(), visit.caller)
        except InvalidInput as exc:
            return self._page(visit, faults={each.path: each for each in exc.faults}, status=422)
        return self._page(visit, tried)

    def _page(
        self,
        visit: Visit,
        tried: MailTestOut | None = None,
        faults: dict[str, Fault] | None = None,
        status: int = 200,
    ) -> web.Response:
        return visit.page(
            "mail.html",
            status=status,
            section="overview",
            is_set=bool(self.mail_tests.config().host),
            tried=tried,
            form={"to": visit.form.get("to", "")},
            faults=faults or {},
        )

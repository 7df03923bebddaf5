"""A request's signature, checked as a receiver would: for who writes one and is refused.

The request is pasted as it came. The secrets stay in the daemon, and nothing pasted is kept.
"""

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from hookbundle.engine.delivery.signing import (
    HEADER_ID,
    HEADER_SIGNATURE,
    HEADER_TIMESTAMP,
    HeaderMissing,
    Verdict,
)
from hookbundle.server.console.pages.webhook import path_of
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.resources.webhooks.verifying import Verifications
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.verdicts import verdict_out
from hookbundle.storage.reads.lookup import Reads

WANTED = (HEADER_ID, HEADER_TIMESTAMP, HEADER_SIGNATURE)
AT = "/w/{ws}/webhooks/{wh}/signature"


@dataclass(frozen=True, slots=True)
class SignaturePage:
    access: AccessCheck
    reads: Reads
    verifications: Verifications

    def routes(self) -> list[Route]:
        page = self.access.page
        return [page("GET", AT, self.show), page("POST", AT, self.check)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return self._page(visit)

    async def check(self, visit: Visit) -> web.StreamResponse:
        webhook = self.reads.workspace(visit.ws).named(visit.wh).webhook
        # A form has its lines end with CR and LF, whatever was pasted.
        body = visit.form.get("body", "").replace("\r\n", "\n").encode()
        headers = headers_of(visit.form.get("headers", ""))
        verdict = await self.verifications.verdict(visit.request, webhook, headers, body)
        return self._page(visit, verdict)

    def _page(self, visit: Visit, verdict: Verdict | None = None) -> web.Response:
        view = self.reads.workspace(visit.ws)
        hook = view.named(visit.wh).webhook
        return visit.page(
            "signature.html",
            view=view,
            tab="outbound",
            hook_id=hook.id,
            at="/console" + AT.format(ws=quote(visit.ws), wh=quote(hook.id)),
            back=path_of(visit.ws, hook.id),
            form={"headers": visit.form.get("headers", ""), "body": visit.form.get("body", "")},
            wanted=WANTED,
            verdict=verdict_out(verdict) if verdict else None,
            missing=verdict.name if isinstance(verdict, HeaderMissing) else "",
        )


def headers_of(text: str) -> dict[str, str]:
    """Those that a signature needs, among lines of `Name: value`; the rest is left out."""
    lines = (line.partition(":") for line in text.splitlines())
    named = {name.strip().lower(): value.strip() for name, _, value in lines}
    return {name: named[name] for name in WANTED if name in named}

"""Deliveries, whatever became of them: searched, newest first; and one in full."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from hookbundle.engine.delivery import former_names
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.server.console import curl
from hookbundle.server.console.folding import Fold, folded
from hookbundle.server.console.pages.decoding import decoded
from hookbundle.server.console.questions import Consequence, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.times import as_utc, zone_of
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.parameters.searches import webhooks_of
from hookbundle.server.http.resources.deliveries import Deliveries
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.attempts import AttemptOut
from hookbundle.server.http.schemas.deliveries import DeliveryOut, RetriedOut
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WebhookView

PAGE_MAX = 50
DELIVERIES = "/console/w/{ws}/deliveries"
STATES = ("queued", "sending", "delivered", "dead_letter", "discarded", "merged", "resending")
FILTERS = ("state", "webhook", "http_status", "since", "until", "chat", "phone", "q")
TIMES = ("since", "until")
ENDED = ("delivered", "discarded", "merged")


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    """`news`: where a page of a list hears of what changes; empty if it does not."""

    access: AccessCheck
    reads: Reads
    deliveries: Deliveries
    news: Callable[[Visit], str]

    def routes(self) -> list[Route]:
        page, of_all = self.access.page, "/w/{ws}/deliveries"
        one = f"{of_all}/{{id}}"
        back = f"/console{one}"
        return [
            page("GET", of_all, self.search),
            page("POST", f"{of_all}/retry", self.retry_dead_letters, back=DELIVERIES),
            page("GET", one, self.show),
            page("GET", f"{one}/body", self.body),
            page("POST", f"{one}/retry", self.retry, back=back),
            page("POST", f"{one}/discard", self.discard, back=back),
        ]

    async def search(self, visit: Visit) -> web.StreamResponse:
        """Those that pass the filters, newest first; or what waits, in the order of sending."""
        news, view = self.news(visit), self.reads.workspace(visit.ws)
        query = visit.request.query
        asked = {name: text for name in FILTERS if (text := query.get(name, "").strip())}
        if "state" in asked:
            asked["state"] = former_names.state_of(asked["state"])
        in_order = query.get("order") == "queue"
        hooks = view.chosen(webhooks_of(visit.request))
        found: list[DeliveryOut] = []
        cursor = searched_ms = None
        faults: dict[str, Fault] = {}
        try:
            more = {"order": "queue"} if in_order else {}
            request = as_utc(visit.request, asked, TIMES, zone_of(view), **more)
            page, cursor = await self.deliveries.found(request, PAGE_MAX)
            found = page.found
            is_cut = cursor is not None and len(found) < PAGE_MAX
            searched_ms = page.reached_ms if is_cut else None
        except InvalidInput as exc:
            faults = {fault.path: fault for fault in exc.faults}
        words: dict[str, Any] = {
            "found": found,
            "cursor": cursor,
            "searched_ms": searched_ms,
            "asked": asked,
            "in_order": in_order,
            "states": STATES,
            "faults": faults,
            "news": news,
            "view": view,
            "hooks": hooks,
            "can_retry_all": any(each.state.dead_letters and _sends(each) for each in hooks),
        }
        return await visit.list_page(
            "deliveries.html", status=422 if faults else 200, tab="deliveries", **words
        )

    async def show(self, visit: Visit) -> web.StreamResponse:
        """A delivery with its body, and its attempts with their answers."""
        news = self.news(visit)
        found = decoded(await self.deliveries.show(visit.request), DeliveryOut)
        view = self.reads.workspace(visit.ws)
        hook = view.named(found.webhook)
        body = msgspec.json.decode(found.body or "{}")
        attempts = found.history or []
        words: dict[str, Any] = {
            "delivery": found,
            "body": body,
            "attempts": _timeline(attempts),
            "command": _command(found, hook.webhook.url),
            # News change what happened, not the body, which may be a megabyte.
            "has_body": not visit.is_partial,
            "news": "" if found.state in ENDED and not found.resending else news,
            "view": view,
            "hook": hook,
        }
        return await visit.large_page("delivery.html", tab="deliveries", **words)

    async def body(self, visit: Visit) -> web.StreamResponse:
        """The body as it is sent, to the byte; never as a page."""
        found = decoded(await self.deliveries.show(visit.request), DeliveryOut)
        return web.Response(
            body=(found.body or "").encode(),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{found.id}.json"'},
        )

    async def retry(self, visit: Visit) -> web.StreamResponse:
        retried = decoded(await self.deliveries.retry(visit.request), RetriedOut)
        word = "retry_waits" if retried.waits_until else "retried"
        return self._to_delivery(visit, Notice(word, count=retried.messages, more=retried.returned))

    async def retry_dead_letters(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        hooks = view.chosen(webhooks_of(visit.request))
        count = sum(each.state.dead_letters for each in hooks)
        found = [Consequence("returned", count)] if count else []
        back = DELIVERIES.format(ws=quote(visit.ws))
        if question := unanswered(visit, "retry", found, back, view=view, tab="deliveries"):
            return question
        retried = decoded(await self.deliveries.retry_dead_letters(visit.request), RetriedOut)
        return visit.done(
            DELIVERIES.format(ws=quote(visit.ws)), Notice("returned", count=retried.returned)
        )

    async def discard(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        shown = decoded(await self.deliveries.show(visit.request), DeliveryOut)
        # One that was delivered stays so: what is asked for is that it is not sent once more.
        found = [] if shown.resending else [Consequence("discarded", shown.messages)]
        back = f"{DELIVERIES.format(ws=quote(visit.ws))}/{quote(shown.id)}"
        if question := unanswered(visit, "discard", found, back, view=view, tab="deliveries"):
            return question
        given_up = await self.deliveries.give_up(
            visit.ws,
            visit.request.match_info["id"],
            visit.form.get("reason", ""),
            visit.caller,
        )
        word = "resend_ended" if shown.resending else "discarded"
        return self._to_delivery(visit, Notice(word, count=given_up.messages))

    def _to_delivery(self, visit: Visit, notice: Notice) -> web.Response:
        delivery_id = quote(visit.request.match_info["id"], safe="")
        return visit.done(f"{DELIVERIES.format(ws=quote(visit.ws))}/{delivery_id}", notice)


def _sends(it: WebhookView) -> bool:
    return it.state.enabled and bool(it.webhook.url)


def _timeline(attempts: list[AttemptOut]) -> list[Fold[AttemptOut]]:
    """The oldest first; those that failed in the same way, one after the other, folded."""
    return folded(attempts, lambda each: (each.outcome, each.status, each.error, each.url))


def _command(delivery: DeliveryOut, url: str) -> str:
    """As the last attempt was made; as the first one will be where none was."""
    last = delivery.history[-1] if delivery.history else None
    headers = last.request_headers if last else {}
    return curl.command(
        last.url if last and last.url else url,
        headers.items() if headers else _headers_of(delivery),
        delivery.body or "",
        last.method if last else "POST",
    )


def _headers_of(delivery: DeliveryOut) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json; charset=utf-8"),
        ("webhook-id", delivery.id),
    ]

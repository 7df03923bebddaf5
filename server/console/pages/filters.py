"""A webhook's filter, built from chips, with what it would make of the last messages."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, HookbundleError, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.filters.parsing import parse
from hookbundle.engine.messages import parsing
from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.filter_form import (
    CHIPS,
    CHOICES,
    GROUPS_SHOWN,
    Rows,
    as_text,
    filter_of,
    pressed,
    rows_of,
    rows_with_faults,
)
from hookbundle.server.console.pages.webhook import path_of
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.console.wording import ShownError
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.filtering import FilterTests
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks import WebhookIn
from hookbundle.storage.reads.chats.names import UNNAMED, ChatNames
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView

LAST = 200  # messages that a filter is tried on
SHOWN = 50  # of those that it drops


class _Written(msgspec.Struct, frozen=True):
    filter: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FilterPage:
    access: AccessCheck
    reads: Reads
    webhooks: Webhooks
    tests: FilterTests
    names: ChatNames

    def routes(self) -> list[Route]:
        page, path = self.access.page, "/w/{ws}/webhooks/{wh}/filter"
        return [page("GET", path, self.show), page("POST", path, self.change)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        webhook = view.named(visit.wh).webhook
        wanted = msgspec.json.decode(webhook.filter) if webhook.filter else {}
        return await self._page(visit, view, rows_of(wanted), webhook.version)

    async def change(self, visit: Visit) -> web.StreamResponse:
        """A button was pressed: chips come and go, the filter is tried, or it is saved."""
        view, form = self.reads.workspace(visit.ws), visit.form
        seen = number_of(form.get("version", ""), VERSION_MAX)
        version = view.named(visit.wh).webhook.version if seen is None else seen
        try:
            wanted = _stands(form)
            if form.get("do") == "apply_raw":
                parse(wanted)  # its rows are only made if they can stand for it
            rows = pressed(rows_of(wanted), form)
        except InvalidInput as exc:
            before = rows_of({})
            return await self._page(
                visit, view, before, version, raw=form.get("raw", ""), faults=exc.faults, status=422
            )
        if form.get("do") != "save":
            return await self._page(visit, view, rows, version)
        try:
            await self.webhooks.change(
                visit.ws,
                visit.wh,
                WebhookIn(filter=filter_of(rows)),
                visit.caller,
                at_version(version),
                whole=False,
            )
        except InvalidInput as exc:
            return await self._page(visit, view, rows, version, faults=exc.faults, status=422)
        except HookbundleError as exc:
            visit.signed_in.notices.append(Notice("refused", bad=True, told=ShownError.of(exc)))
            return await self._page(visit, view, rows, version, status=exc.status)
        return visit.done(path_of(visit.ws, visit.wh), Notice("saved"))

    async def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        rows: list[Rows],
        version: int,
        *,
        raw: str = "",
        faults: tuple[Fault, ...] = (),
        status: int = 200,
    ) -> web.Response:
        wanted, verdict, chats = filter_of(rows), None, {}
        if not faults:
            try:
                verdict = await self.tests.tested(visit.request, visit.ws, visit.wh, wanted, LAST)
                ids = {each.chat_id for each in verdict.messages}
                chats = self.names.of(view.settings.number, ids)
            except InvalidInput as exc:
                faults, status = exc.faults, 422
        return visit.page(
            "filter.html",
            status=status,
            view=view,
            wh=visit.wh,
            back=path_of(visit.ws, visit.wh),
            path=f"/console/w/{quote(visit.ws)}/webhooks/{quote(visit.wh)}/filter",
            rows=rows[: GROUPS_SHOWN + 1],
            more_groups=len(rows) - 1 - GROUPS_SHOWN,
            may_add=len(rows) - 1 < min(GROUPS_SHOWN, limits.FILTER_GROUPS_MAX),
            choices=CHOICES,
            chips=CHIPS,
            faults=rows_with_faults(faults),
            stands=msgspec.json.encode(_whole(rows)).decode(),
            raw=raw or as_text(wanted),
            verdict=verdict,
            dropped=[each for each in verdict.messages if not each.kept][:SHOWN] if verdict else [],
            chats=chats,
            unnamed=UNNAMED,
            seen=version,
            tab="outbound",
        )


def _whole(rows: list[Rows]) -> dict[str, Any]:
    """The filter with its empty groups, so that one that was just added is there."""
    first, *groups = rows
    found = first.as_filter()
    return {**found, "any": [group.as_filter() for group in groups]} if groups else found


def _stands(form: Form) -> dict[str, Any]:
    """The filter as the page showed it, or as somebody wrote it. Raises: InvalidInput."""
    by_hand = form.get("do") == "apply_raw"
    text = form.get("raw" if by_hand else "filter", "").strip() or "{}"
    if len(text.encode()) > 2 * limits.FILTER_BYTES_MAX:
        most, size = limits.FILTER_BYTES_MAX, len(text.encode())
        raise InvalidInput((fault("filter", FaultCode.TOO_LONG_AS_BYTES, most=most, size=size),))
    return parsing.parse_as(b'{"filter":%b}' % text.encode(), _Written).filter

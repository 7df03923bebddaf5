"""The filter of a webhook, built from chips, and what it would keep of the last messages.

What is saved has been judged on a page before: who presses Save with something typed that no page
has judged yet is shown the verdict first. Nothing of it needs a script.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.filters.parsing import written
from hookbundle.engine.preconditions import at_version
from hookbundle.server.console.pages.filters.editing import (
    OPEN_PARTS,
    Edited,
    chosen_of,
    edited,
    faults_of,
)
from hookbundle.server.console.pages.filters.parts import CHOICES, ROWS, Written
from hookbundle.server.console.pages.webhook import path_of
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.resources.webhooks.filtering import FilterTests
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.filters import FilterTestOut
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.chats.names import UNNAMED, ChatNames
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView

LAST = 200
LISTED_MAX = 50  # of the messages that would be dropped


@dataclass(frozen=True, slots=True)
class FilterPage:
    access: AccessCheck
    reads: Reads
    names: ChatNames
    webhooks: Webhooks
    tests: FilterTests

    def routes(self) -> list[Route]:
        page, at = self.access.page, "/w/{ws}/webhooks/{wh}/filter"
        return [page("GET", at, self.show), page("POST", at, self.edit)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        view = self.reads.workspace(visit.ws)
        webhook = view.named(visit.wh).webhook
        now = of_webhook(webhook)
        return await self._page(visit, view, webhook, _unedited(now), str(webhook.version))

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """The form with what was done to it; or saved, if that is what was judged and seen."""
        view, form = self.reads.workspace(visit.ws), visit.form
        webhook, seen = view.named(visit.wh).webhook, form.get("webhook_version", "")
        made = edited(form)
        wants_saved = form.get("do") == "save"
        judged = made.written.without_empty_groups()
        if made.faults or not wants_saved or form.get("tried", "") != _digest(judged):
            unseen = wants_saved and not made.faults
            return await self._page(visit, view, webhook, made, seen, is_unseen=unseen)
        try:
            await self.webhooks.change(
                visit.ws,
                visit.wh,
                WebhookIn(filter=judged.document),
                visit.caller,
                at_version(number_of(seen, VERSION_MAX)),
                whole=False,
            )
        except HookbundleError as exc:
            visit.say_refused(exc)
            return await self._page(visit, view, webhook, made, seen, status=exc.status)
        return visit.done(path_of(visit.ws, visit.wh), Notice("saved"))

    async def _page(
        self,
        visit: Visit,
        view: WorkspaceView,
        webhook: Webhook,
        made: Edited,
        seen: str,
        *,
        is_unseen: bool = False,
        status: int = 200,
    ) -> web.Response:
        judged = made.written.without_empty_groups()
        verdict = None if made.faults else await self._verdict(visit, judged)
        dropped = [each for each in verdict.messages if not each.kept] if verdict else []
        listed = dropped[:LISTED_MAX]
        names = self.names.of(view.settings.number, (each.chat_id for each in listed))
        words: dict[str, Any] = {
            "made": made,
            "choices": CHOICES,
            "rows": ROWS,
            "open_parts": OPEN_PARTS,
            "groups_max": limits.FILTER_GROUPS_MAX,
            "was": chosen_of(made.parts),
            "seen": seen,
            "tried": _digest(judged) if verdict else "",
            "is_unseen": is_unseen and verdict is not None,
            "verdict": verdict,
            "listed": [(each, names.get(each.chat_id, UNNAMED)) for each in listed],
            "unlisted": len(dropped) - len(listed),
            "hook_id": webhook.id,
            "at": f"/console/w/{quote(visit.ws)}/webhooks/{quote(webhook.id)}/filter",
            "back": path_of(visit.ws, webhook.id),
            "view": view,
            "tab": "outbound",
        }
        return visit.page("filter.html", status=422 if made.faults else status, **words)

    async def _verdict(self, visit: Visit, judged: Written) -> FilterTestOut | None:
        """None if it can't be had now, which a notice tells."""
        try:
            return await self.tests.tested(visit.request, visit.ws, visit.wh, judged.document, LAST)
        except HookbundleError as exc:
            visit.say_refused(exc)
            return None


def of_webhook(webhook: Webhook) -> Written:
    """The webhook's filter, to be shown and edited."""
    return Written.read(webhook.filter.decode())


def _unedited(now: Written) -> Edited:
    return Edited(now, faults=faults_of(now), parts=now.parts(), text=now.text)


def _digest(judged: Written) -> str:
    """By which a filter is known again that a page has judged."""
    return sha256(written(judged.document)).hexdigest()[:32]

"""What a webhook did lately: the ten actions, and each one's request in full."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.server.console.folding import Fold, folded
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.feed.subscription import Feed
from hookbundle.server.http.requests import number_of
from hookbundle.server.http.resources.logs import Logs
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.webhooks.success import proposed
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.chats.names import UNNAMED, ChatName, ChatNames
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.requests_made import JoinedAction
from hookbundle.storage.reads.workspace_view import WorkspaceView

LOGGED_MAX = 10**15


@dataclass(frozen=True, slots=True)
class ShownAction:
    joined: JoinedAction
    chat: ChatName

    @property
    def action(self) -> Action:
        return self.joined.action


@dataclass(frozen=True, slots=True)
class ActivityPage:
    access: AccessCheck
    reads: Reads
    names: ChatNames
    logs: Logs
    feed: Feed

    def routes(self) -> list[Route]:
        page, one = self.access.page, "/w/{ws}"
        return [
            page("GET", f"{one}/activity", self.recent),
            page("GET", f"{one}/requests/{{number}}", self.request),
            page("GET", f"{one}/log", self.log),
        ]

    async def recent(self, visit: Visit) -> web.StreamResponse:
        """The list of actions, as a part of the page that shows it."""
        view = self.reads.workspace(visit.ws)
        actions = self.actions(view, visit.request.query.get("webhook", ""))
        return visit.render(
            "parts/activity.html", ws=visit.ws, actions=actions, view=view, fresh=True
        )

    def actions(self, view: WorkspaceView, webhook_id: str = "") -> list[Fold[ShownAction]]:
        """The ten most recent actions of the webhook, newest first, with the names of their chats.

        Without its id of the workspace.

        Attempts of one delivery that failed in the same way, one after the other, are one line.
        """
        found = self.reads.activity_joined(view.settings.id, (webhook_id,) if webhook_id else ())
        chats = self.names.of(view.settings.number, (each.action.chat_id for each in found))
        return folded(
            [ShownAction(each, chats.get(each.action.chat_id, UNNAMED)) for each in found],
            _same_failure,
        )

    async def request(self, visit: Visit) -> web.StreamResponse:
        """A request and its response in full."""
        number = number_of(visit.request.match_info["number"], LOGGED_MAX)
        if number is None:
            raise NotFound.of(Code.NO_PAGE)
        view, webhook_id = (
            self.reads.workspace(visit.ws),
            visit.request.query.get("webhook", OUTBOUND),
        )
        exchange = await asyncio.to_thread(self.reads.exchange, visit.ws, number, webhook_id)
        chats = self.names.of(view.settings.number, (exchange.chat_id,))
        words = {"chat": chats.get(exchange.chat_id, UNNAMED), "view": view, "tab": "outbound"}
        webhook = view.named(webhook_id).webhook
        offer = {"webhook": webhook, "proposal": proposed(exchange.result, webhook)}
        return await visit.large_page(
            "request.html", exchange=exchange, webhook_id=webhook_id, **words, **offer
        )

    async def log(self, visit: Visit) -> web.StreamResponse:
        """The detailed log, as a download."""
        return await self.logs.log(visit.request)

    def cursor(self) -> str:
        """The place in the feed at which a page that is made now stands."""
        return self.feed.reader.cursor(self.feed.next - 1)

    def of_list(self, visit: Visit) -> str:
        """Where a list hears of news from now on; empty for all pages of it but the first.

        To be asked before anything is read for the page, or what happens meanwhile is missed.
        """
        is_first = not visit.request.query.get("cursor")
        return f"/console/w/{visit.ws}/news?of=list&since={self.cursor()}" if is_first else ""

    def number_of(self, workspace_id: str, delivery_id: str, webhook_id: str = OUTBOUND) -> int:
        """The number in the log of a request that was made just now."""
        for action in self.reads.activity(workspace_id, webhook_id):
            if action.logged:
                number = action.logged - 1
                exchange = self.reads.exchange(workspace_id, number, webhook_id)
                if exchange.delivery_id == delivery_id:
                    return number
        return 0


def _same_failure(shown: ShownAction) -> tuple[object, ...] | None:
    action = shown.action
    if action.action not in ("bundle", "message") or action.outcome != "failed":
        return None
    return action.delivery, shown.joined.delivery_id, action.detail

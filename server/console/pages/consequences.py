"""What an action would come to, counted at this moment: for the question before it."""

from dataclasses import dataclass
from functools import partial

from aiohttp import web
from msgspec import UNSET

from hookbundle.engine.clock import Clock
from hookbundle.server.console.questions import Consequence
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.schemas.webhooks import WebhookIn
from hookbundle.server.http.schemas.windows.wanted import parse_aggregation
from hookbundle.storage.reads.delivery_view import DeliveryView
from hookbundle.storage.reads.listing import WAITING, Listing, OpenWindow
from hookbundle.storage.reads.workspace_view import WebhookView, WorkspaceView

LOOKED_AT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Counting:
    """Reads what a count needs and no counter has, up to some thousand records."""

    listing: Listing
    clock: Clock

    async def of_discarding(
        self, request: web.Request, view: WorkspaceView, it: WebhookView
    ) -> tuple[Consequence, ...]:
        """The messages that wait, and of how many chats they are."""
        state = it.state
        messages = state.queued_messages + state.dead_letter_messages
        if not messages:
            return ()
        only = (it.webhook.id,)
        read = partial(self.listing.deliveries, view.settings.id, WAITING, webhook_ids=only)
        page = await request.app[LISTS].page(request, read, _chat_of, LOOKED_AT_MAX, b"")
        chats = Consequence(
            "of_chats", more=len(set(page.found)), at_most=page.position is not None
        )
        return Consequence("discarded", messages), chats

    async def of_changing(
        self, request: web.Request, view: WorkspaceView, it: WebhookView, hook: WebhookIn
    ) -> tuple[Consequence, ...]:
        """What the change of the webhook's settings does to messages that are here already.

        The settings have been checked.
        """
        state, found = it.state, []
        waiting = state.queued + state.dead_letters
        url = it.webhook.url if hook.url is UNSET else hook.url or ""
        if url != it.webhook.url and waiting:
            found.append(Consequence("redirected", waiting, text=url))
        if hook.enabled is False and state.enabled:
            found.append(Consequence("held", more=waiting))
        if hook.aggregation is not UNSET and state.windows:
            found += await self._sealed(request, view, it, parse_aggregation(hook.aggregation))
        return tuple(found)

    async def _sealed(
        self, request: web.Request, view: WorkspaceView, it: WebhookView, length_ms: int
    ) -> list[Consequence]:
        """The windows that are overdue once they have the new length."""
        windows, now_ms = it.state.windows, self.clock.now_ms()
        if length_ms == 0:
            return [Consequence("sealed", windows)]
        if not it.webhook.window and length_ms >= it.webhook.aggregation_ms:
            return []
        read = partial(self.listing.windows, view.settings.id, webhook_ids=(it.webhook.id,))
        page = await request.app[LISTS].page(request, read, _opened_ms, LOOKED_AT_MAX, b"")
        overdue = sum(opened_ms + length_ms <= now_ms for opened_ms in page.found)
        if page.position is not None:
            return [Consequence("sealed", windows, at_most=True)]
        return [Consequence("sealed", overdue)] if overdue else []


def _chat_of(waiting: DeliveryView) -> str:
    return waiting.delivery.chat_id


def _opened_ms(window: OpenWindow) -> int:
    return window.opened_ms

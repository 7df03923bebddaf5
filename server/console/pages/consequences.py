"""What an action would come to, counted at this moment: for the question before it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web
from msgspec import UNSET, UnsetType

from hookbundle.engine.clock import Clock
from hookbundle.engine.requests.changing import changed
from hookbundle.engine.requests.request import stored
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.rule import WindowSetting
from hookbundle.server.console.questions import Consequence
from hookbundle.server.http.lists import LISTS
from hookbundle.server.http.schemas.webhooks.webhook import WebhookIn
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.chats.changed_ends import Change, ChangedEnds
from hookbundle.storage.reads.delivery_view import DeliveryView
from hookbundle.storage.reads.listing import WAITING, Listing
from hookbundle.storage.reads.workspace_view import WebhookView, WorkspaceView

LOOKED_AT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Counting:
    """Reads what a count needs and no counter has, up to some thousand records."""

    env: Environment
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
        self,
        request: web.Request,
        view: WorkspaceView,
        it: WebhookView,
        hook: WebhookIn,
        zone: str | UnsetType = UNSET,
    ) -> tuple[Consequence, ...]:
        """What the change of the webhook's settings does to messages that are here already.

        The settings, and `zone`, the workspace's time zone, have been checked.
        """
        state, found = it.state, []
        waiting = state.queued + state.dead_letters
        url = it.webhook.url if hook.url is UNSET else hook.url or ""
        if url != it.webhook.url and waiting:
            found.append(Consequence("redirected", waiting, text=url))
        before = stored(it.webhook.request)
        dropped = changed(before, None, old_url=it.webhook.url, new_url=url).dropped
        if dropped:
            found.append(Consequence("dropped_" + "_".join(dropped)))
        if hook.enabled is False and state.enabled:
            found.append(Consequence("held", more=waiting))
        ended = await self._ended(request, view, [it], hook.window, zone)
        return (*found, *ended)

    async def of_zone(
        self, request: web.Request, view: WorkspaceView, zone: str | UnsetType
    ) -> tuple[Consequence, ...]:
        """What another time zone of the workspace does to the windows of its webhooks."""
        return tuple(await self._ended(request, view, view.webhooks, UNSET, zone))

    async def _ended(
        self,
        request: web.Request,
        view: WorkspaceView,
        webhooks: Iterable[WebhookView],
        window: Any,
        zone: str | UnsetType,
    ) -> list[Consequence]:
        """The windows that are over by the new rule or zone, and those that get another end."""
        zone_now = view.settings.time_zone
        zone_then = zone_now if zone is UNSET else zone
        found: Counter[Change] = Counter()
        at_most = False
        for it in webhooks:
            present = setting_of(it.webhook.aggregation_ms, it.webhook.window)
            setting = present if window is UNSET else parse(window)
            is_moved = zone_then != zone_now and setting.uses_workspace_zone
            if not it.state.windows or (setting == present and not is_moved):
                continue
            if not setting.holds:
                found["sealed"] += it.state.windows
                continue
            changes = await self._changes(request, view, it, setting, zone_then)
            if changes is None:
                found["perhaps"] += it.state.windows
            else:
                found.update(changes)
            at_most |= found["perhaps"] > 0
        sealed = found["sealed"] + found["perhaps"]
        if not sealed:
            return []  # the others only go on, and can be changed back
        moved = [Consequence("moved", more=found["moved"])] if found["moved"] else []
        return [Consequence("sealed", sealed, at_most=at_most), *moved]

    async def _changes(
        self,
        request: web.Request,
        view: WorkspaceView,
        it: WebhookView,
        setting: WindowSetting,
        zone: str,
    ) -> list[Change] | None:
        """None if there are more than are looked at."""
        workspace_id, now_ms = view.settings.id, self.clock.now_ms()
        windows = ChangedEnds(self.env, workspace_id, it.webhook.id, setting, zone, now_ms)
        page = await request.app[LISTS].page(request, windows.read, _as_it_is, LOOKED_AT_MAX, b"")
        return page.found if page.position is None else None


def _as_it_is(change: Change) -> Change:
    return change


def _chat_of(waiting: DeliveryView) -> str:
    return waiting.delivery.chat_id

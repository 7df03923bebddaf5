"""Takes the messages of a chat for a webhook whose windows follow a rule.

A message finds an open window, which takes it, or none: then it chooses the rule, and by it leaves
alone, leaves at once and opens a window, or opens one and is in it. A window that is over is sealed
before, so that nothing overtakes what came earlier.
"""

from typing import Protocol

import msgspec

from hookbundle.engine.messages import payload
from hookbundle.engine.messages.message import Incoming
from hookbundle.engine.windows import ends as window_ends
from hookbundle.engine.windows.rule import Rule
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Window
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import windows
from hookbundle.storage.tables.routing.offers import Offer
from hookbundle.storage.tables.rules import ends, judging
from hookbundle.storage.transitions import sealing
from hookbundle.storage.transitions.collecting import at_once
from hookbundle.storage.transitions.sealing import Reason


class Asked(sealing.Asked, Protocol):
    """What the transition says that brings the messages."""

    @property
    def chat_id(self) -> str: ...


def take(
    unit: Unit,
    settings: Settings,
    offer: Offer,
    record: ChatRecord,
    collecting: Collecting,
    asked: Asked,
) -> bool:
    """The webhook has the messages. True if it became ready."""
    webhook, chat = offer.webhook, asked.chat_id.encode()
    taking = _Taking(unit, settings, webhook, offer.state, chat, record, collecting, asked)
    wake = taking.end_if_over()
    for message in offer.messages:
        before_ms, collecting.arrived_ms = collecting.arrived_ms, asked.now_ms
        wake |= taking.take(message, before_ms)
    return wake


class _Taking(msgspec.Struct, frozen=True, gc=False):
    """The parts of the database in which one chat's messages are put for one webhook."""

    unit: Unit
    settings: Settings
    webhook: Webhook
    state: WebhookState
    chat: bytes
    record: ChatRecord
    collecting: Collecting
    asked: Asked

    def end_if_over(self) -> bool:
        """The open window is sealed if its time is up."""
        if self.collecting.window is None:
            return False
        return sealing.seal_if_over(
            self.unit,
            self.settings,
            self.webhook,
            self.chat,
            self.record,
            self.collecting,
            self.asked,
        )

    def take(self, message: Incoming, before_ms: int) -> bool:
        """`before_ms`: when the chat's last message before it arrived, 0 if there was none."""
        window, wake = self.collecting.window, False
        weight = payload.weight(message.message)
        if window is not None and window.count and not self._has_room(window, message, weight):
            wake, window = self._seal("size"), None
        if window is None:
            choice = judging.choice(self.unit, self.webhook, message)
            rule = ends.setting(self.webhook).rule(choice)
            if rule.ends is None:
                return wake | self._send_alone(message)
            if self._leaves_at_once(rule, before_ms):
                return wake | self._send_first(message, rule, choice)
            window = self._open(rule, choice)
        return wake | self._put(window, message, weight)

    def _put(self, window: Window, message: Incoming, weight: int) -> bool:
        """The message is in the window, and the window is sealed or ends when it now has to."""
        unit, webhook, now_ms = self.unit, self.webhook, self.asked.now_ms
        windows.append(unit, webhook, self.state, self.chat, window, message, weight, now_ms)
        if windows.is_full(webhook, window):
            if unit.weight < unit.heavy:
                return self._seal("size")
            windows.retime(unit, webhook, self.chat, window, now_ms)
            return False
        rule = ends.setting(webhook).rule(window.choice)
        if ends.moves(rule):
            due_ms = self._end_of(rule, window.opened_ms)
            if due_ms != window.due_ms:
                windows.retime(unit, webhook, self.chat, window, due_ms)
        return False

    def _open(self, rule: Rule, choice: int) -> Window:
        window = windows.open_window(
            self.unit,
            self.webhook,
            self.state,
            self.chat,
            self.record,
            self.collecting,
            self.asked.now_ms,
            self._end_of(rule, self.asked.now_ms),
        )
        window.choice = choice
        return window

    def _send_first(self, message: Incoming, rule: Rule, choice: int) -> bool:
        """The message leaves, and opens a window that it is not part of."""
        unit, asked = self.unit, self.asked
        number = unit.meta.delivery_next
        wake = at_once.send_first(
            unit,
            self.settings,
            self.webhook,
            asked.chat_id,
            self.record,
            self.collecting,
            message,
            asked.now_ms,
            asked.product_name,
        )
        window = self._open(rule, choice)
        window.first = number
        window.account, window.chat, window.extra = message.account, message.chat, message.extra
        return wake

    def _send_alone(self, message: Incoming) -> bool:
        return at_once.send_single(
            self.unit,
            self.settings,
            self.webhook,
            self.asked.chat_id,
            self.record,
            self.collecting,
            message,
            self.asked.now_ms,
        )

    def _leaves_at_once(self, rule: Rule, before_ms: int) -> bool:
        zone = self.settings.workspace.time_zone
        return window_ends.leaves_at_once(rule, zone, before_ms, self.asked.now_ms)

    def _end_of(self, rule: Rule, opened_ms: int) -> int:
        """Of a window whose newest message comes now."""
        zone = self.settings.workspace.time_zone
        return window_ends.end_of(rule, zone, opened_ms, self.asked.now_ms).at_ms

    def _has_room(self, window: Window, message: Incoming, weight: int) -> bool:
        return windows.has_room(self.webhook, window, message, weight, self.asked.product_name)

    def _seal(self, reason: Reason) -> bool:
        return sealing.seal(
            self.unit,
            self.settings,
            self.webhook,
            self.chat,
            self.record,
            self.collecting,
            reason,
            self.asked,
        )

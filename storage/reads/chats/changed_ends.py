"""What another rule, or another time zone, would do to the windows that are open.

It judges each as re-timing does (transitions/timed/retiming.py), which comes after the change.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.windows import ends
from hookbundle.engine.windows.rule import Rule, WindowSetting
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord, Collecting, Window
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.listing import Page
from hookbundle.storage.reads.workspace_view import view_in

ROWS_MOST = 64

# It ends at once; at another time than now; as it is. `perhaps`: at once by one of the rules, and
# by which of them it will end is not known without reading more.
Change = Literal["sealed", "perhaps", "moved", "none"]


class ChangedEnds(msgspec.Struct, frozen=True):
    """The windows of a webhook, with the setting and the workspace's zone as they would be."""

    env: Environment
    workspace_id: str
    webhook_id: str
    setting: WindowSetting
    zone: str
    now_ms: int

    def read(self, limit: int, position: bytes) -> Page[Change]:
        """A page, of so many chats with windows at most. Raises: NotFound."""
        with self.env.read() as txn:
            view = view_in(txn, self.workspace_id)
            webhook = view.named(self.webhook_id).webhook
            prefix = keyspace.owned(keyspace.CHATS, webhook.workspace)
            found: list[Change] = []
            seen = 0
            of_all = rows.rows(txn, prefix, prefix + position if position else b"")
            for seen, (key, value) in enumerate(of_all, 1):
                record = damaged.without(key, value, ChatRecord)
                collecting = record.of(webhook.number) if record else None
                if collecting is not None and collecting.window is not None:
                    found.append(self._change(collecting, collecting.window))
                if len(found) == limit or seen == ROWS_MOST:
                    return Page(found, key.removeprefix(prefix), seen)
            return Page(found, None, seen)

    def _change(self, collecting: Collecting, window: Window) -> Change:
        ends_ms = [self._end_ms(rule, collecting, window) for rule in self._rules(window)]
        sealed = [each <= self.now_ms for each in ends_ms]
        if any(sealed):
            return "sealed" if all(sealed) else "perhaps"
        return "none" if all(each == window.due_ms for each in ends_ms) else "moved"

    def _end_ms(self, rule: Rule, collecting: Collecting, window: Window) -> int:
        if rule.ends is None:
            return self.now_ms
        opened_ms = min(window.opened_ms, self.now_ms)
        arrived_ms = min(collecting.arrived_ms, self.now_ms)
        return ends.end_of(rule, self.zone, opened_ms, arrived_ms).at_ms

    def _rules(self, window: Window) -> Iterator[Rule]:
        """The one by which it would end; all where the message that opened it is elsewhere."""
        if not self.setting.choices:
            yield self.setting.otherwise
        elif window.tail and not window.parts and not window.first:
            opener = window.tail[0].message
            subject = Subject(
                account=window.account, chat=window.chat, message=opener, extra=window.extra
            )
            yield self.setting.rule(self.setting.choose(subject))
        else:
            yield from self.setting.rules()

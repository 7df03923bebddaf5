"""What one read transaction finds of a chat: its open windows, its deliveries, its facts."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import lmdb
import msgspec
from msgspec.structs import replace

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import Meta, WebhookState
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import erased_before
from hookbundle.storage.reads.paths import answers, chat_facts, members
from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.chat_facts import ChatFact
from hookbundle.storage.reads.paths.members import Seen
from hookbundle.storage.reads.workspace_view import WorkspaceView, view_in
from hookbundle.storage.tables import bodies, history, moving, queue, windows


class Group(msgspec.Struct, frozen=True):
    """Messages of a chat with what became of them; `messages`: those that were asked for.

    `count`: all of the group. `opened_ms`: when its window was opened; `sealed_ms`: 0 while it is
    open; `reason`: why it was sealed. Without a window: not stored. `delivery_id`: empty without
    one; `webhook`: its name. `attempts`: how many were made.
    """

    became: Became
    messages: tuple[Seen, ...]
    count: int
    webhook: str = ""
    opened_ms: int = 0
    sealed_ms: int = 0
    reason: str = ""
    delivery_id: str = ""
    attempts: int = 0


class ChatDelivery(NamedTuple):
    """A delivery of the chat, as it is seen, and its webhook."""

    webhook: Webhook
    state: WebhookState
    head: Delivery


class OfChat(msgspec.Struct, frozen=True):
    """What a transaction reads of a chat. `erased_before`: deliveries below it are deleted."""

    txn: lmdb.Transaction
    view: WorkspaceView
    chat: bytes
    webhooks: dict[int, tuple[Webhook, WebhookState]]
    erased_before: int
    meta: Meta

    @classmethod
    def read(cls, txn: lmdb.Transaction, workspace_id: str, chat_id: str) -> "OfChat":
        """Raises: NotFound."""
        view, chat = view_in(txn, workspace_id), chat_id.encode()
        number = view.settings.number
        states = {each.webhook.number: (each.webhook, each.state) for each in view.webhooks}
        meta = rows.get(txn, keyspace.META, Meta) or Meta()
        return cls(txn, view, chat, states, erased_before(txn, number, chat), meta)

    def record(self) -> ChatRecord | None:
        key = keyspace.owned(keyspace.CHATS, self.view.settings.number, self.chat)
        return rows.get(self.txn, key, ChatRecord)

    def deliveries(self, before: int) -> Iterator[ChatDelivery]:
        """Those below the number, newest first, as they are seen; without damaged ones."""
        number = self.view.settings.number
        prefix = keyspace.of_chat(keyspace.CHAT_DELIVERIES, number, self.chat)
        end = keyspace.chat_delivery(number, self.chat, before, 0)
        for key, _ in rows.rows_before(self.txn, prefix, end):
            delivery_number, webhook_number = key_fields.chat_delivery(key)
            if delivery_number < self.erased_before:
                return
            head_key = history.key_of(webhook_number, delivery_number)
            value = rows.get_raw(self.txn, head_key)
            head = damaged.without(head_key, value, Delivery) if value is not None else None
            if head is not None and webhook_number in self.webhooks:
                webhook, state = self.webhooks[webhook_number]
                yield ChatDelivery(webhook, state, moving.as_seen(state, head))

    def messages_of(self, found: ChatDelivery, wanted: str = "") -> tuple[list[Seen], int]:
        """Its messages, and the bytes that were read; with `wanted` only that one, if it is there.

        None of a delivery whose body is damaged.
        """
        get, head = partial(rows.get_raw, self.txn), found.head
        try:
            body, kept = bodies.read_all(get, found.webhook.number, head.number, head.body_bytes)
        except CorruptRecord as exc:
            damaged.say(exc)
            return [], 0
        if wanted and not members.may_hold(body, wanted):
            return [], len(body)
        messages = members.of_body(body, bodies.arrivals_of(head, kept))
        return [each for each in messages if wanted in ("", each.message_id)], len(body)

    def open_windows(self) -> Iterator[Group]:
        """With all their messages."""
        record = self.record()
        for each in record.collecting if record else ():
            window, known = each.window, self.webhooks.get(each.webhook)
            if window is None or not window.count or known is None:
                continue
            webhook = known[0]
            found = windows.members(partial(rows.get_raw, self.txn), webhook, self.chat, window)
            became = Became(
                code=BecameCode.COLLECTING, at_ms=window.opened_ms, due_ms=window.due_ms
            )
            yield Group(
                became=became,
                messages=tuple(members.of_window(found, window.opened_ms)),
                count=window.count,
                webhook=webhook.id,
                opened_ms=window.opened_ms,
            )

    def group_of(self, found: ChatDelivery, messages: list[Seen], moment: Moment) -> Group:
        webhook, head = found.webhook, found.head
        return Group(
            became=answers.of_delivery(webhook, found.state, head, moment),
            messages=tuple(messages),
            count=head.messages,
            webhook=webhook.id,
            opened_ms=head.opened_ms,
            sealed_ms=head.sealed_ms,
            reason=head.reason,
            delivery_id=queue.delivery_id(webhook.number, head),
            attempts=head.attempts,
        )

    def facts(self, before: int) -> Iterator[ChatFact]:
        """What only the feed knows, newest first, back to a deletion."""
        number = self.view.settings.number
        for fact in chat_facts.newest_first(self.txn, number, self.chat, before):
            told = tuple((self.with_cause(became), ids) for became, ids in fact.told)
            yield replace(fact, told=told)

    def with_cause(self, became: Became) -> Became:
        """What a fact tells; that a webhook was full with what is known now of the cause."""
        if became.code is not BecameCode.OVERFLOWED:
            return became
        found = self.view.find(became.webhook)
        return answers.of_overflow(found.state, became) if found else became

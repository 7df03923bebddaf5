"""The path of one message: what became of it, and what is known of the times it came.

A message is looked for in the chat's open windows, in its deliveries, newest first, and among the
facts that only the feed keeps. Each webhook may have it, in a window or delivery of its own: once
one has, the others' are looked for back to when it came; the fact of that moment says which did
not get it, and why. Where none of them has it, the ids that the chat remembers say whether it was
accepted once; if they don't know it either, it never came.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from hookbundle.engine.messages.became import Became, BecameCode, what_of
from hookbundle.engine.messages.message import digest_of
from hookbundle.storage.database import rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.delivery_view import KeptAttempt, attempts_of
from hookbundle.storage.reads.paths.acceptance import Acceptance
from hookbundle.storage.reads.paths.asking import STEP_ROWS, Moment, Position, Work
from hookbundle.storage.reads.paths.known import Known, known
from hookbundle.storage.reads.paths.members import Seen
from hookbundle.storage.reads.paths.of_chat import Group, OfChat
from hookbundle.storage.tables import seen_ids
from hookbundle.storage.tables.repeating.candidates import DISORDER_MS

SEARCH_ROWS_MOST = 4_000  # for one answer
SEARCH_BYTES_MAX = 16 * 1024 * 1024
AGAIN_BYTES_MAX = 1024 * 1024
NEVER_CAME = Became(code=BecameCode.NEVER_CAME)
SKIPPED = ("skipped", "unrouted", "overflowed", "removed")
TIMES_MOST = 100  # that a message came and was not stored


class OfWebhook(NamedTuple):
    """The window or delivery of a webhook that has the message, with it alone; or why it has none.

    `attempts`: those of the delivery that are kept, oldest first.
    """

    group: Group
    attempts: tuple[KeptAttempt, ...]


class MessagePath(msgspec.Struct, frozen=True):
    """`became`: None if the search was not over; `position` is where it goes on.

    Once it is found, what goes on is the search for other webhooks' deliveries of it: `became` of a
    later answer is None if there is none. `group`: the window or delivery that has the message,
    that of `outbound` if it is one of several; None if nothing has it. `attempts`: of the group.
    `webhooks`: all that have it, if the workspace has several webhooks, and in the first answer
    that has one those of which it is known that they did not get it. `came`: when it came and
    was not stored, newest first. `searched_to_ms`: how far the search looked back; 0 if it is over.
    """

    became: Became | None
    group: Group | None
    attempts: tuple[KeptAttempt, ...]
    webhooks: tuple[OfWebhook, ...]
    came: tuple[Became, ...]
    known: Known
    position: bytes | None
    searched_to_ms: int


@dataclass(slots=True)
class _Search:
    """What was found so far, by webhook. `deleted`: the chat's last deletion.

    `was_found`: an earlier answer had it.
    """

    message_id: str
    moment: Moment
    was_found: bool = False
    found: dict[str, OfWebhook] = field(default_factory=dict)
    dropped: dict[str, OfWebhook] = field(default_factory=dict)
    order: tuple[Webhook, ...] = ()
    came: list[Became] = field(default_factory=list)
    deleted: Became | None = None
    is_remembered: bool = False
    is_over: bool = False
    looked_to_ms: int = 0

    def became(self) -> Became | None:
        """None if nothing is known of it, as far as was looked."""
        if self.found:
            return self.webhooks()[0].group.became
        if self.was_found:
            return None
        skipped = [each for each in self.came if what_of(each.code) in SKIPPED]
        if skipped or not self.is_over:
            return skipped[0] if skipped else None
        if self.is_remembered or self.came:
            return Became(code=BecameCode.TRIMMED)
        return self.deleted

    def webhooks(self) -> tuple[OfWebhook, ...]:
        """In the order of the workspace's webhooks, `outbound` first."""
        return tuple(self.found[each.id] for each in self.order if each.id in self.found)

    def all_webhooks(self) -> tuple[OfWebhook, ...]:
        """Those that did not get it, too."""
        known = {**self.dropped, **self.found}
        return tuple(known[each.id] for each in self.order if each.id in known)

    def arrived(self) -> Seen | None:
        """The message, if its acceptance may say something of a webhook that does not have it."""
        if self.was_found or len(self.found) == len(self.order):
            return None
        seen = (each.group.messages[0] for each in self.found.values())
        return next((each for each in seen if each.arrived_ms), None)

    def look_in_windows(self, chat: OfChat) -> None:
        for group in chat.open_windows():
            for message in group.messages:
                if message.message_id == self.message_id:
                    self._keep(OfWebhook(replace(group, messages=(message,)), ()))

    def look_in_deliveries(self, chat: OfChat, at: Position, work: Work) -> Position:
        """Up to the newest that has it: an id that is forgotten may come as another message.

        That is the newest of each webhook, and nothing from before the message came.
        """
        self.order = tuple(each.webhook for each in chat.view.webhooks)
        for found in chat.deliveries(at.delivery) if len(self.found) < len(self.order) else ():
            at = at._replace(floor=self._floor_ms(at.floor))
            if found.head.placed_ms < at.floor:
                break
            if work.is_done():
                return at
            at = at._replace(delivery=found.head.number)
            if found.webhook.id in self.found:
                work.spend()
                continue
            messages, size = chat.messages_of(found, self.message_id)
            work.spend(size)
            self.looked_to_ms = found.head.placed_ms
            if messages:
                group = chat.group_of(found, messages[:1], self.moment)
                attempts = attempts_of(chat.txn, found.webhook.number, found.head)
                self._keep(OfWebhook(group, attempts))
                if len(self.found) == len(self.order):
                    break
        return at._replace(delivery=0)

    def _keep(self, found: OfWebhook) -> None:
        self.found.setdefault(found.group.webhook, found)

    def _floor_ms(self, before: int) -> int:
        """No other webhook's delivery of the message was sealed earlier; 0 if it is not found."""
        if before or not self.found:
            return before
        came = [
            each.group.messages[0].arrived_ms or each.group.opened_ms or each.group.sealed_ms
            for each in self.found.values()
        ]
        return max(1, min(came) - DISORDER_MS)

    def look_in_facts(self, chat: OfChat, at: Position, work: Work) -> Position:
        """After all deliveries, so that the search is over with the last fact.

        It is over earlier once anything is known: who looks for one message wants its answer, and
        a sender may have repeated it without end.
        """
        if at.delivery:
            return at
        for fact in chat.facts(at.event):
            if work.is_done():
                self.is_over = bool(self.found or self.came or self.was_found)
                return at
            work.spend(fact.size)
            at = at._replace(event=fact.number)
            self.looked_to_ms = fact.at_ms
            for became, ids in fact.told:
                if not ids:
                    self.deleted = became
                elif self.message_id in ids and len(self.came) < TIMES_MOST:
                    self.came.append(became)
        self.is_over = True
        if not self.found and not self.was_found and _is_remembered(chat, self.message_id):
            self.is_remembered = True
            self._look_again(chat)
        return at

    def _look_again(self, chat: OfChat) -> None:
        """It was accepted. It may have come since the search began, or left its window."""
        self.look_in_windows(chat)
        newest = Position(chat.meta.delivery_next, 0)
        self.look_in_deliveries(chat, newest, Work(STEP_ROWS, AGAIN_BYTES_MAX))


class MessagePaths:
    """Reads of one environment. A search may read megabytes: not on the event loop's thread."""

    def __init__(
        self,
        env: Environment,
        *,
        rows_most: int = SEARCH_ROWS_MOST,
        bytes_most: int = SEARCH_BYTES_MAX,
    ) -> None:
        self._env = env
        self._rows_most = rows_most
        self._bytes_most = bytes_most

    def path(
        self,
        workspace_id: str,
        chat_id: str,
        message_id: str,
        moment: Moment,
        position: bytes = b"",
    ) -> Generator[None, None, MessagePath]:
        """Yields after each read transaction, so that its thread may rest.

        Raises: NotFound if there is no such workspace.
        """
        search, work = _Search(message_id, moment), Work(self._rows_most, self._bytes_most)
        first = True
        while True:
            with self._env.read() as txn:
                chat = OfChat.read(txn, workspace_id, chat_id)
                since, step = known(txn, chat.view), work.step()
                at = Position.unpacked(position, chat.meta)
                if first:
                    search.was_found, first = at.floor > 0, False
                if not position:
                    search.look_in_windows(chat)
                at = search.look_in_deliveries(chat, at, step)
                at = search.look_in_facts(chat, at, step)
                position = at.packed()
            if search.is_over or work.is_done():
                break
            yield
        seen = search.arrived()
        if seen is not None and since.feed_ms is not None and seen.arrived_ms >= since.feed_ms:
            accepted = Acceptance(chat.view.settings.number, chat_id, seen)
            dropped = yield from accepted.not_got(self._env, search.order)
            for each in dropped:
                group = replace(each, became=chat.with_cause(each.became))
                search.dropped[each.webhook] = OfWebhook(group, ())
        found = search.webhooks()
        nowhere = NEVER_CAME if search.is_over and not search.was_found else None
        return MessagePath(
            became=search.became() or nowhere,
            group=found[0].group if found else None,
            attempts=found[0].attempts if found else (),
            webhooks=search.all_webhooks() if len(search.order) > 1 else (),
            came=tuple(search.came),
            known=since,
            position=None if search.is_over else position,
            searched_to_ms=0 if search.is_over else search.looked_to_ms,
        )


def _is_remembered(chat: OfChat, message_id: str) -> bool:
    """Whether the chat knows the id, and would call it a duplicate."""
    record, digest = chat.record(), digest_of(message_id)
    if record is None:
        return False
    if seen_ids.holds(record.seen, digest):
        return True
    prefix = seen_ids.rows_of(chat.view.settings.number, chat.chat, record.seen_base)
    return rows.get_raw(chat.txn, prefix + digest) is not None

"""A chat's past, newest first: its open windows, its deliveries, and what only the feed knows.

A group is messages of which the same became. Deliveries come by the index of the chat, facts by
theirs; both have numbers that rise with time, so a page ends with two numbers, and the next one
begins below them, whatever moves meanwhile. The bodies say which messages were in a delivery.
"""

from collections.abc import Generator, Iterator

import msgspec
from msgspec.structs import replace

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.paths.asking import Moment, Position, Span, Work
from hookbundle.storage.reads.paths.known import Known, known
from hookbundle.storage.reads.paths.members import Seen
from hookbundle.storage.reads.paths.of_chat import ChatDelivery, Group, OfChat
from hookbundle.storage.tables.repeating.candidates import DISORDER_MS

PAGE_ROWS_MOST = 2_000  # looked at for one page
PAGE_BYTES_MAX = 4 * 1024 * 1024


class HistoryPage(msgspec.Struct, frozen=True):
    """`position`: where the next page begins; None after the last one.

    `searched_to_ms`: the page ended because its work was used up, and looked back so far; else 0.
    """

    found: list[Group]
    known: Known
    position: bytes | None
    searched_to_ms: int


class ChatHistory:
    """Reads of one environment. A page may read megabytes: not on the event loop's thread."""

    def __init__(
        self,
        env: Environment,
        *,
        rows_most: int = PAGE_ROWS_MOST,
        bytes_most: int = PAGE_BYTES_MAX,
    ) -> None:
        self._env = env
        self._rows_most = rows_most
        self._bytes_most = bytes_most

    def page(
        self,
        workspace_id: str,
        chat_id: str,
        span: Span,
        moment: Moment,
        limit: int,
        position: bytes = b"",
    ) -> Generator[None, None, HistoryPage]:
        """About `limit` groups of the chat: all of one fact are in one page.

        Yields after each read transaction, so that its thread may rest. Raises: NotFound if there
        is no such workspace.
        """
        found: list[Group] = []
        left = Work(self._rows_most, self._bytes_most)
        while True:
            with self._env.read() as txn:
                chat = OfChat.read(txn, workspace_id, chat_id)
                since = known(txn, chat.view)
                walk = _Walk(
                    chat, span, moment, Position.unpacked(position, chat.meta), left.step()
                )
                if not position:
                    found += walk.windows()
                found += walk.until(limit - len(found))
            if walk.is_over():
                return HistoryPage(found, since, None, 0)
            position = walk.position.packed()
            if len(found) >= limit:
                return HistoryPage(found, since, position, 0)
            if left.is_done():
                return HistoryPage(found, since, position, walk.looked_to_ms)
            yield


class _Walk:
    """Goes back through deliveries and facts, the newer of the two first."""

    def __init__(
        self, chat: OfChat, span: Span, moment: Moment, position: Position, work: Work
    ) -> None:
        self._chat, self._span, self._moment, self._work = chat, span, moment, work
        self.position = position
        self.looked_to_ms = moment.now_ms
        self._deliveries = chat.deliveries(position.delivery)
        self._facts = chat.facts(position.event)
        self._delivery = next(self._deliveries, None)
        self._fact = next(self._facts, None)

    def is_over(self) -> bool:
        return self._delivery is None and self._fact is None

    def windows(self) -> Iterator[Group]:
        for group in self._chat.open_windows():
            self._work.spend()
            yield from self._within(group)

    def until(self, limit: int) -> list[Group]:
        found: list[Group] = []
        while not self.is_over() and len(found) < limit and not self._work.is_done():
            if self._is_delivery_next():
                found += self._take_delivery()
            else:
                found += self._take_fact()
        return found

    def _is_delivery_next(self) -> bool:
        if self._delivery is None or self._fact is None:
            return self._fact is None
        return self._delivery.head.placed_ms >= self._fact.at_ms

    def _take_delivery(self) -> Iterator[Group]:
        found = self._delivery
        assert found is not None
        head = found.head
        if head.placed_ms < self._span.since_ms - DISORDER_MS:
            self._delivery = None
            return
        if head.opened_ms < self._span.until_ms:
            yield from self._within(self._group(found))
        else:
            self._work.spend()
        self.position = self.position._replace(delivery=head.number)
        self.looked_to_ms = min(self.looked_to_ms, head.placed_ms)
        self._delivery = next(self._deliveries, None)

    def _group(self, found: ChatDelivery) -> Group:
        messages, size = self._chat.messages_of(found)
        self._work.spend(size)
        return self._chat.group_of(found, messages, self._moment)

    def _take_fact(self) -> Iterator[Group]:
        fact = self._fact
        assert fact is not None
        if fact.at_ms < self._span.since_ms - DISORDER_MS:
            self._fact = None
            return
        self._work.spend(fact.size)
        for became, ids in fact.told:
            # That the chat was deleted later tells why there is nothing of that time.
            if self._span.has(fact.at_ms) or not ids:
                messages = tuple(Seen(each, arrived_ms=fact.at_ms) for each in ids)
                yield Group(became, messages, len(messages))
        self.position = self.position._replace(event=fact.number)
        self.looked_to_ms = min(self.looked_to_ms, fact.at_ms)
        self._fact = next(self._facts, None)

    def _within(self, group: Group) -> Iterator[Group]:
        """The group with those of its messages that arrived in the span, if there are any."""
        inside = tuple(each for each in group.messages if self._span.has(each.arrived_ms))
        if inside or not group.messages:  # one whose body can't be read may have them
            yield replace(group, messages=inside)

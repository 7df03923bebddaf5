"""The path of one message: what became of it, and what is known of the times it came.

A message is looked for in the chat's open windows, in its deliveries, newest first, and among the
facts that only the feed keeps. Where none of them has it, the ids that the chat remembers say
whether it was accepted once; if they don't know it either, it never came.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.engine.messages.message import digest_of
from hookbundle.storage.database import rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.delivery_view import KeptAttempt, attempts_of
from hookbundle.storage.reads.paths.asking import STEP_ROWS, Moment, Position, Work
from hookbundle.storage.reads.paths.known import Known, known
from hookbundle.storage.reads.paths.of_chat import Group, OfChat
from hookbundle.storage.tables import seen_ids

SEARCH_ROWS_MOST = 4_000  # for one answer
SEARCH_BYTES_MAX = 16 * 1024 * 1024
AGAIN_BYTES_MAX = 1024 * 1024
NEVER_CAME = Became(code=BecameCode.NEVER_CAME)
SKIPPED = (BecameCode.ATTACHMENT, BecameCode.NO_TEXT)
TIMES_MOST = 100  # that a message came and was not stored


@dataclass(frozen=True, slots=True)
class MessagePath:
    """`became`: None if the search was not over; `position` is where it goes on.

    `group`: the window or delivery that has the message, with it alone; None if nothing has it.
    `attempts`: those of the delivery that are kept, oldest first. `came`: when it came and was not
    stored, newest first. `searched_to_ms`: how far the search looked back; 0 if it is over.
    """

    became: Became | None
    group: Group | None
    attempts: tuple[KeptAttempt, ...]
    came: tuple[Became, ...]
    known: Known
    position: bytes | None
    searched_to_ms: int


@dataclass(slots=True)
class _Search:
    """What was found so far. `deleted`: the chat's last deletion."""

    message_id: str
    moment: Moment
    group: Group | None = None
    attempts: tuple[KeptAttempt, ...] = ()
    came: list[Became] = field(default_factory=list)
    deleted: Became | None = None
    is_remembered: bool = False
    is_over: bool = False
    looked_to_ms: int = 0

    def became(self) -> Became | None:
        """None if nothing is known of it, as far as was looked."""
        if self.group is not None:
            return self.group.became
        skipped = [each for each in self.came if each.code in SKIPPED]
        if skipped or not self.is_over:
            return skipped[0] if skipped else None
        if self.is_remembered or self.came:
            return Became(code=BecameCode.TRIMMED)
        return self.deleted

    def look_in_windows(self, chat: OfChat) -> None:
        for group in chat.open_windows():
            for message in group.messages:
                if message.message_id == self.message_id and self.group is None:
                    self.group = replace(group, messages=(message,))

    def look_in_deliveries(self, chat: OfChat, at: Position, work: Work) -> Position:
        """Up to the newest that has it: an id that is forgotten may come as another message."""
        for found in chat.deliveries(at.delivery) if self.group is None else ():
            if work.is_done():
                return at
            messages, size = chat.messages_of(found, self.message_id)
            work.spend(size)
            at = at._replace(delivery=found.head.number)
            self.looked_to_ms = found.head.placed_ms
            if messages:
                self.group = chat.group_of(found, messages[:1], self.moment)
                self.attempts = attempts_of(chat.txn, found.webhook.number, found.head)
                break
        return at._replace(delivery=0)

    def look_in_facts(self, chat: OfChat, at: Position, work: Work) -> Position:
        """After all deliveries, so that the search is over with the last fact.

        It is over earlier once anything is known: who looks for one message wants its answer, and
        a sender may have repeated it without end.
        """
        if at.delivery:
            return at
        for fact in chat.facts(at.event):
            if work.is_done():
                self.is_over = self.group is not None or bool(self.came)
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
        if self.group is None and _is_remembered(chat, self.message_id):
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
        while True:
            with self._env.read() as txn:
                chat = OfChat.read(txn, workspace_id, chat_id)
                since, step = known(txn, chat.view), work.step()
                at = Position.unpacked(position, chat.meta)
                if not position:
                    search.look_in_windows(chat)
                at = search.look_in_deliveries(chat, at, step)
                at = search.look_in_facts(chat, at, step)
                position = at.packed()
            if search.is_over or work.is_done():
                break
            yield
        return MessagePath(
            became=search.became() or (NEVER_CAME if search.is_over else None),
            group=search.group,
            attempts=search.attempts,
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

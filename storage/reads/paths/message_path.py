"""The path of one message: what became of it, and what is known of the times it came.

A message is looked for in the chat's open windows, in its deliveries, newest first, and among the
facts that only the feed keeps. Where none of them has it, the ids that the chat remembers say
whether it was accepted once; if they don't know it either, it never came.
"""

from dataclasses import dataclass, field, replace

from hookbundle.engine.messages.became import Became, BecameCode
from hookbundle.engine.messages.message import digest_of
from hookbundle.storage.database import rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.delivery_view import KeptAttempt, attempts_of
from hookbundle.storage.reads.paths.asking import Moment, Position, Work
from hookbundle.storage.reads.paths.known import Known, known
from hookbundle.storage.reads.paths.of_chat import Group, OfChat
from hookbundle.storage.tables import seen_ids

ROWS_MOST = 256  # looked at in one transaction
READ_BYTES_MAX = 1024 * 1024
SEARCH_ROWS_MOST = 4_000  # for one answer
SEARCH_BYTES_MAX = 16 * 1024 * 1024
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
    position: Position
    group: Group | None = None
    attempts: tuple[KeptAttempt, ...] = ()
    came: list[Became] = field(default_factory=list)
    deleted: Became | None = None
    is_remembered: bool = False
    is_over: bool = False
    looked_to_ms: int = 0


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
    ) -> MessagePath:
        """Raises: NotFound if there is no such workspace."""
        search = _Search(message_id, moment, Position.unpacked(position))
        search.looked_to_ms = moment.now_ms
        left = Work(self._rows_most, self._bytes_most)
        is_first = not position
        while True:
            step = Work(min(ROWS_MOST, left.rows), min(READ_BYTES_MAX, left.size))
            rows_before, size_before = step.rows, step.size
            with self._env.read() as txn:
                chat = OfChat.read(txn, workspace_id, chat_id)
                since = known(txn, chat.view)
                if is_first:
                    _look_in_windows(chat, search)
                _look_in_deliveries(chat, search, step)
                _look_in_facts(chat, search, step)
                search.is_remembered = _is_remembered(chat, message_id)
            is_first = False
            left.rows -= rows_before - step.rows
            left.size -= size_before - step.size
            if search.is_over or left.is_done():
                return _result(search, since)


def _result(search: _Search, since: Known) -> MessagePath:
    is_over = search.is_over or search.group is not None
    return MessagePath(
        became=_became(search) if is_over else None,
        group=search.group,
        attempts=search.attempts,
        came=tuple(search.came),
        known=since,
        position=None if is_over else search.position.packed(),
        searched_to_ms=0 if is_over else search.looked_to_ms,
    )


def _became(search: _Search) -> Became:
    if search.group is not None:
        return search.group.became
    skipped = [
        each for each in search.came if each.code in (BecameCode.ATTACHMENT, BecameCode.NO_TEXT)
    ]
    if skipped:
        return skipped[0]
    if search.is_remembered or search.came:
        return Became(code=BecameCode.TRIMMED)
    return search.deleted or Became(code=BecameCode.NEVER_CAME)


def _look_in_windows(chat: OfChat, search: _Search) -> None:
    for group in chat.open_windows():
        for message in group.messages:
            if message.message_id == search.message_id:
                _found(search, replace(group, messages=(message,)))


def _look_in_deliveries(chat: OfChat, search: _Search, work: Work) -> None:
    for found in chat.deliveries(search.position.delivery):
        if work.is_done():
            return
        messages, size = chat.messages_of(found, search.message_id)
        work.spend(size)
        search.position = search.position._replace(delivery=found.head.number)
        search.looked_to_ms = min(search.looked_to_ms, found.head.sealed_ms)
        if messages:
            _found(search, chat.group_of(found, messages[:1], search.moment))
            search.attempts = attempts_of(chat.txn, found.webhook.number, found.head)
            return
    search.position = search.position._replace(delivery=0)


def _found(search: _Search, group: Group) -> None:
    """No older delivery is looked at: an id that is forgotten may come as another message."""
    search.group = search.group or group
    search.position = search.position._replace(delivery=0)


def _look_in_facts(chat: OfChat, search: _Search, work: Work) -> None:
    """After all deliveries, so that the search is over with the last fact."""
    if search.position.delivery:
        return
    for fact in chat.facts(search.position.event):
        if work.is_done():
            return
        work.spend()
        search.position = search.position._replace(event=fact.number)
        for became, ids in fact.told:
            if not ids:
                search.deleted = became
            elif search.message_id in ids and len(search.came) < TIMES_MOST:
                search.came.append(became)
    search.is_over = True


def _is_remembered(chat: OfChat, message_id: str) -> bool:
    """Whether the chat knows the id, and would call it a duplicate."""
    record, digest = chat.record(), digest_of(message_id)
    if record is None:
        return False
    if seen_ids.holds(record.seen, digest):
        return True
    prefix = seen_ids.rows_of(chat.view.settings.number, chat.chat, record.seen_base)
    return rows.get_raw(chat.txn, prefix + digest) is not None

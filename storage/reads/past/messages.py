"""The newest messages of a workspace, as a filter sees them: to say what it would keep of them.

They are found in open windows, and in the bodies of deliveries of every state, of all webhooks. A
message that no webhook wanted is not kept anywhere, and so it is not found.

A window and a bundle hold account and chat of their newest message alone. What a filter asks of
these is judged by that one for all of them.

All of it is read in short transactions, and looks at a bounded number of records and bytes. What
that leaves out is older than `searched_to_ms`.
"""

import heapq
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import lmdb
import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.filters.subject import Subject
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.delivery_view import is_erased
from hookbundle.storage.reads.past.open_windows import Opened, OpenWindows
from hookbundle.storage.reads.workspace_view import settings_of, usage_in
from hookbundle.storage.tables import bodies, history

DELIVERIES_MOST = 2_000
BYTES_MOST = 8 * 1024 * 1024
ROWS_A_STEP = 256
BYTES_A_STEP = 256 * 1024


class PastMessage(msgspec.Struct, frozen=True):
    """`is_alone`: account and chat are those that it came with itself."""

    chat_id: str
    message_id: str
    arrived_ms: int
    is_alone: bool
    subject: Subject


class _Message(msgspec.Struct, frozen=True, gc=False):
    message_id: str = ""


class _Body(msgspec.Struct, frozen=True, gc=False):
    """Of a bundle, or of a single message."""

    whatsapp_account: msgspec.Raw
    chat: msgspec.Raw
    message: msgspec.Raw = msgspec.Raw()
    messages: list[msgspec.Raw] = []


_bodies = msgspec.json.Decoder(_Body)
_messages = msgspec.json.Decoder(_Message)


@dataclass(slots=True)
class PastMessages:
    """Up to `most` messages, newest first, once `read()` has ended."""

    env: Environment
    workspace_id: str
    most: int
    searched_to_ms: int = 0
    _found: dict[tuple[str, str], PastMessage] = field(default_factory=dict)
    _size: int = 0

    @property
    def found(self) -> list[PastMessage]:
        newest = heapq.nlargest(self.most, self._found.values(), key=_arrived)
        return [each for each in newest if each.arrived_ms >= self.searched_to_ms]

    def read(self) -> Generator[None, None, None]:
        """Yields after each read transaction, so that its thread may rest. Raises: NotFound."""
        windows = OpenWindows(self.env, self.workspace_id, self.most)
        newest = yield from windows.read()
        self.searched_to_ms = windows.searched_to_ms
        for opened in newest:
            if self._size >= BYTES_MOST:
                self.searched_to_ms = max(self.searched_to_ms, opened.arrived_ms)
                break
            with self.env.read() as txn:
                self._take_window(txn, opened)
            yield
        yield from self._deliveries()

    def _take_window(self, txn: lmdb.Transaction, opened: Opened) -> None:
        """The newest messages of the window are found; its parts are read from the last one on."""
        window, chat_id = opened.window, opened.chat.decode()
        for member in islice(opened.members(txn), self.most):
            self._size += len(member.message)
            arrived_ms = member.arrived_ms or opened.arrived_ms
            self._add(
                chat_id,
                member.message,
                arrived_ms,
                is_alone=window.count == 1,
                account=window.account,
                chat=window.chat,
                extra=window.extra,
            )

    def _deliveries(self) -> Generator[None, None, None]:
        """Those of all webhooks, the youngest first, until none can have a newer message."""
        end, seen = 2**63, 0
        while True:
            with self.env.read() as txn:
                settings = settings_of(txn, self.workspace_id)
                usage, size = usage_in(txn, settings.number), self._size
                walks = [
                    _backwards(txn, each.number, end)
                    for each in rows.webhooks(txn, settings.number)
                ]
                delivery, oldest_ms = None, self._oldest_wanted_ms()
                of_all = heapq.merge(*walks, key=lambda found: -found[1].number)
                for webhook, delivery in islice(of_all, ROWS_A_STEP):
                    seen += 1
                    end = delivery.number
                    if delivery.sealed_ms < oldest_ms:
                        return
                    if not is_erased(txn, usage, settings.number, delivery):
                        self._take_delivery(txn, webhook, delivery)
                    if seen >= DELIVERIES_MOST or self._size >= BYTES_MOST:
                        self.searched_to_ms = max(self.searched_to_ms, delivery.sealed_ms)
                        return
                    if self._size - size >= BYTES_A_STEP:
                        break
            yield
            if delivery is None:
                return

    def _take_delivery(self, txn: lmdb.Transaction, webhook: int, delivery: Delivery) -> None:
        try:
            get = partial(rows.get_raw, txn)
            body, packed = bodies.read_all(get, webhook, delivery.number, delivery.body_bytes)
            read = _bodies.decode(body)
        except CorruptRecord as exc:
            damaged.say(exc)
            return
        except (msgspec.MsgspecError, UnicodeDecodeError):  # 0.1 may have stored such a one
            return
        self._size += len(body)
        messages = read.messages or ([read.message] if bytes(read.message) else [])
        arrivals = bodies.arrivals_of(delivery, packed)
        if len(arrivals) != len(messages):
            arrivals = [0] * len(messages)
        for message, arrived_ms in zip(messages, arrivals, strict=True):
            self._add(
                delivery.chat_id,
                bytes(message),
                arrived_ms or delivery.sealed_ms,
                is_alone=len(messages) == 1,
                account=bytes(read.whatsapp_account),
                chat=bytes(read.chat),
                extra=delivery.extra,
            )

    def _add(
        self,
        chat_id: str,
        message: bytes,
        arrived_ms: int,
        *,
        is_alone: bool,
        account: bytes,
        chat: bytes,
        extra: bytes,
    ) -> None:
        """The message is found; of one that several webhooks have, what is known best."""
        message_id = _messages.decode(message).message_id
        key = (chat_id, message_id)
        known = self._found.get(key)
        if known is None or (is_alone and not known.is_alone):
            subject = Subject(account=account, chat=chat, message=message, extra=extra)
            self._found[key] = PastMessage(chat_id, message_id, arrived_ms, is_alone, subject)

    def _oldest_wanted_ms(self) -> int:
        """Older messages are not among the newest, and forgotten; 0 as long as some are missing."""
        if len(self._found) < self.most:
            return 0
        newest = heapq.nlargest(self.most, self._found.items(), key=lambda item: _arrived(item[1]))
        self._found = dict(newest)
        return _arrived(newest[-1][1])


def _backwards(txn: lmdb.Transaction, webhook: int, end: int) -> Iterator[tuple[int, Delivery]]:
    prefix = keyspace.owned(keyspace.DELIVERIES, webhook)
    for key, value in rows.rows_before(txn, prefix, history.key_of(webhook, end)):
        delivery = damaged.without(key, value, Delivery)
        if delivery is not None:
            yield webhook, delivery


def _arrived(message: PastMessage) -> int:
    return message.arrived_ms

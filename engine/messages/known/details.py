"""Account and chat details, known again by their bytes.

What a client sends of an account, and of a chat, is the same with each of its messages, byte for
byte. So it is decoded, checked and encoded once, and then found by the bytes that came. Only what
has no fault, no unknown field and no change in it is taken this way; all else is for parsing.py,
which says what it is.

What is remembered has a limit for all workspaces together. Past it a workspace that has more than
its share forgets what it remembered first; if none of those asks, the one does that was asked for
longest ago. So no workspace can make another forget by sending many chats: it forgets its own.
"""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.messages import timestamps
from hookbundle.engine.messages.malformed import NOT_READ
from hookbundle.engine.messages.message import (
    ChatDetails,
    Incoming,
    PartsByChat,
    details_of,
    encode,
    kept_of,
)
from hookbundle.engine.messages.strict import StrictAccount, StrictChat, StrictMessage

BYTES_MAX = 8 * 1024 * 1024  # some 9,000 chats
RAW_BYTES_MAX = 2_048  # what is larger is decoded each time
ENTRY_BYTES = 300  # of the objects that hold an entry, beside its bytes


class KnownEvent(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A message event whose details are not looked at yet."""

    whatsapp_account: msgspec.Raw
    chat: msgspec.Raw
    message: StrictMessage


_one = msgspec.json.Decoder(KnownEvent)
_many = msgspec.json.Decoder(list[KnownEvent])
_account = msgspec.json.Decoder(StrictAccount)
_chat = msgspec.json.Decoder(StrictChat)


class _Of:
    """What is known of one owner: by the bytes that came, first what was remembered first."""

    __slots__ = ("accounts", "bytes", "chats")

    def __init__(self) -> None:
        self.accounts: dict[bytes, bytes] = {}
        self.chats: dict[bytes, ChatDetails] = {}
        self.bytes = 0

    def forget_first(self) -> int:
        """Returns how many bytes are free now."""
        if self.chats:
            raw = next(iter(self.chats))
            freed = _chat_bytes(raw, self.chats.pop(raw))
        else:
            raw = next(iter(self.accounts))
            freed = _account_bytes(raw, self.accounts.pop(raw))
        self.bytes -= freed
        return freed


class KnownDetails:
    """Belongs to one thread. `bytes`: of all that is known, `bytes_max` at most."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._of: OrderedDict[int, _Of] = OrderedDict()  # the one asked for longest ago comes first
        self.bytes = 0

    def by_chat(self, owner: int, body: bytes, *, ndjson: bool) -> PartsByChat | None:
        """The messages of a body by chat, as `message.by_chat` has them; None if there is anything
        to say about it. `owner`: the number of its workspace."""
        known = self._of.pop(owner, None) or _Of()
        try:
            return self._sorted(known, _events(body, ndjson=ndjson))
        except (*NOT_READ, timestamps.NoTime):
            return None
        finally:
            if known.bytes:
                self._of[owner] = known
            if self.bytes > self._bytes_max:
                self._make_room(owner)

    def _sorted(self, known: _Of, events: Iterable[KnownEvent]) -> PartsByChat:
        """Raises: one of NOT_READ; NoTime."""
        found: PartsByChat = {}
        for event in events:
            raw = bytes(event.chat)
            chat = known.chats.get(raw) or self._learn_chat(known, raw)
            raw = bytes(event.whatsapp_account)
            account = known.accounts.get(raw) or self._learn_account(known, raw)
            kept = kept_of(event.message, account, chat)
            parts = found.get(chat.chat_id)
            if parts is None:
                parts = found[chat.chat_id] = ([], [])
            if isinstance(kept, Incoming):
                parts[0].append(kept)
            else:
                parts[1].append(kept)
        return found

    def _learn_chat(self, known: _Of, raw: bytes) -> ChatDetails:
        """Raises: one of NOT_READ."""
        chat = _chat.decode(raw)
        if len(chat.chat_id.encode()) > limits.CHAT_ID_BYTES_MAX:
            raise msgspec.ValidationError
        details = details_of(chat)
        if len(raw) <= RAW_BYTES_MAX:
            known.chats[raw] = details
            self._count(known, _chat_bytes(raw, details))
        return details

    def _learn_account(self, known: _Of, raw: bytes) -> bytes:
        """Raises: one of NOT_READ."""
        account = encode(_account.decode(raw))
        if len(raw) <= RAW_BYTES_MAX:
            known.accounts[raw] = account
            self._count(known, _account_bytes(raw, account))
        return account

    def _count(self, known: _Of, size: int) -> None:
        known.bytes += size
        self.bytes += size

    def _make_room(self, owner: int) -> None:
        while self.bytes > self._bytes_max:
            asked, share = self._of.get(owner), self._bytes_max // len(self._of)
            has_more = asked is not None and asked.bytes > share
            giving = owner if has_more else next(iter(self._of))
            known = self._of[giving]
            self.bytes -= known.forget_first()
            if not known.bytes:
                del self._of[giving]


def _events(body: bytes, *, ndjson: bool) -> Iterable[KnownEvent]:
    """Raises: one of NOT_READ."""
    if ndjson:
        return _one.decode_lines(body)
    if body[:1] == b"{":
        return (_one.decode(body),)
    return _many.decode(body)


def _chat_bytes(raw: bytes, details: ChatDetails) -> int:
    return ENTRY_BYTES + len(raw) + len(details.sent) + len(details.extra)


def _account_bytes(raw: bytes, sent: bytes) -> int:
    return ENTRY_BYTES + len(raw) + len(sent)

"""What a filter may know of a message: of its account, its chat and itself, as they are stored.

The stored JSON is decoded when a condition asks for it, and once for all webhooks of a workspace.
So a message of a workspace without filters costs nothing here.
"""

import unicodedata

import msgspec

from hookbundle.engine.messages.phones import digits_of


class _Account(msgspec.Struct, frozen=True, gc=False):
    phone: str | None = ""


class _Chat(msgspec.Struct, frozen=True, gc=False):
    chat_id: str = ""
    responsible_email: str | None = ""
    is_group: bool = False
    is_new_chat: bool = False


class _Message(msgspec.Struct, frozen=True, gc=False):
    direction: str = ""
    text: str | None = ""


class _Extra(msgspec.Struct, frozen=True, gc=False):
    labels: tuple[str, ...] = ()


_account_decoder = msgspec.json.Decoder(_Account)
_chat_decoder = msgspec.json.Decoder(_Chat)
_message_decoder = msgspec.json.Decoder(_Message)
_extra_decoder = msgspec.json.Decoder(_Extra)


class Subject:
    """A message as filters see it; an empty value stands for what is not known of it.

    `looked_through`: so many characters of texts; it is what filters cost that may cost much.
    """

    __slots__ = (
        "_account",
        "_chat",
        "_chat_of",
        "_extra",
        "_found",
        "_labels",
        "_message",
        "_message_of",
        "_text",
        "looked_through",
    )

    def __init__(self, *, account: bytes, chat: bytes, message: bytes, extra: bytes = b"") -> None:
        self._account, self._chat, self._message, self._extra = account, chat, message, extra
        self._chat_of: _Chat | None = None
        self._message_of: _Message | None = None
        self._labels: frozenset[str] | None = None
        self._text: str | None = None
        self._found: dict[str, bool] = {}
        self.looked_through = 0

    @property
    def direction(self) -> str:
        """`received` or `sent`."""
        return self._decoded_message().direction

    @property
    def kind(self) -> str:
        """`direct` or `group`."""
        return "group" if self._decoded_chat().is_group else "direct"

    @property
    def is_new_chat(self) -> bool:
        return self._decoded_chat().is_new_chat

    @property
    def chat_id(self) -> str:
        return self._decoded_chat().chat_id

    @property
    def account(self) -> str:
        """The digits of the account's phone."""
        return plain_phone(_account_decoder.decode(self._account).phone or "")

    @property
    def responsible(self) -> str:
        return folded((self._decoded_chat().responsible_email or "").strip())

    @property
    def labels(self) -> frozenset[str]:
        if self._labels is None:
            found = _extra_decoder.decode(self._extra).labels if self._extra else ()
            self._labels = frozenset([plain_label(label) for label in found])
        return self._labels

    def has(self, word: str) -> bool:
        """Whether the folded word is a part of the text. Webhooks that ask for the same one share
        the look."""
        found = self._found.get(word)
        if found is None:
            if self._text is None:
                self._text = folded(self._decoded_message().text or "")
            found = self._found[word] = word in self._text
            self.looked_through += len(self._text)
        return found

    def _decoded_chat(self) -> _Chat:
        if self._chat_of is None:
            self._chat_of = _chat_decoder.decode(self._chat)
        return self._chat_of

    def _decoded_message(self) -> _Message:
        if self._message_of is None:
            self._message_of = _message_decoder.decode(self._message)
        return self._message_of


def folded(text: str) -> str:
    """The text without regard to case, and to whether accents are characters of their own."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def plain_label(label: str) -> str:
    """A label as labels are compared: as people tell them apart."""
    return folded(label.strip())


def plain_phone(phone: str) -> str:
    """A phone as phones are compared: its digits, and 00 before them stands for a plus sign.

    Empty if there is no digit, or too many for a phone.
    """
    return digits_of(phone).removeprefix("00")

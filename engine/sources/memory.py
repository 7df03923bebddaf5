"""What a source remembers between its requests: asked by adapters, told as frozen values.

A source names one person by a phone today and by a hidden id tomorrow, and one chat must not become
two for it. So an id is remembered with its phone as soon as one payload has both.

An adapter asks `Memory` and returns what it learned. It never writes. In one request it asks a
`Notes`, which knows what the earlier events of this request taught.
"""

from typing import Protocol, TypeAlias

import msgspec

from hookbundle.engine import limits


class Memory(Protocol):
    """What was learned so far. All keys and values are texts without their prefix or suffix noise.

    Every answer may be missing: a memory is bounded, and the oldest go.
    """

    def phone_of_lid(self, lid: str) -> str | None:
        """The digits of the phone that `<n>@lid` stands for."""

    def phone_of_user(self, user_id: str) -> str | None:
        """The digits of the phone of a business-scoped user id, as `US.1349`."""

    def name_of(self, chat_id: str) -> str | None:
        """The name of a chat: of the contact, or the subject of the group."""

    def is_new(self, chat_id: str) -> bool:
        """Whether the source said that the chat was just made, and no message came since."""

    def chat_of_message(self, message_id: str) -> str | None:
        """The chat of a message received lately, where the source's edits don't name it."""


class NoMemory:
    """The memory of a source that has learned nothing."""

    def phone_of_lid(self, lid: str) -> str | None:
        return None

    def phone_of_user(self, user_id: str) -> str | None:
        return None

    def name_of(self, chat_id: str) -> str | None:
        return None

    def is_new(self, chat_id: str) -> bool:
        return False

    def chat_of_message(self, message_id: str) -> str | None:
        return None


class LidPhone(msgspec.Struct, frozen=True):
    """`lid`: `<n>@lid`; `phone`: digits. `chat_id`: the chat of that phone; with it, this goes."""

    lid: str
    phone: str
    chat_id: str


class UserPhone(msgspec.Struct, frozen=True):
    """`user_id`: `US.1349`, `ID.4566`; `phone`: digits. Goes with the chat of that phone."""

    user_id: str
    phone: str
    chat_id: str


class ChatName(msgspec.Struct, frozen=True):
    chat_id: str
    name: str


class ChatCreated(msgspec.Struct, frozen=True):
    """The next message of the chat is its first."""

    chat_id: str


class ChatBegun(msgspec.Struct, frozen=True):
    """The first message of a new chat came: it is new no more."""

    chat_id: str


class MessageChat(msgspec.Struct, frozen=True):
    """Where a message is, for edits that don't say it. One for each received message.

    So these need a ring of their own, in which they push out each other and nothing else. An edit
    comes within 15 minutes, a deletion within two days.
    """

    message_id: str
    chat_id: str


Learned: TypeAlias = LidPhone | UserPhone | ChatName | ChatCreated | ChatBegun | MessageChat


class Notes(msgspec.Struct):
    """A memory together with what this request has taught so far.

    What the memory says already is not learned again; of a chat it is asked once. What is over a
    limit of intake never becomes a message, so it is neither asked for nor learned: every key is
    bounded.
    """

    memory: Memory
    learned: list[Learned] = []
    _lids: dict[str, str] = {}
    _users: dict[str, str] = {}
    _names: dict[str, str | None] = {}
    _new: dict[str, bool] = {}
    _chats: dict[str, str] = {}

    def phone_of_lid(self, lid: str) -> str | None:
        return self._lids.get(lid) or self.memory.phone_of_lid(lid)

    def phone_of_user(self, user_id: str) -> str | None:
        return self._users.get(user_id) or self.memory.phone_of_user(user_id)

    def name_of(self, chat_id: str) -> str | None:
        if chat_id in self._names:
            return self._names[chat_id]
        if not _is_chat(chat_id):
            return None
        found = self._names[chat_id] = self.memory.name_of(chat_id)
        return found

    def is_new(self, chat_id: str) -> bool:
        if chat_id in self._new:
            return self._new[chat_id]
        if not _is_chat(chat_id):
            return False
        found = self._new[chat_id] = self.memory.is_new(chat_id)
        return found

    def chat_of_message(self, message_id: str) -> str | None:
        if not 0 < len(message_id) <= limits.MESSAGE_ID_CHARS_MAX:
            return None
        return self._chats.get(message_id) or self.memory.chat_of_message(message_id)

    def lid_is(self, lid: str, phone: str, chat_id: str) -> None:
        if self.phone_of_lid(lid) != phone:
            self._lids[lid] = phone
            self.learned.append(LidPhone(lid, phone, chat_id))

    def user_is(self, user_id: str, phone: str, chat_id: str) -> None:
        if self.phone_of_user(user_id) != phone:
            self._users[user_id] = phone
            self.learned.append(UserPhone(user_id, phone, chat_id))

    def chat_is_called(self, chat_id: str, name: str) -> None:
        if name and _is_chat(chat_id) and self.name_of(chat_id) != name:
            self._names[chat_id] = name
            self.learned.append(ChatName(chat_id, name))

    def chat_is_new(self, chat_id: str) -> None:
        if _is_chat(chat_id) and not self.is_new(chat_id):
            self._new[chat_id] = True
            self.learned.append(ChatCreated(chat_id))

    def chat_has_begun(self, chat_id: str) -> None:
        if self.is_new(chat_id):
            self._new[chat_id] = False
            self.learned.append(ChatBegun(chat_id))

    def message_is_in(self, message_id: str, chat_id: str) -> None:
        if self.chat_of_message(message_id) != chat_id:
            self._chats[message_id] = chat_id
            self.learned.append(MessageChat(message_id, chat_id))


def _is_chat(chat_id: str) -> bool:
    return 0 < len(chat_id.encode("utf-8", "replace")) <= limits.CHAT_ID_BYTES_MAX

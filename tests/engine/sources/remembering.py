"""A memory that keeps what it is told, as the database's does."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hookbundle.engine.sources.memory import (
    ChatBegun,
    ChatCreated,
    ChatName,
    Learned,
    LidPhone,
    MessageChat,
    UserPhone,
)


@dataclass(slots=True)
class Remembering:
    lids: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    chats: dict[str, str] = field(default_factory=dict)

    def phone_of_lid(self, lid: str) -> str | None:
        return self.lids.get(lid)

    def phone_of_user(self, user_id: str) -> str | None:
        return self.users.get(user_id)

    def name_of(self, chat_id: str) -> str | None:
        return self.names.get(chat_id)

    def is_new(self, chat_id: str) -> bool:
        return chat_id in self.new

    def chat_of_message(self, message_id: str) -> str | None:
        return self.chats.get(message_id)

    def learn(self, learned: Iterable[Learned]) -> None:
        for each in learned:
            match each:
                case LidPhone(lid, phone, _):
                    self.lids[lid] = phone
                case UserPhone(user_id, phone, _):
                    self.users[user_id] = phone
                case ChatName(chat_id, name):
                    self.names[chat_id] = name
                case ChatCreated(chat_id):
                    self.new.add(chat_id)
                case ChatBegun(chat_id):
                    self.new.discard(chat_id)
                case MessageChat(message_id, chat_id):
                    self.chats[message_id] = chat_id

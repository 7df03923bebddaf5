"""A message for each answer to "what became of it?", and what those messages look like."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hookbundle.engine.messages.became import BecameCode
from hookbundle.engine.messages.message import Event
from hookbundle.engine.messages.timestamps import format_utc

NAMES = ("Amal Haddad", "Noam Levi", "Jane Smith", "Omar Said", "Maya Cohen", "Lina Aziz")

STORED = (  # what may become of a message that is kept
    "collecting",
    "held.disabled_by_errors",
    "held.disabled_by_a_person",
    "held.no_url",
    "held.backing_off",
    "delivered",
    "dead_letter.rejected",
    "dead_letter.receiver_fails",
    "discarded",
)


@dataclass(frozen=True)
class Case:
    """A message; `arrived_ms`: when it came, or came again."""

    workspace: str
    chat_id: str
    message_id: str
    arrived_ms: int

    @property
    def phone(self) -> str:
        return phone_of(self.chat_id)

    @property
    def name(self) -> str:
        return name_of(self.chat_id)


@dataclass
class Past:
    """`since_ms`: when the three days began; `ends_ms`: the latest time in the database."""

    path: Path
    since_ms: int
    ends_ms: int
    cases: dict[BecameCode, Case] = field(default_factory=dict)

    def note(
        self, code: BecameCode, chat: str, message: str, at_ms: int, workspace: str = "acme"
    ) -> None:
        """The first one of a kind is its case."""
        self.cases.setdefault(code, Case(workspace, chat, message, at_ms))


def phone_of(chat_id: str) -> str:
    return f"+97250{sum(map(ord, chat_id)):03}{chat_id[-4:]:>04}"


def name_of(chat_id: str) -> str:
    return NAMES[int(chat_id) % len(NAMES)] + (f" {chat_id[-3:]}")


def event(chat_id: str, message_id: str, at_ms: int, text: str = "") -> Event:
    """A message as it comes in."""
    phone, name = phone_of(chat_id), name_of(chat_id)
    return msgspec.convert(
        {
            "whatsapp_account": {"full_name": "Amnon", "email": "a@acme.example", "phone": "+972"},
            "chat": {
                "full_name": name,
                "chat_url": f"https://inbox.example/chat/{chat_id}",
                "chat_id": chat_id,
                "phone": phone,
            },
            "message": {
                "direction": "received",
                "timestamp": format_utc(at_ms // 1_000),
                "message_id": message_id,
                "sender": {"full_name": name, "phone": phone},
                "recipient": {"full_name": "Amnon", "phone": "+972500000000"},
                "text": text or f"A note of {name}, {message_id}",
            },
        },
        Event,
    )

"""What one request of a source yields: outcomes in the order of its body, and what to remember.

A request never fails as a whole because of what one of its events holds. Each event has an outcome
of its own, so the rest of a batch is taken whatever one of them is.

    match outcome:
        case MessageEvent(event): ...   # to intake, as if it were posted to /messages
        case Edit() | Delete(): ...     # to intake, as the same changes posted to /messages
        case Skipped(): ...             # counted, in the feed; the message is not carried
        case Ignored(): ...             # counted by its reason, and answered like all others
        case Invalid(): ...             # counted; shown to the owner with what is wrong
"""

from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from hookbundle.engine.errors import Fault
from hookbundle.engine.messages.message import Event
from hookbundle.engine.sources.memory import Learned

EVENT_NAME_CHARS_MAX = 64  # of an event's name in an outcome; a longer one is cut


class Reason(StrEnum):
    """Why a request, or one event of it, yields no message. A closed set: metrics count by it."""

    ACK = "ack"  # sent, delivered, read, played, failed
    REACTION = "reaction"
    PRESENCE = "presence"  # online, typing
    CALL = "call"
    POLL_VOTE = "poll_vote"  # and answers to calendar events
    LABEL = "label"
    CHAT = "chat"  # a chat was made, archived, renamed
    CONTACT = "contact"
    GROUP = "group"  # a group was made, or its members changed
    CONVERSATION = "conversation"  # an inbox's own record of a chat
    SESSION = "session"  # the connection, the account, its configuration
    SYSTEM = "system"  # notices that WhatsApp writes into a chat
    PROTOCOL = "protocol"  # what phones tell each other
    WAITING = "waiting"  # not decrypted yet: the text comes later, under the same id
    HISTORY = "history"
    STATUS_BROADCAST = "status_broadcast"
    BROADCAST = "broadcast"
    NEWSLETTER = "newsletter"
    PRIVATE_NOTE = "private_note"
    NOT_WHATSAPP = "not_whatsapp"
    NOT_A_TEXT = "not_a_text"  # a form, a survey, cards
    EDIT_WITHOUT_TEXT = "edit_without_text"
    EDIT_OF_MEDIA = "edit_of_media"  # of a caption: its message was skipped
    CHAT_UNKNOWN = "chat_unknown"  # an edit or deletion that does not say of which chat
    GROUPS_OFF = "groups_off"  # by the source's settings
    SENT_OFF = "sent_off"  # by the source's settings
    UNSUPPORTED = "unsupported"  # the source could not read it itself
    UNKNOWN_TYPE = "unknown_type"
    OTHER_FIELD = "other_field"
    ERRORS = "errors"  # the source tells of its own
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_SHAPE = "unknown_shape"  # JSON, but nothing that is known of this kind
    OVERSIZE = "oversize"  # the request is too large to be read, or has too many events


class MessageEvent(msgspec.Struct, frozen=True):
    """A message. `event` is checked: it is within every limit of intake, and it has a text.

    Its `timestamp` is milliseconds since 1970. What it knows of the contact beside the payload
    (`user_id`, `username`, `lid`, labels) stands in `event.chat`.
    """

    event: Event


class Edit(msgspec.Struct, frozen=True):
    """A message has another text now. The same text again changes nothing.

    `edited_ms`: since 1970; None where the source does not say: then the arrival counts.
    """

    chat_id: str
    message_id: str
    text: str
    edited_ms: int | None


class Delete(msgspec.Struct, frozen=True):
    """A message was taken back, `deleted_ms` after 1970; None where the source does not say."""

    chat_id: str
    message_id: str
    deleted_ms: int | None


class Skipped(msgspec.Struct, frozen=True):
    """A message that the payload has no place for."""

    chat_id: str
    message_id: str
    reason: Literal["attachment", "no_text"]


class Ignored(msgspec.Struct, frozen=True):
    """No message at all. `event`: its name as the source has it, cut, or empty."""

    reason: Reason
    event: str = ""


class Invalid(msgspec.Struct, frozen=True):
    """An event that says it is a message and can't be one: without an id, or over a limit.

    `faults` have paths in the message as intake has it (`message.text`), or in what was posted.
    They hold nothing of the message but what sentences of faults show.
    """

    faults: tuple[Fault, ...]
    event: str = ""


Outcome: TypeAlias = MessageEvent | Edit | Delete | Skipped | Ignored | Invalid


class Translation(msgspec.Struct, frozen=True):
    """All that one request yields.

    `learned` goes into the source's memory, in this order, beside the messages; they may be in
    another transaction. It holds only what the memory did not know: most requests teach nothing. A
    repeat within one body is there twice; intake recognises it.
    """

    outcomes: tuple[Outcome, ...]
    learned: tuple[Learned, ...] = ()


class Unreadable(msgspec.Struct, frozen=True):
    """The body is no JSON. It is the only outcome that is answered 400, as it will not get better.

    Twilio's bodies are forms, which can always be read.
    """

    fault: Fault

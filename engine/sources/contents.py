"""What a message holds: a text, something the payload has no place for, or nothing at all.

`of_message` reads WhatsApp's own object for a message, as Evolution sends it and WAHA's engines
NOWEB and GOWS send it along. Beside its content it has other keys (`messageContextInfo`, `base64`,
`speechToText`), which may come first. The text stays as it is: nothing is trimmed or converted.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from hookbundle.engine.sources import reading
from hookbundle.engine.sources.outcomes import Reason


class Text(msgspec.Struct, frozen=True):
    text: str


class Skip(msgspec.Struct, frozen=True):
    """Counted as skipped: the payload has no place for it."""

    reason: Literal["attachment", "no_text"]


class Nothing(msgspec.Struct, frozen=True):
    """No message at all."""

    reason: Reason


class Protocol(msgspec.Struct, frozen=True):
    """What phones tell each other; among it are edits and deletions."""

    protocol: dict[str, Any]


Content: TypeAlias = Text | Skip | Nothing
ATTACHMENT = Skip("attachment")
NO_TEXT = Skip("no_text")

UNWRAPPED_MAX = 6
WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "editedMessage",
    "deviceSentMessage",
    "groupMentionedMessage",
    "botInvokeMessage",
    "lottieStickerMessage",
)
NOTHING = {
    "secretEncryptedMessage": Reason.EDIT_WITHOUT_TEXT,  # an edit that is still encrypted
    "reactionMessage": Reason.REACTION,
    "encReactionMessage": Reason.REACTION,
    "pollUpdateMessage": Reason.POLL_VOTE,
    "encEventResponseMessage": Reason.POLL_VOTE,
    "keepInChatMessage": Reason.PROTOCOL,
    "pinInChatMessage": Reason.PROTOCOL,
    "call": Reason.CALL,
    "callLogMesssage": Reason.CALL,  # with three s, as WhatsApp has it
}
MEDIA = (
    "imageMessage",
    "videoMessage",
    "ptvMessage",
    "audioMessage",
    "documentMessage",
    "stickerMessage",
    "lottieStickerMessage",
    "stickerPackMessage",
    "albumMessage",
)
TEXTS = (
    ("conversation",),
    ("extendedTextMessage", "text"),
    ("buttonsResponseMessage", "selectedDisplayText"),
    ("templateButtonReplyMessage", "selectedDisplayText"),
    ("listResponseMessage", "title"),
    ("interactiveResponseMessage", "body", "text"),
    ("templateMessage", "hydratedTemplate", "hydratedContentText"),
    ("templateMessage", "hydratedFourRowTemplate", "hydratedContentText"),
    ("interactiveMessage", "body", "text"),
    ("buttonsMessage", "contentText"),
    ("listMessage", "description"),
    ("orderMessage", "message"),
)
# A filled-in form: the body is the word "Sent", the answers are JSON.
FLOWS = ("flow", "galaxy_message", "address_message")
WITHOUT_TEXT = (
    "locationMessage",
    "liveLocationMessage",
    "contactMessage",
    "contactsArrayMessage",
    "pollCreationMessage",
    "pollCreationMessageV2",
    "pollCreationMessageV3",
    "productMessage",
    "eventMessage",
    "groupInviteMessage",
    *(keys[0] for keys in TEXTS),
)

# What most messages have none of is asked at once.
ANY_WRAPPER = frozenset(WRAPPERS)
NO_PLAIN_TEXT = frozenset((*NOTHING, *MEDIA, "interactiveResponseMessage"))

# The types of WhatsApp Web's own objects. Only of these `body` is a text: that of a location or a
# product is a thumbnail in base64, that of a contact the whole card.
WEB_TEXT_TYPES = (
    "chat",
    "list_response",
    "buttons_response",
    "template_button_reply",
    "interactive",
    "hsm",
)
WEB_MEDIA_TYPES = ("image", "video", "gif", "ptv", "audio", "ptt", "document", "sticker", "album")
WEB_NOTHING_TYPES = {
    "e2e_notification": Reason.SYSTEM,
    "notification": Reason.SYSTEM,
    "notification_template": Reason.SYSTEM,
    "group_notification": Reason.SYSTEM,
    "broadcast_notification": Reason.SYSTEM,
    "gp2": Reason.SYSTEM,
    "revoked": Reason.SYSTEM,
    "ciphertext": Reason.WAITING,
    "call_log": Reason.CALL,
    "protocol": Reason.PROTOCOL,
    "reaction": Reason.REACTION,
}


def of_message(message: Any) -> Content | Protocol | None:
    """The content of WhatsApp's object of a message; None if nothing in it is known."""
    message = unwrapped(message)
    if not isinstance(message, dict):
        return None
    protocol = message.get("protocolMessage")
    if isinstance(protocol, dict):
        return Protocol(protocol)
    if not NO_PLAIN_TEXT.isdisjoint(message):
        for key, reason in NOTHING.items():
            if message.get(key):
                return Nothing(reason)
        if any(message.get(key) for key in MEDIA):
            return ATTACHMENT
        if _is_flow(message):
            return NO_TEXT
    for keys in TEXTS:
        text = reading.text(message, *keys)
        if text.strip():
            return Text(text)
    return NO_TEXT if any(key in message for key in WITHOUT_TEXT) else None


def of_web_type(kind: Any) -> Content | None:
    """What the type of one of WhatsApp Web's objects says of its content.

    None if it has a text, which stands in `body`, or if there is no type.
    """
    if not isinstance(kind, str):
        return None if kind is None else NO_TEXT
    if kind in WEB_NOTHING_TYPES:
        return Nothing(WEB_NOTHING_TYPES[kind])
    if kind in WEB_MEDIA_TYPES:
        return ATTACHMENT
    return None if not kind or kind in WEB_TEXT_TYPES else NO_TEXT


def unwrapped(message: Any) -> Any:
    """The message within its wrappers: disappearing, seen once, with a caption, from a device."""
    for _ in range(UNWRAPPED_MAX):
        if not isinstance(message, dict) or ANY_WRAPPER.isdisjoint(message):
            break
        inner = next(
            (
                found
                for key in WRAPPERS
                if isinstance(found := reading.at(message, key, "message"), dict)
            ),
            None,
        )
        if inner is None:
            break
        message = inner
    return message


def text_or_skip(text: str | None) -> Text | Skip:
    """The text as it is; a blank one is none."""
    return Text(text) if text and text.strip() else NO_TEXT


def _is_flow(message: dict[str, Any]) -> bool:
    kind = reading.text(message, "interactiveResponseMessage", "nativeFlowResponseMessage", "name")
    return kind in FLOWS

"""The bodies of webhook requests, as compact UTF-8 JSON.

Their fields and the order of the fields are those of the product's original specification of the
payload (docs/payload.md). The API stores accounts, chats and messages as JSON objects, so a body is
put together from them and not encoded again. Only the aggregation's HTML is made here.
"""

import html
from collections.abc import Sequence

import msgspec

from hookbundle.engine.messages import directions, timestamps
from hookbundle.engine.messages.message import Chat, Party, encode

BREAK = "<br/>"
STAND_IN_BYTES_MAX = 100  # as HTML within JSON
ELLIPSIS_BYTES = 3
FRAME_BYTES = 200  # the names of the fields, two timestamps; `is_new_chat`, if it becomes false
SPECIALS = b"&<>\"'\\"  # these get longer as HTML or as JSON


class MessageForHtml(msgspec.Struct, frozen=True, gc=False):
    """The fields of a message that the aggregation shows."""

    timestamp: str
    sender: Party
    text: str


class ChatForHtml(msgspec.Struct, frozen=True, gc=False):
    """The fields of a chat that a bundle needs."""

    chat_url: str | None = ""
    is_new_chat: bool = False
    full_name: str | None = ""
    chat_id: str = ""


_message_decoder = msgspec.json.Decoder(MessageForHtml)
_chat_decoder = msgspec.json.Decoder(ChatForHtml)


def single_body(account: bytes, chat: bytes, message: bytes) -> bytes:
    """The body for a single message."""
    return b'{"whatsapp_account":%b,"chat":%b,"message":%b}' % (account, chat, message)


def bundle_body(
    *,
    account: bytes,
    chat: bytes,
    is_new_chat: bool,
    messages: Sequence[bytes],
    permalink: str,
    product_name: str,
) -> bytes:
    """The body of a bundle: `messages` in their final order, account and chat of the newest."""
    details = _chat_decoder.decode(chat)
    if details.is_new_chat != is_new_chat:
        whole = msgspec.json.decode(chat, type=Chat)
        chat = encode(msgspec.structs.replace(whole, is_new_chat=is_new_chat))
    members = [_message_decoder.decode(message) for message in messages]
    stand_in = "" if all(map(shows_itself, members)) else stand_in_of(details)
    aggregation = "".join([line(member, stand_in) for member in members]) + closing(
        permalink, details.chat_url or "", product_name
    )
    return (
        b'{"whatsapp_account":%b,"chat":%b,"messages":[%b],"first_message_timestamp":"%b",'
        b'"last_message_timestamp":"%b","aggregation":%b}'
    ) % (
        account,
        chat,
        b",".join(messages),
        members[0].timestamp.encode(),
        members[-1].timestamp.encode(),
        msgspec.json.encode(aggregation),
    )


def shows_itself(message: MessageForHtml) -> bool:
    """Whether the sender has a name or a phone that can be shown."""
    return bool(shown_sender(message.sender))


def shown_sender(sender: Party) -> str:
    """The sender's name, or its phone; empty without one."""
    for given in (sender.full_name, sender.phone):
        if given and not given.isspace():
            return given
    return ""


def stand_in_of(chat: ChatForHtml) -> str:
    """What is shown for a sender without name and phone: the chat's name, or its id.

    Cut so that a message takes no more room than `weight` gives it.
    """
    name = chat.full_name if chat.full_name and not chat.full_name.isspace() else chat.chat_id
    if _as_html_bytes(name) <= STAND_IN_BYTES_MAX:
        return name
    while _as_html_bytes(name) > STAND_IN_BYTES_MAX - ELLIPSIS_BYTES:
        name = name[: min(len(name) - 1, STAND_IN_BYTES_MAX)]
    return name + "…"


def _as_html_bytes(name: str) -> int:
    return len(msgspec.json.encode(html.escape(directions.closed(name))))


def line(message: MessageForHtml, stand_in: str) -> str:
    """One message in the aggregation, as HTML; `stand_in` if its sender shows nothing."""
    text = html.escape(directions.closed(message.text))
    if "\n" in text or "\r" in text:
        text = text.replace("\r\n", BREAK).replace("\n", BREAK).replace("\r", BREAK)
    sender = html.escape(directions.closed(shown_sender(message.sender) or stand_in))
    return f"from {sender} on {timestamps.minute_of(message.timestamp)}: {text}{BREAK}"


def closing(permalink: str, chat_url: str, product_name: str) -> str:
    """The sentence with the link; empty if neither URL is http or https (a script, say)."""
    for link in (permalink, chat_url):
        if link.lower().startswith(("https://", "http://")):
            href, product = html.escape(link), html.escape(product_name)
            return f"Click <a href='{href}'>here</a> to open the conversation in {product}"
    return ""


def frame_weight(account: bytes, chat: bytes, permalink: str, product_name: str) -> int:
    """How many bytes a bundle's body has beside its messages, at most."""
    details = _chat_decoder.decode(chat)
    link = msgspec.json.encode(closing(permalink, details.chat_url or "", product_name))
    return FRAME_BYTES + len(account) + len(chat) + len(link)


def weight(message: bytes) -> int:
    """How many bytes the message adds to a bundle's body, as JSON and in the aggregation.

    The aggregation is escaped twice, as HTML and as JSON. The result is a little high for texts
    with many quotes, so a bundle of those is sealed somewhat before it reaches the limit. What
    closes a directional control is counted; a stand-in for the sender's name takes less than the
    fields of the message that the aggregation does not show.
    """
    specials = len(message) - len(message.translate(None, SPECIALS))
    return 2 * len(message) + 5 * specials + directions.bytes_added(message)

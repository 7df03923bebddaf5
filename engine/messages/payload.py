"""The bodies of webhook requests, as compact UTF-8 JSON.

Their fields and the order of the fields are those of the product's original specification of the
payload (docs/payload.md). The API stores accounts, chats and messages as JSON objects, so a body is
put together from them and not encoded again. Only the aggregation's HTML is made here.
"""

import html
from collections.abc import Sequence

import msgspec

from hookbundle.engine.messages import timestamps
from hookbundle.engine.messages.message import Chat, Party, encode

BREAK = "<br/>"
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
    aggregation = "".join(map(line, members)) + closing(
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


def line(message: MessageForHtml) -> str:
    """One message in the aggregation, as HTML."""
    text = html.escape(message.text)
    if "\n" in text or "\r" in text:
        text = text.replace("\r\n", BREAK).replace("\n", BREAK).replace("\r", BREAK)
    sender = html.escape(message.sender.full_name or "")
    return f"from {sender} on {timestamps.minute_of(message.timestamp)}: {text}{BREAK}"


def closing(permalink: str, chat_url: str, product_name: str) -> str:
    """The sentence with the link; empty if neither URL is http or https (a script, say)."""
    for link in (permalink, chat_url):
        if link.lower().startswith(("https://", "http://")):
            href, product = html.escape(link), html.escape(product_name)
            return f"Click <a href='{href}'>here</a> to open the conversation in {product}"
    return ""


def weight(message: bytes) -> int:
    """How many bytes the message adds to a bundle's body, as JSON and in the aggregation.

    The aggregation is escaped twice, as HTML and as JSON. The result is a little high for texts
    with many quotes, so a bundle of those is sealed somewhat before it reaches the limit.
    """
    specials = len(message) - len(message.translate(None, SPECIALS))
    return 2 * len(message) + 5 * specials

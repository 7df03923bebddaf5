"""The bodies that leave: exactly the seed's fields, in the seed's order, as compact UTF-8 JSON.

Accounts, chats and messages are kept as JSON objects from the door on, so a body is put together
from them, not encoded again. The one thing made here is the aggregation's HTML.
"""

import html
from collections.abc import Sequence

import msgspec

from hookbundle.engine.messages import timestamps
from hookbundle.engine.messages.message import Chat, Party, encode

BREAK = "<br/>"
SPECIALS = b"&<>\"'\\"  # become longer as HTML or as JSON


class Said(msgspec.Struct, frozen=True, gc=False):
    """What the aggregation says of a message."""

    timestamp: str
    sender: Party
    text: str


class Linked(msgspec.Struct, frozen=True, gc=False):
    """What is asked of a chat."""

    chat_url: str | None = ""
    is_new_chat: bool = False


_said = msgspec.json.Decoder(Said)
_linked = msgspec.json.Decoder(Linked)


def single_body(account: bytes, chat: bytes, message: bytes) -> bytes:
    """The body of a message that is sent by itself."""
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
    details = _linked.decode(chat)
    if details.is_new_chat != is_new_chat:
        whole = msgspec.json.decode(chat, type=Chat)
        chat = encode(msgspec.structs.replace(whole, is_new_chat=is_new_chat))
    members = [_said.decode(message) for message in messages]
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


def line(message: Said) -> str:
    """One message in the aggregation, as HTML."""
    text = html.escape(message.text)
    if "\n" in text or "\r" in text:
        text = text.replace("\r\n", BREAK).replace("\n", BREAK).replace("\r", BREAK)
    sender = html.escape(message.sender.full_name or "")
    return f"from {sender} on {timestamps.minute_of(message.timestamp)}: {text}{BREAK}"


def closing(permalink: str, chat_url: str, product_name: str) -> str:
    """The sentence with the link; empty where neither address is one a browser should follow."""
    for link in (permalink, chat_url):
        if link.lower().startswith(("https://", "http://")):
            href, product = html.escape(link), html.escape(product_name)
            return f"Click <a href='{href}'>here</a> to open the conversation in {product}"
    return ""


def weight(message: bytes) -> int:
    """How many bytes the message adds to a bundle's body, as JSON and in the aggregation.

    The aggregation may be escaped twice over, as HTML and as JSON. The bound below is a little
    high for texts full of quotes, so such a bundle is sealed somewhat before the limit.
    """
    specials = len(message) - len(message.translate(None, SPECIALS))
    return 2 * len(message) + 5 * specials

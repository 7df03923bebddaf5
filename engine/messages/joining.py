"""Several bodies of one chat made into one bundle: what each of them has, and what they make.

A body that was sealed has all that a bundle needs but the link of its first message, which stands
in the last sentence of its aggregation. Its messages are taken as they are, byte for byte.
"""

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from hookbundle.engine.messages import payload

LINK = re.compile(r"<a href='([^']*)'>here</a>")  # in a text the marks are escaped


class _Body(msgspec.Struct, gc=False):
    """A body, of a bundle or of a single message, in its parts."""

    whatsapp_account: msgspec.Raw
    chat: msgspec.Raw
    messages: list[msgspec.Raw] = []
    message: msgspec.Raw = msgspec.Raw()
    aggregation: str = ""


class _ChatDetails(msgspec.Struct, gc=False):
    chat_url: str | None = ""
    is_new_chat: bool = False


class _Time(msgspec.Struct, gc=False):
    timestamp: str


_bodies = msgspec.json.Decoder(_Body)
_chats = msgspec.json.Decoder(_ChatDetails)
_times = msgspec.json.Decoder(_Time)


class Member(NamedTuple):
    """A message of a body. `sent`: its timestamp as text, whose order is that of time."""

    sent: str
    message: bytes
    arrived_ms: int


class Part(NamedTuple):
    """A body in its parts. `permalink`: of its first message; empty if it had none of its own."""

    account: bytes
    chat: bytes
    is_new_chat: bool
    permalink: str
    members: tuple[Member, ...]

    @property
    def weight(self) -> int:
        """The bytes of its messages in a bundle."""
        return sum(payload.weight(each.message) for each in self.members)


class Joined(NamedTuple):
    """`newest`: which of the parts has the newest message. `arrivals`: in the body's order."""

    body: bytes
    chat: bytes
    newest: int
    members: tuple[Member, ...]


def part_of(body: bytes, arrivals: Sequence[int]) -> Part:
    """Raises: msgspec.DecodeError if it is no body; ValueError if it has other messages."""
    found = _bodies.decode(body)
    messages = [bytes(each) for each in found.messages] or [bytes(found.message)]
    chat = _chats.decode(found.chat)
    link = LINK.findall(found.aggregation)
    permalink = html.unescape(link[-1]) if link else ""
    members = tuple(
        Member(_times.decode(message).timestamp, message, arrived_ms)
        for message, arrived_ms in zip(messages, arrivals, strict=True)
    )
    return Part(
        account=bytes(found.whatsapp_account),
        chat=bytes(found.chat),
        is_new_chat=chat.is_new_chat,
        permalink="" if permalink == chat.chat_url else permalink,
        members=members,
    )


def join(parts: Sequence[Part], product_name: str) -> Joined:
    """One bundle of all messages of the parts, which come in the order of their arrival.

    By timestamp, then by arrival: the sort is stable, and within a part the order is that already.
    """
    found = [(each, number) for number, part in enumerate(parts) for each in part.members]
    found.sort(key=lambda pair: pair[0].sent)
    earliest, newest = found[0][1], found[-1][1]
    members = tuple(each for each, _ in found)
    body = payload.bundle_body(
        account=parts[newest].account,
        chat=parts[newest].chat,
        is_new_chat=any(part.is_new_chat for part in parts),
        messages=[each.message for each in members],
        permalink=parts[earliest].permalink,
        product_name=product_name,
    )
    return Joined(body, parts[newest].chat, newest, members)

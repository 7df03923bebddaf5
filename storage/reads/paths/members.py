"""The messages that are in a body or in a window, without their texts."""

import msgspec

from hookbundle.engine.messages import timestamps
from hookbundle.storage.database.chat_records import Member
from hookbundle.storage.tables import bodies
from hookbundle.storage.tables.bodies import InBody


class Seen(msgspec.Struct, frozen=True):
    """A message. `sent_ms`: its timestamp. `arrived_ms`: when it was accepted. 0: not known."""

    message_id: str
    direction: str = ""
    sent_ms: int = 0
    arrived_ms: int = 0


_messages = msgspec.json.Decoder(InBody)


def of_body(body: bytes, arrivals: list[int]) -> list[Seen]:
    """In the order of the body, each with its arrival; none if it can't be read."""
    found = bodies.messages_in(body)
    if len(arrivals) != len(found):
        arrivals = [0] * len(found)
    return [_seen(each, at_ms) for each, at_ms in zip(found, arrivals, strict=True)]


def of_window(members: list[Member], opened_ms: int) -> list[Seen]:
    """Of a window with one message the arrival is known in any case."""
    alone_ms = opened_ms if len(members) == 1 else 0
    return [
        _seen(_messages.decode(member.message), member.arrived_ms or alone_ms) for member in members
    ]


def holds(body: bytes, message_id: str) -> bool:
    """Whether the message is in the body."""
    if not may_hold(body, message_id):
        return False
    return any(each.message_id == message_id for each in of_body(body, []))


def may_hold(body: bytes, message_id: str) -> bool:
    """False if the body does not have the message; to look costs a thousandth of reading it."""
    return msgspec.json.encode(message_id) in body


def _seen(message: InBody, arrived_ms: int) -> Seen:
    try:
        sent_ms = timestamps.parse_ms(message.timestamp)
    except timestamps.NoTime:
        sent_ms = 0
    return Seen(message.message_id, message.direction, sent_ms, arrived_ms)

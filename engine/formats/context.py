"""What a template gets: the seed's body, and what stands beside it, as plain values of JSON.

A single message gets what a bundle of it alone would have. The texts of its messages can be cut,
so that a finished body fits: then all that is made from them is made anew.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from hookbundle.engine import time_zones
from hookbundle.engine.formats import cutting, dates, filters
from hookbundle.engine.formats.filters import Place
from hookbundle.engine.formats.jobs import Job
from hookbundle.engine.formats.shapes import OPTIONS
from hookbundle.engine.messages import payload, timestamps
from hookbundle.engine.messages.message import ChatExtra, Party
from hookbundle.engine.messages.payload import ChatForHtml, MessageForHtml

RECEIVED = "received"
LINK_OPENS, LINK_CLOSES = "Click <a href='", "'>"


@dataclass(frozen=True, slots=True)
class Context:
    """`values`: by their names. `texts`: those of the messages, in order."""

    values: Mapping[str, Any]
    place: Place
    texts: tuple[str, ...]
    closing: str  # of the aggregation

    def with_level(self, level: int) -> tuple["Context", int]:
        """The same with every text that is longer cut to so many characters; and how many were."""
        cut = [cutting.cut(text, level) for text in self.texts]
        changed = sum(new is not old for new, old in zip(cut, self.texts, strict=True))
        messages = [
            message if new is old else {**message, "text": new}
            for message, new, old in zip(self.values["messages"], cut, self.texts, strict=True)
        ]
        aggregation = _aggregation(messages, self.place.stand_in, self.closing)
        values = {**self.values, "messages": messages, "aggregation": aggregation}
        return replace(self, values=values), changed


def of(job: Job, options: Mapping[str, str]) -> Context:
    """Raises: msgspec.DecodeError if the body is not what the engine seals."""
    body = msgspec.json.decode(job.body)
    chat = body["chat"]
    messages = body["messages"] if job.bundle.is_bundle else [body["message"]]
    extra = msgspec.json.decode(job.extra, type=ChatExtra) if job.extra else ChatExtra()
    zone = time_zones.zone(job.zone)
    stand_in = payload.stand_in_of(msgspec.convert(chat, ChatForHtml))
    place = Place(zone, stand_in)
    closing = (
        _closing_of(body["aggregation"])
        if job.bundle.is_bundle
        else payload.closing(job.permalink, chat["chat_url"], job.product_name)
    )
    first, last = messages[0]["timestamp"], messages[-1]["timestamp"]
    aggregation = (
        body["aggregation"] if job.bundle.is_bundle else _aggregation(messages, stand_in, closing)
    )
    values = {
        "whatsapp_account": body["whatsapp_account"],
        "chat": chat,
        "messages": messages,
        "first_message_timestamp": first,
        "last_message_timestamp": last,
        "aggregation": aggregation,
        "first_message_local_time": dates.local_time(first, zone),
        "last_message_local_time": dates.local_time(last, zone),
        "time_zone": zone.key,
        "link": _link_of(closing),
        "labels": extra.labels,
        "bundle": _bundle(job),
        "contact": _contact(chat, extra, place),
        "refs": extra.refs,
        "stats": stats_of(messages),
        OPTIONS: options,
    }
    return Context(values, place, tuple(each["text"] for each in messages), closing)


def stats_of(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of one bundle, whose messages are in order: nothing is known of those before.

    `first_reply_seconds`: from the first message received to the first one sent after it; None
    without both. `unanswered`: the last message was received.
    """
    received = [each for each in messages if each["direction"] == RECEIVED]
    return {
        "received": len(received),
        "sent": len(messages) - len(received),
        "first_reply_seconds": _first_reply(messages),
        "unanswered": messages[-1]["direction"] == RECEIVED,
    }


def _first_reply(messages: Sequence[Mapping[str, Any]]) -> int | None:
    asked: int | None = None
    for each in messages:
        at = timestamps.parse_ms(each["timestamp"])
        if each["direction"] == RECEIVED:
            asked = at if asked is None else asked
        elif asked is not None:
            return (at - asked) // 1_000
    return None


def _bundle(job: Job) -> dict[str, Any]:
    facts = job.bundle
    return {
        "id": facts.id,
        "sequence": facts.sequence,
        "previous_id": facts.previous_id,
        "part": facts.part,
        "reason": facts.reason,
    }


def _contact(chat: Mapping[str, Any], extra: ChatExtra, place: Place) -> dict[str, str]:
    """Whom the chat is with; a group is with nobody, so it has no phone."""
    phone = "" if chat["is_group"] else chat["phone"]
    e164 = filters.e164(place, phone)
    return {
        "phone_e164": e164,
        "phone_digits": e164[1:] or filters.digits(place, phone),
        "user_id": extra.user_id,
        "username": extra.username,
    }


def _aggregation(messages: Sequence[Mapping[str, Any]], stand_in: str, closing: str) -> str:
    """As payload.py makes it."""
    found = [
        MessageForHtml(
            each["timestamp"],
            Party(each["sender"]["full_name"], each["sender"]["phone"]),
            each["text"],
        )
        for each in messages
    ]
    return "".join([payload.line(each, stand_in) for each in found]) + closing


def _closing_of(aggregation: str) -> str:
    """The sentence with the link; names and texts before it can't have its bracket, escaped."""
    at = aggregation.rfind(LINK_OPENS)
    return aggregation[at:] if at >= 0 else ""


def _link_of(closing: str) -> str:
    if not closing:
        return ""
    href = closing.removeprefix(LINK_OPENS).partition(LINK_CLOSES)[0]
    return html.unescape(href)
